"""RESULTS.md is read off the runs: what was run, what it gave, what was changed, and what was not run."""

import json
from dataclasses import asdict, replace

import pytest

from resnet_viz import runs
from resnet_viz.__main__ import main
from resnet_viz.training import presets, results
from resnet_viz.training.settings import data_name
from tests.refusals import refused

SETTINGS = ["epochs=1", "train_limit=96", "batch_size=32", "device=cpu", "threads=1"]
NAME = "digits-resnet8,epochs=1,train_limit=96,batch_size=32"  # the machine is no part of the recipe


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_VIZ_RUNS", str(folder))  # else it would wait for whatever trains in the project's runs/
        results.run(["digits-resnet8"], folder, None, SETTINGS, lambda text: None)
    return folder


def test_a_row_is_what_the_run_wrote(folder):
    (row,) = results.rows(folder)
    test = runs.read_lines(folder / NAME / "metrics.jsonl")[-1]
    assert (row.preset, row.network, row.data, row.epochs) == ("digits-resnet8", "resnet8", "digits", 1)
    assert test["split"] == "test" and row.accuracy == test["accuracy"] and row.seconds > 0
    assert row.changed == {"epochs": 1, "train_limit": 96, "batch_size": 32}
    assert "torch" in row.hardware and ", 1 thread, " in row.hardware


def test_the_document_names_what_was_changed_and_what_was_not_run(folder, tmp_path):
    text = results.document(results.rows(folder))
    line = next(line for line in text.splitlines() if line.startswith("| digits-resnet8"))
    (row,) = results.rows(folder)
    assert f"{row.accuracy:.2%}" in line and "epochs=1" in line and "train_limit=96" in line
    missing = text.strip().splitlines()[-1]
    assert missing.startswith("Not run here: ") and missing.count(",") == len(presets.PRESETS) - 2
    assert "digits-resnet8" not in missing and "he-resnet110" in missing


def test_a_finished_preset_is_not_run_again(folder):
    before = (folder / NAME / "last.safetensors").stat().st_mtime_ns
    told = []
    results.run(["digits-resnet8"], folder, None, SETTINGS, told.append)
    assert told == ["digits-resnet8: finished before"]
    assert (folder / NAME / "last.safetensors").stat().st_mtime_ns == before


def test_another_recipe_of_a_preset_is_another_run():
    assert results.directory_name("sprint", []) == "sprint"
    assert results.directory_name("sprint", ["start_from=some/where", "threads=2"]) == "sprint,start_from=some-where"


def test_weights_are_named_without_their_folder():
    assert results._without_folders("/of/mine/resnet20-x/best.safetensors") == "resnet20-x"
    assert results._without_folders("/of/mine/net.pth") == "net.pth"
    assert results._without_folders("ResNet18_Weights.IMAGENET1K_V1") == "ResNet18_Weights.IMAGENET1K_V1"
    assert results._without_folders(None) is None


def test_rows_of_other_machines_stay_and_the_same_recipe_is_put_over(folder, tmp_path):
    (own,) = results.rows(folder)
    elsewhere = replace(own, hardware="a graphics card", accuracy=0.5)
    old = replace(own, accuracy=0.25)
    (tmp_path / "RESULTS.json").write_text(json.dumps([asdict(elsewhere), asdict(old)]))
    found = results.write(folder, tmp_path / "RESULTS.md")
    assert sorted(row.accuracy for row in found) == sorted([own.accuracy, 0.5]) and results.kept(tmp_path / "RESULTS.json") == found
    assert (tmp_path / "RESULTS.md").read_text().count("| digits-resnet8 |") == 2


def test_a_damaged_file_of_results_is_a_sentence(tmp_path):
    (tmp_path / "RESULTS.json").write_text('[{"preset": 3}]')
    with refused("cannot be read; delete it"):
        results.kept(tmp_path / "RESULTS.json")
    assert results.kept(tmp_path / "none.json") == []


def test_in_words_a_source_stands_beside_what_it_gave_here(folder):
    (row,) = results.rows(folder)
    (said,) = results.in_words("digits-resnet8", [row])
    assert f"{row.accuracy:.1%}" in said and "train_limit=96" in said and "after 1 epoch" in said
    first, second = results.in_words("lecture-resnet18", [replace(row, preset="lecture-resnet18", data="CIFAR-10 (JPEG)")])
    assert "73.5%" in first and "lecture" in first and "CIFAR-10 (JPEG)" in second


def test_data_of_a_path_are_named_without_it():
    assert data_name("somewhere/of/mine/cifar10-jpeg.zip") == "CIFAR-10 (JPEG)"
    assert data_name("somewhere/pets.zip") == "pets" and data_name("cifar10") == "cifar10"


def test_the_command_writes_the_document(folder, tmp_path, capsys):
    out = tmp_path / "RESULTS.md"
    assert main(["results", "--runs", str(folder), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["preset"] == "digits-resnet8"
    assert "| digits-resnet8 |" in out.read_text()
    for order in (["nothing", "--set", "epochs=1"], ["--set", "epochs=1", "nothing"]):
        assert main(["results", *order, "--runs", str(folder), "--out", str(out)]) == 2
        assert "Unknown preset" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with refused("cannot be written"):
        results.write(folder, tmp_path / "file" / "RESULTS.md")
