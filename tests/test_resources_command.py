"""The command `resources`: keys, sums, exit codes, and real steps."""

import json

import pytest

from resnet_viz.__main__ import main
from resnet_viz.analysis import resources
from resnet_viz.analysis.resources import GIB, PARTS


@pytest.fixture
def call(capsys):
    """call(words...) -> (exit code, stdout, stderr)."""
    def run(*words):
        code = main(["resources", *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def document(call):
    def run(*words, code=0):
        got, out, err = call(*words, "--json")
        assert got == code, err
        return json.loads(out)

    return run


def test_the_document(document):
    found = document("resnet50", "--batch-size", 8, "--memory-gib", 24)
    assert list(found) == ["network", "input_shape", "batch_size", "optimizer", "precision", "device", "parts",
                           "total_bytes", "stored_bytes", "bytes_per_picture", "fits", "largest_batch", "summary",
                           "measured", "did_not_fit"]
    assert list(found["parts"]) == list(PARTS) and sum(found["parts"].values()) == found["total_bytes"]
    assert found["parts"]["weights"] == found["parts"]["optimizer"] == 4 * 25_557_032
    assert found["input_shape"] == [3, 224, 224] and found["device"]["memory_bytes"] == 24 * GIB
    assert found["fits"] is True and found["measured"] is None and found["did_not_fit"] is None
    assert found["stored_bytes"] / 8 / 2**20 == pytest.approx(82.0, abs=0.2)


def test_this_machine_is_the_default(document):
    found = document("resnet20", "--batch-size", 4)
    here = resources.this_device()
    assert found["device"] == {"kind": here.kind, "name": here.name, "memory_bytes": here.memory_bytes}
    assert found["input_shape"] == [3, 32, 32]


def test_options_change_what_they_say(document):
    plain = document("resnet18", "--memory-gib", 8)
    assert document("resnet18", "--memory-gib", 8, "--optimizer", "sgd")["parts"]["optimizer"] == 0
    half = document("resnet18", "--memory-gib", 8, "--precision", "bf16")
    assert half["parts"]["copies"] > 0 and half["largest_batch"] > plain["largest_batch"]
    small = document("resnet18", "--memory-gib", 8, "--input-size", 112)
    assert small["bytes_per_picture"] < plain["bytes_per_picture"] / 3


@pytest.mark.hard
def test_real_steps(document, call):
    found = document("resnet8", "--batch-size", 3, "--optimizer", "adam", "--measure")
    assert [row["batch_size"] for row in found["measured"]] == [1, 2, 3]
    for row in found["measured"]:
        assert row["counted_error"] == 0 and row["peak_bytes"] > sum(row["counted"].values())
        assert len(row["seconds_per_step"]) == 3 and row["images_per_s"] > 0


@pytest.mark.hard
def test_a_batch_that_does_not_fit_is_exit_1(call):
    code, out, err = call("resnet8", "--batch-size", 64, "--measure", "--memory-gib", 0.75)
    assert code == 1 and "It did not fit at batch" in out.splitlines()[-1]
    assert "estimate off" in out and "measuring a batch of 1" in err


def test_a_table_for_people(call):
    code, out, err = call("resnet152", "--memory-gib", 24)
    assert code == 0 and not err
    assert "stored activations             5.289 GiB  80.6%" in out
    assert "the largest batch that fits: 135." in out


@pytest.mark.parametrize(("words", "said"), [
    (["resnet18", "--batch-size", "0"], "between 1 and 65,536"),
    (["resnet18", "--input-size", "100000"], "no computer's memory"),
    (["resnet18", "--input-size", "32", "--batch-size", "1"], "batch of 2 or more"),
    (["simple-cnn", "--input-size", "64"], "simple-cnn takes pictures"),
    (["resnet18", "--memory-gib", "-1"], "at most 10,000 GiB"),
    (["resnet18", "--memory-gib", "nan"], "at most 10,000 GiB"),
    (["resnet18", "--precision", "fp8"], "fp8"),
    (["resnet19"], "resnet19"),
])
def test_refusals_are_one_sentence(call, words, said):
    code, out, err = call(*words)
    assert code == 2 and not out and said in err
    assert len(err.strip().splitlines()) == 1 and "Traceback" not in err
