"""The report for a bug: complete, plain JSON, and nothing written or downloaded."""

import json
import os
import platform

import pytest

from resnet_viz import pretrained, runs
from resnet_viz.analysis import machine
from resnet_viz.data import sources


@pytest.fixture
def report(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("RESNET_VIZ_DATA", str(tmp_path / "deep" / "data"))
    runs.write_config(tmp_path / "runs" / "one", {})
    yield machine.check()
    assert os.listdir(tmp_path) == ["runs"]  # nothing was made


def test_it_is_plain_json_and_names_what_matters(report):
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert set(report) >= {"platform", "python", "cores", "memory_mib", "versions", "devices", "folders", "data",
                           "weights", "pretrained", "runs"}
    assert report["python"] == platform.python_version() and report["memory_mib"] > 500 and report["cores"] >= 1
    assert report["problem"] is None and report["devices"][-1] == "cpu"
    assert report["runs"] == {"one": "new"} and isinstance(report["weights"], list)


def test_versions_are_those_installed(report):
    import torch
    assert report["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert report["versions"]["streamlit"]


def test_folders_say_whether_they_can_be_written(report, tmp_path):
    data = report["folders"]["data"]
    assert data["path"] == str(tmp_path / "deep" / "data")
    assert data["exists"] is False
    assert data["writable"]
    assert data["free_mib"] > 0
    assert report["folders"]["runs"]["exists"] is True


def test_every_data_set_has_a_word(report):
    assert set(report["data"]) == set(sources.SOURCES)
    assert report["data"]["shapes"] == "built in" and report["data"]["cifar10"] == "not downloaded"


def test_published_weights_that_are_here_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert machine.check()["pretrained"] == [] and os.listdir(tmp_path) == []
    entry = pretrained.PRETRAINED()["ResNet18_Weights.IMAGENET1K_V1"]
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / entry.file_name).write_bytes(b"weights")
    found = machine.check()
    assert found["pretrained"] == [entry.reference] and found["folders"]["pretrained"]["path"] == str(folder)


def test_a_torchvision_that_does_not_load_is_one_sentence_with_the_cure(monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, "torchvision", None)  # import torchvision now raises ImportError
    found = machine.check()
    said = found["problem"]
    assert found["pretrained"] is None
    assert "pip install -r requirements.txt" in said and said.endswith(".") and "\n" not in said


def test_it_is_fit_for_strangers_eyes(tmp_path, monkeypatch):
    """A home folder is often called after a person, and an environment holds keys."""
    monkeypatch.setenv("HOME", str(tmp_path / "ada-lovelace"))
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "ada-lovelace" / "runs"))
    monkeypatch.setenv("RESNET_VIZ_PASSWORD", "sesame-opens")
    monkeypatch.setenv("SECRET_TOKEN", "hf_0123456789")
    found = machine.check()
    for text in (json.dumps(found), machine.text(found)):
        assert not [word for word in ("ada-lovelace", "sesame-opens", "hf_0123456789", platform.node()) if word in text]
    assert found["folders"]["runs"]["path"] == "~/runs" and "RESNET_VIZ_PASSWORD" in found["set"]


def test_as_text_it_is_one_line_a_fact(report):
    lines = {line[:14].strip(): line[15:] for line in machine.text(report).splitlines()}
    assert lines["Python"] == platform.python_version() and lines["memory"].endswith("free")
    assert {"system", "devices", "packages", "runs in", "logs in", "data sets", "checkpoints"} <= set(lines)
    assert "deep/data, not there yet, can be written, " in lines["data in"] and lines["own runs"] == "1 new"


def test_the_commit_is_read_from_files(tmp_path):
    assert machine._commit(tmp_path) is None
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("0123456789abcdef\n")
    assert machine._commit(tmp_path) == "0123456789ab"
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text("# pack-refs\nfedcba9876543210 refs/heads/main\n")
    assert machine._commit(tmp_path) == "fedcba987654"
    (git / "refs" / "heads" / "main").write_text("aaaabbbbccccdddd\n")
    assert machine._commit(tmp_path) == "aaaabbbbcccc"


def test_a_package_that_is_missing():
    assert machine._version("no-such-package") is None
