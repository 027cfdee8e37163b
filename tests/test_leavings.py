"""What killed processes left is cleared by the next, and never what somebody is at work on."""

import gc
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resnet_viz import leavings, runs
from resnet_viz.data import fetching

from .refusals import refused

HOLDS = """
import sys, tempfile
from pathlib import Path
from resnet_viz import leavings
with leavings.new_folder(Path(sys.argv[1]), ".incoming-") as folder:
    (folder / "half").write_text("x")
    session = leavings.session_folder()
    print(folder, session.name, flush=True)
    input()
"""


def aged(path: Path, seconds: float) -> Path:
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def half(folder: Path, pid: int, name="best") -> Path:
    path = folder / f".{name}.{pid}.0123abcd.tmp"
    path.write_bytes(b"half")
    return path


@pytest.fixture(scope="module")
def dead():
    """The number of a process that is gone."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


@pytest.mark.parametrize("age, whose, stays", [
    (0, "dead", True), (61, "dead", False), (-61, "dead", False), (61, "ours", True), (3601, "ours", False), (-3601, "ours", False)])
def test_half_written_files_go_with_the_next_write(tmp_path, dead, age, whose, stays):
    left = aged(half(tmp_path, dead if whose == "dead" else os.getpid()), age)
    runs.write_atomic(tmp_path / "other", b"whole")
    assert left.exists() == stays and (tmp_path / "other").read_bytes() == b"whole"


@pytest.mark.parametrize("whose, stays", [("dead", False), ("ours", True)])
def test_half_a_download_goes_with_the_next(tmp_path, dead, whose, stays):
    left = tmp_path / f"data.tar.gz.{dead if whose == 'dead' else os.getpid()}-0123abcd.part"
    left.write_bytes(b"half")
    aged(left, 61)
    with pytest.raises(fetching.Unreachable):
        fetching.fetch((), tmp_path / "other.zip", lambda path: True, "other", None)
    assert [path == left for path in tmp_path.iterdir()] == [True] * stays


def test_a_strangers_hidden_file_stays(tmp_path, dead):
    strangers = [tmp_path / name for name in (".tmp", ".a.tmp", f".a.{dead}.tmp", f".a.{dead}.0123abcd.tmp2", f"a.{dead}.0123abcd.tmp")]
    for path in strangers:
        path.write_bytes(b"x")
        aged(path, 10_000)
    runs.write_atomic(tmp_path / "other", b"whole")
    assert all(path.exists() for path in strangers)


def test_a_name_as_long_as_the_disk_takes_is_written(tmp_path):
    name = "ö" * 127
    runs.write_atomic(tmp_path / name, b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_orders_that_were_half_written_go_when_the_run_starts(tmp_path, dead):
    (tmp_path / "control").mkdir()
    gone, going = half(tmp_path / "control", dead, "1-a.json"), half(tmp_path / "control", os.getpid(), "2-b.json")
    runs.clear_leavings(tmp_path)
    assert not gone.exists() and going.exists()


def test_a_servers_start_clears_what_no_continuation_will(tmp_path, dead, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    run = tmp_path / "lesson" / "run"
    runs.write_config(run, {})
    for left in (half(run, dead, "status.json"), half(tmp_path, dead, ".styles.json")):
        aged(left, 61)
    runs.clear_leavings_everywhere()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["config.json", "lesson", "run"]


def test_folders_live_as_long_as_their_process(tmp_path, monkeypatch):
    monkeypatch.setattr(leavings.tempfile, "tempdir", str(tmp_path / "system"))
    (tmp_path / "system").mkdir()
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], cwd=runs.PROJECT, text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path / "system")})
    folders = [aged(Path(name), 10_000) for name in holder.stdout.readline().split()]

    def clear():
        leavings.clear_folders(tmp_path, ".incoming-")
        leavings.clear_session_folders()
        return [folder.exists() for folder in folders]

    assert clear() == [True, True], "its process is at work"
    holder.kill()
    holder.communicate()
    aged(folders[0], 0)
    assert clear() == [True, False], "a young one may not be locked yet"
    aged(folders[0], 61)
    assert clear() == [False, False]


def test_folders_of_this_process_go_with_their_use(tmp_path, monkeypatch):
    monkeypatch.setattr(leavings.tempfile, "tempdir", str(tmp_path))
    with leavings.new_folder(tmp_path, ".x-") as folder:
        (folder / "file").write_text("x")
    kept = leavings.session_folder()
    assert [path.name for path in tmp_path.iterdir()] == [Path(kept.name).name]
    numbers = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 1
    with pytest.warns(ResourceWarning):
        del kept
        gc.collect()
    assert not list(tmp_path.iterdir())
    assert not os.path.isdir("/proc/self/fd") or len(os.listdir("/proc/self/fd")) == numbers - 1, "its lock is given back"


def test_a_full_disk_for_what_people_drop_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(leavings.tempfile, "tempdir", str(tmp_path))
    kept = leavings.keep("a.zip", b"data")
    assert (Path(kept.name) / "a.zip").read_bytes() == b"data"
    kept.cleanup()
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with refused("a.zip cannot be kept .*No space left"):
        leavings.keep("a.zip", b"data")
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_what_another_thread_is_writing_stays_when_the_clock_jumps(tmp_path, monkeypatch):
    with leavings.replacing(tmp_path / "a") as temporary:
        temporary.write_text("half")
        monkeypatch.setattr(leavings.time, "time", lambda: 4e9)
        leavings.clear_files(tmp_path)
        assert temporary.exists()
    assert (tmp_path / "a").read_text() == "half" and len(list(tmp_path.iterdir())) == 1
