"""RESULTS.md is read off the runs: what was run, what it gave, what was changed, and what was not run."""

import json

import pytest

from resnet_viz import runs
from resnet_viz.__main__ import main
from resnet_viz.training import presets, results
from tests.refusals import refused

SETTINGS = ["epochs=1", "train_limit=96", "batch_size=32", "device=cpu", "threads=1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_VIZ_RUNS", str(folder))  # else it would wait for whatever trains in the project's runs/
        results.run(["digits-resnet8"], folder, None, SETTINGS, lambda text: None)
    return folder


def test_a_row_is_what_the_run_wrote(folder):
    (row,) = results.rows(folder)
    test = runs.read_lines(folder / "digits-resnet8" / "metrics.jsonl")[-1]
    assert (row.preset, row.network, row.data, row.epochs) == ("digits-resnet8", "resnet8", "digits", 1)
    assert test["split"] == "test" and row.accuracy == test["accuracy"] and row.seconds > 0
    assert row.changed == {"epochs": 1, "train_limit": 96, "batch_size": 32}
    assert "torch" in row.hardware and "1 threads" in row.hardware


def test_the_document_names_what_was_changed_and_what_was_not_run(folder, tmp_path):
    text = results.document(results.rows(folder))
    line = next(line for line in text.splitlines() if line.startswith("| digits-resnet8"))
    (row,) = results.rows(folder)
    assert f"{row.accuracy:.2%}" in line and "epochs=1" in line and "train_limit=96" in line
    missing = text.strip().splitlines()[-1]
    assert missing.startswith("Not run here: ") and missing.count(",") == len(presets.PRESETS) - 2
    assert "digits-resnet8" not in missing and "he-resnet110" in missing


def test_a_finished_preset_is_not_run_again(folder):
    before = (folder / "digits-resnet8" / "last.safetensors").stat().st_mtime_ns
    told = []
    results.run(["digits-resnet8"], folder, None, SETTINGS, told.append)
    assert told == ["digits-resnet8: finished before"]
    assert (folder / "digits-resnet8" / "last.safetensors").stat().st_mtime_ns == before


def test_data_of_a_path_are_named_without_it():
    assert results._data_name("somewhere/of/mine/cifar10-jpeg.zip") == "CIFAR-10 (JPEG)"
    assert results._data_name("somewhere/pets.zip") == "pets" and results._data_name("cifar10") == "cifar10"


def test_the_command_writes_the_document(folder, tmp_path, capsys):
    out = tmp_path / "RESULTS.md"
    assert main(["results", "--runs", str(folder), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["preset"] == "digits-resnet8"
    assert "| digits-resnet8 |" in out.read_text()
    assert main(["results", "nothing", "--runs", str(folder), "--out", str(out)]) == 2
    assert "Unknown preset" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with refused("cannot be written"):
        results.write(folder, tmp_path / "file" / "RESULTS.md")
