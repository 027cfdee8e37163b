"""What is said of the cost: true numbers in the sentences, arithmetic that adds up, code that prints what it says."""

import re
from contextlib import redirect_stdout
from io import StringIO

import pytest

from resnet_viz.analysis import resource_readings, resource_words, resources
from resnet_viz.analysis.resources import GIB, MIB, OPTIMIZERS


@pytest.fixture(scope="module")
def large():
    return resources.demand("resnet152", {}, 224, "fp32", "cuda")


def test_the_finding_in_one_sentence(large):
    fits = resource_words.describe(large, 32, "momentum", 24 * GIB, "a GPU")
    assert fits == ("Training resnet152 on a batch of 32 takes 6.565 GiB and fits into 24 GiB (a GPU); 81% of it: "
                    "stored activations.")
    assert "does not fit into 4 GiB" in resource_words.describe(large, 32, "momentum", 4 * GIB, "a GPU")


def test_the_story_has_its_own_numbers(large):
    story = "\n".join(resource_words.story(large, {}, 32, "momentum", 24 * GIB, "a GPU"))
    for words in ("5.289 GiB", "229.6 MiB", "Adam 459.2 MiB", "at most 135 fit", "At 448 × 448", "cuDNN",
                  "one more map"):
        assert words in story
    tanh = resources.demand("resnet20", {"activation": "tanh"}, 32)
    assert "torchvision" not in "\n".join(resource_words.story(tanh, {"activation": "tanh"}, 1, "sgd", GIB, "CPU"))
    fixed = resources.demand("simple-cnn", {}, 32)  # takes no larger picture
    assert "64 × 64" not in "\n".join(resource_words.story(fixed, {}, 1, "sgd", GIB, "CPU"))


def test_sixteen_bits_pay_from_the_batch_that_is_said():
    found = resources.demand("resnet18", {}, 96, "bf16")
    even = int(re.search(r"pays from a batch of (\d+)", "\n".join(
        resource_words.story(found, {}, 4, "sgd", GIB, "CPU"))).group(1))

    def kept(precision, batch):
        one = resources.demand("resnet18", {}, 96, precision)
        return one.stored(batch) + one.picture_bytes * batch

    assert even > 2
    assert kept("bf16", even) <= kept("fp32", even) and kept("bf16", even - 1) > kept("fp32", even - 1)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_arithmetic_is_right(optimizer, precision):
    """Products of whole numbers are worked out again; the other lines name their parts."""
    found = resources.demand("resnet50", {}, 224, precision, "cuda")
    rows = dict(resource_words.formulas(found, 8, optimizer, 8 * GIB))
    parts = resources.parts(found, 8, optimizer)
    for part in ("weights", "gradients", "copies", "activations", "batch"):
        if not parts[part]:
            continue
        left = rows[resources.PARTS[part]].split(" = ")[0].replace("bytes once", "").replace("bytes", "")
        assert eval(left.replace(",", "").replace("×", "*")) == parts[part]
    most = resources.largest_batch(found, optimizer, 8 * GIB)
    assert rows["the largest batch"].endswith(f"= {most:,}")
    assert resources.PARTS["workspace"] in rows and "cuDNN" not in rows["together"]


@pytest.mark.parametrize(("network", "size", "precision"), [("resnet8", 32, "fp32"), ("resnet20", 32, "bf16"),
                                                            ("grapheme-resnet", 40, "fp32")])
def test_the_code_prints_what_it_says(network, size, precision):
    code = resource_words.code(resources.demand(network, {}, size, precision), {}, 3)
    said, out = float(re.search(r"MiB\"\)  # ([\d.,]+)$", code).group(1)), StringIO()
    with redirect_stdout(out):
        exec(code, {})
    assert float(out.getvalue().split()[0]) == pytest.approx(said, abs=0.006)


def test_the_command():
    found = resources.demand("resnet18", {}, 96, "bf16")
    assert resource_words.command(found, {}, 16, "adam", 8) == (
        "python -m resnet_viz resources resnet18 --batch-size 16 --input-size 96 --optimizer adam --precision bf16 "
        "--memory-gib 8")
    assert resource_words.command(found, {"stem": "cifar"}, 16, "adam", None) is None


# What a course printed and measured

def test_the_course_and_the_estimate():
    seen = resource_readings.readings()
    said = "\n".join(resource_readings.findings(seen))
    for words in ("689.72 MiB", "173.47 MiB", "863.2 MiB", "0.843 GiB", "0.862 GiB", "178 MiB", "259 GiB", "49,140 MiB",
                  "136 minutes"):
        assert words in said
    assert seen.reserved_mib == pytest.approx(689.72, abs=0.01)
    assert seen.estimated_slope_mib == pytest.approx(169.2, abs=0.1)


def test_the_estimate_lies_below_what_nvidia_smi_counts_and_grows_alike():
    seen = resource_readings.readings()
    assert all(estimated < measured for estimated, measured in zip(seen.estimated_mib, seen.measured_mib))
    at = {batch: (m, e) for batch, m, e in zip(seen.batches, seen.measured_mib, seen.estimated_mib)}
    assert at[128][1] == pytest.approx(at[128][0], rel=0.1)
    growth = (at[128][1] - at[2][1]) / 126
    assert growth == pytest.approx(seen.slope_mib, rel=0.05)
    assert at[256][0] == resource_readings.CARD_MIB  # the card was full
    assert f"{seen.measured_mib[0]:,} MiB at batch 1" in resource_readings.describe(seen)
    assert seen.reserved_mib * MIB == 3 * 4 * 60_268_520
