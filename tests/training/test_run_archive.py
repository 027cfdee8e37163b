"""A run travels as a zip and is the same run elsewhere; a zip that is anything else leaves one sentence and no trace."""

import io
import json
import os
import stat
import struct
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save

from resnet_viz import checkpoints, run_marks, runs
from resnet_viz.training import run_archive, run_contents

from ..analysis.conftest import write_run
from ..refusals import refused


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def run(folder):
    """A finished run with everything in it that a run directory may have, and more that stays at home."""
    run = write_run(folder / "mine", keep_weights=True)
    runs.write_config(run, {"network": "resnet8", "data": "/home/ada/pictures.zip", "lr": 0.05})
    runs.write_json(run / "status.json", {"state": "finished", "epoch": 2, "step": 16, "total_steps": 16, "pid": 77,
                                          "host": "lab-3", "process_created": 1.0, "message": "finished", "notes": ["n"]})
    runs.append(run / "metrics.jsonl", {"split": "train", "epoch": 0, "step": 1, "images": 128, "loss": 2.3,
                                        "accuracy": 0.1, "lr": 0.05, "elapsed_s": 0.1}, {"split": "val", "step": 8, "loss": None})
    runs.append(run / "events.jsonl", {"id": "1", "command": "lr", "value": 0.01, "step": 3, "time": 1.0})
    runs.append(run / "gradients.jsonl", {"step": 1, "epoch": 0, "norm": {"fc": 1.0}, "update_ratio": {"fc": 0.1}})
    run_marks.write(run, run_marks.Marks("Mine", "why", True))
    for stranger in ("lock", "train.log", "control/1-a.json", ".best.tmp"):
        runs.write_atomic(run / stranger, b"x")
    runs.write_atomic(run / "resume.safetensors", (run / "last.safetensors").read_bytes())
    return run


def packed(run) -> bytes:
    target = io.BytesIO()
    run_archive.export(run, target)
    return target.getvalue()


def test_a_run_is_the_same_after_the_journey(run, folder):
    data = packed(run)
    added = run_archive.add(io.BytesIO(data), "mine.zip")
    assert added == folder / "mine-2" and set(runs.list_runs()) == {run, added}
    for name in ("metrics.jsonl", "events.jsonl", "gradients.jsonl"):
        assert runs.read_lines(added / name) == runs.read_lines(run / name) != []
    for path in (*run.glob("*/*.safetensors"), *map(run.joinpath, ("best.safetensors", "initial.safetensors"))):
        assert (added / path.relative_to(run)).read_bytes() == path.read_bytes()
    assert runs.read_config(added) == {"network": "resnet8", "data": "pictures.zip", "lr": 0.05}
    assert runs.state(added) == "finished" and run_marks.read(added) == run_marks.Marks("Mine", "why", True)
    status = runs.read_status(added)
    assert (status["host"], status["pid"], status["step"], status["notes"]) == (None, None, 16, ["n"])
    assert not any((added / name).exists() for name in ("lock", "train.log", "control", "resume.safetensors"))
    assert checkpoints.read(added / "best.safetensors").network == "resnet8"
    assert packed(added).count(b"mine-2/") and not list(folder.glob(".*"))


def test_a_run_that_goes_on_is_exported_as_it_is_and_comes_in_stopped(run, folder):
    runs.write_json(run / "status.json", {"state": "running", "step": 7, "host": "elsewhere", "heartbeat": 9e12})
    with open(run / "metrics.jsonl", "ab") as file:
        file.write(b'{"split": "tra')  # half a line
    added = run_archive.add(io.BytesIO(packed(run)), "x.zip")
    assert runs.state(added) == "stopped" and (added / "resume.safetensors").exists()
    assert len(runs.read_lines(added / "metrics.jsonl")) == 2
    assert runs.read_config(added)["data"] == "/home/ada/pictures.zip"  # what a continuation needs


def test_a_zip_without_a_folder_is_named_after_the_file(run, folder):
    names = zipped({name.removeprefix("mine/"): data for name, data in contents(packed(run)).items()})
    assert run_archive.add(names, "../../Some thing!.zip") == folder / "Some-thing"


def contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: dict[str, bytes], how=zipfile.ZIP_DEFLATED) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    target.seek(0)
    return target


def member(name: str, mode: int, data: bytes = b"x") -> io.BytesIO:
    """A good run with one member of a kind that a run has not."""
    target, info = io.BytesIO(), zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("r/config.json", b"{}")
        archive.writestr(info, data)
    target.seek(0)
    return target


GOOD = {"r/config.json": b'{"network": "resnet8"}'}
ROW = b'{"split": "train", "step": 1, "loss": %s}\n'
HOSTILE = {
    "a file that is no zip": (lambda: io.BytesIO(b"GIF89a" * 50), "not a zip"),
    "an empty file": (lambda: io.BytesIO(b""), "not a zip"),
    "an empty zip": (lambda: zipped({}), "no config.json"),
    "half a zip": (lambda: io.BytesIO(zipped(GOOD).getvalue()[:-30]), "not a zip"),
    "pictures": (lambda: zipped({"train/cat/1.jpg": b"x"}), "no config.json"),
    "two runs": (lambda: zipped({**GOOD, "s/config.json": b"{}"}), "no config.json"),
    "a way out": (lambda: zipped({**GOOD, "r/../../evil": b"x"}), "points elsewhere"),
    "a way out by backslashes": (lambda: zipped({**GOOD, "r\\..\\..\\evil": b"x"}), "points elsewhere|no file of a run|no config"),
    "a way out that is a folder": (lambda: zipped({**GOOD, "../evil/": b""}), "points elsewhere"),
    "an absolute name": (lambda: zipped({**GOOD, "/etc/evil": b"x"}), "points elsewhere"),
    "a drive": (lambda: zipped({**GOOD, "C:/evil": b"x"}), "points elsewhere"),
    "a link": (lambda: member("r/best.safetensors", stat.S_IFLNK | 0o777, b"/etc/passwd"), "not a plain file"),
    "a device": (lambda: member("r/best.safetensors", stat.S_IFCHR | 0o666), "not a plain file"),
    "a name in capitals": (lambda: zipped({**GOOD, "r/Config.json": b"{}"}), "twice"),
    "a stranger": (lambda: zipped({**GOOD, "r/run.sh": b"x"}), "no file of a run"),
    "a pickle": (lambda: zipped({**GOOD, "r/best.pt": b"x"}), "no file of a run"),
    "an order to the trainer": (lambda: zipped({**GOOD, "r/control/1-a.json": b"{}"}), "no file of a run"),
    "a hidden file": (lambda: zipped({**GOOD, "r/.styles.json": b"{}"}), "no file of a run"),
    "digits of another script": (lambda: zipped({**GOOD, "r/snapshots/٠٠٠٠٠٠٠١.safetensors": b"x"}), "no file of a run"),
    "a bomb": (lambda: zipped({**GOOD, "r/metrics.jsonl": b" " * 40_000_000}), "unpack to"),
    "too many files": (lambda: zipped({**GOOD, **{f"r/{i}": b"" for i in range(5_001)}}), "more than 5,000 files"),
    "another packing": (lambda: zipped(GOOD, zipfile.ZIP_LZMA), "packed in a way"),
    "a config that is a list": (lambda: zipped({"config.json": b"[]"}), "not a JSON object"),
    "a config that is deep": (lambda: zipped({"config.json": b"[" * 20_000}), "not JSON"),
    "an unknown setting": (lambda: zipped({"config.json": b'{"shell": "rm"}'}), "no recipe has"),
    "a setting of another kind": (lambda: zipped({"config.json": b'{"epochs": "ten"}'}), "no recipe has"),
    "a config of tomorrow": (lambda: zipped({"config.json": b'{"version": 99}'}), "no recipe has"),
    "a state that no run has": (lambda: zipped({**GOOD, "r/status.json": b'{"state": ["x"]}'}), "state"),
    "a step that is a text": (lambda: zipped({**GOOD, "r/status.json": b'{"state": "finished", "step": "x"}'}), "step"),
    "a step beyond counting": (lambda: zipped({**GOOD, "r/status.json": b'{"state": "failed", "step": 1%s}' % (b"0" * 400)}), "step"),
    "a loss beyond counting": (lambda: zipped({**GOOD, "r/metrics.jsonl": ROW % (b"1" + b"0" * 400)}), "line 1"),
    "a loss that is a text": (lambda: zipped({**GOOD, "r/metrics.jsonl": ROW % b"1" + ROW % b'"x"'}), "line 2"),
    "an event nobody sends": (lambda: zipped({**GOOD, "r/events.jsonl": b'{"command": "sudo", "step": 1}'}), "line 1"),
    "gradients of nothing": (lambda: zipped({**GOOD, "r/gradients.jsonl": b'{"step": 1, "norm": [1]}'}), "line 1"),
    "deep rows": (lambda: zipped({**GOOD, "r/gradients.jsonl": b"[" * 20_000}), "line 1"),
    "weights that are none": (lambda: zipped({**GOOD, "r/best.safetensors": b"PK" * 99}), "not a readable safetensors"),
    "weights without a header": (lambda: zipped({**GOOD, "r/best.safetensors": save({"a": np.zeros(2)})}), "not JSON"),
    "a snapshot without a step": (lambda: zipped({**GOOD, "r/snapshots/00000001.safetensors": save({"c.weight": np.zeros((1, 1, 3, 3))})}), "does not hold"),
    "a card in bytes": (lambda: zipped({**GOOD, "r/README.md": b"\xff\xfe"}), "UTF-8"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_zip_is_one_sentence_and_leaves_nothing(name, folder, tmp_path):
    folder.mkdir()
    make, words = HOSTILE[name]
    before = sorted(tmp_path.rglob("*"))
    with refused(words):
        run_archive.add(make(), "a.zip")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_encrypted_member_is_refused(folder):
    data = bytearray(zipped(GOOD).getvalue())
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(sign) + place
        data[at] |= 1
    with refused("is encrypted"):
        run_archive.add(io.BytesIO(bytes(data)), "a.zip")


def test_a_zip_that_lies_about_lengths_is_refused(folder):
    data = zipped({"config.json": b'{"network": "resnet8"}', "metrics.jsonl": ROW % b"1" * 50}).getvalue()
    at = data.rindex(b"PK\x01\x02") + 24  # the unpacked length in the directory
    with refused("damaged"):
        run_archive.add(io.BytesIO(data[:at] + struct.pack("<I", 8) + data[at + 4 :]), "a.zip")
    assert runs.list_runs() == [] and not list(folder.iterdir())


def test_what_desktops_add_is_left_out(folder):
    added = run_archive.add(zipped({**GOOD, "__MACOSX/r/._config.json": b"x", "r/.DS_Store": b"x"}), "a.zip")
    assert [path.name for path in added.iterdir()] == ["config.json"] and runs.state(added) == "new"


def test_what_a_killed_import_left_is_cleared_by_the_next(run, folder):
    old, new = folder / ".incoming-old", folder / ".incoming-new"
    for left in (old, new):
        left.mkdir()
    os.utime(old, (0, 0))
    run_archive.add(io.BytesIO(packed(run)), "mine.zip")
    assert not old.exists() and new.exists(), "the new one may be at work"


def test_a_full_disk_is_a_sentence(folder, monkeypatch):
    monkeypatch.setattr(run_archive.os, "rename", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with refused("No space left"):
        run_archive.add(zipped(GOOD), "a.zip")
    assert list(folder.iterdir()) == []


def test_every_finished_example_passes_the_door(folder):
    """What the trainer writes is what the door lets in: on the runs that travel with the project."""
    for name in ("resnet20-stem7-shapes", "resnet20-cifar10-jpeg"):
        added = run_archive.add(io.BytesIO(packed(checkpoints.BUNDLED / name)), f"{name}.zip")
        assert added.name == name and len(runs.snapshots(added)) == len(runs.snapshots(checkpoints.BUNDLED / name)) > 20
        assert runs.metrics_csv(added) == runs.metrics_csv(checkpoints.BUNDLED / name)


def test_the_door_knows_every_file_that_a_run_keeps():
    kept = ("config.json", "status.json", "metrics.jsonl", "events.jsonl", "gradients.jsonl", "person.json", "README.md",
            "initial.safetensors", "best.safetensors", "last.safetensors", "resume.safetensors", "pictures.safetensors",
            "familiarity.safetensors", "snapshots/00000001.safetensors", "weights/0001.safetensors")
    assert all(map(run_contents.known, kept))
    assert not any(map(run_contents.known, ("snapshots/1.safetensors", "weights/x.safetensors", "best.safetensors\n", "lock")))
    assert json.loads(run_contents.status(b'{"state": "queued"}'))["state"] == "stopped"


def test_the_same_run_gives_the_same_zip_whatever_the_clock_says(run, monkeypatch):
    now = packed(run)
    monkeypatch.setattr(zipfile.time, "time", lambda: 0.0)  # a machine that lost its clock stands in 1970
    monkeypatch.setattr(zipfile.time, "localtime", lambda *_: zipfile.time.gmtime(0))
    assert packed(run) == now


def test_a_zip_written_to_a_path_is_whole_or_not_there(run, tmp_path, monkeypatch):
    (tmp_path / "old.zip").write_bytes(b"old")
    monkeypatch.setattr(run_archive, "_cleaned", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_archive.export(run, tmp_path / "old.zip")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.glob("*old*")] == ["old.zip"] and (tmp_path / "old.zip").read_bytes() == b"old"
    run_archive.export(run, tmp_path / "old.zip")
    assert zipfile.ZipFile(tmp_path / "old.zip").testzip() is None and not list(tmp_path.glob(".*"))


def test_a_name_that_another_server_takes_this_moment_costs_nothing(run, folder, monkeypatch):
    data, rename, met = packed(run), os.rename, []

    def rename_after_another(source, target):
        if not met:
            (target / "theirs").mkdir(parents=True)
        met.append(target.name)
        rename(source, target)

    monkeypatch.setattr(run_archive.os, "rename", rename_after_another)
    assert run_archive.add(io.BytesIO(data), "mine.zip").name == "mine-3" and met == ["mine-2", "mine-3"]
    assert not list(folder.glob(".incoming-*"))
