"""The log: one JSON object a line, in files of a named size, shared by processes, and never in the way."""

import json
import logging
import subprocess
import sys
import threading

import pytest

from resnet_viz import logs
from resnet_viz.runs import PROJECT

KEYS = {"time", "level", "process", "pid", "session", "where", "what"}
log = logging.getLogger("resnet_viz.somewhere")


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """This process keeps a log in tmp_path/logs; returns a function that reads a process's lines."""
    monkeypatch.setenv(logs.FOLDER, str(tmp_path / "logs"))
    hooks, loggers = (sys.excepthook, threading.excepthook), [logging.getLogger(name) for name in (logs.PACKAGE, "asyncio")]
    before = [(logger.level, logger.propagate, list(logger.handlers)) for logger in loggers]
    logs.begin("server")
    yield lambda process="server": [json.loads(line) for line in (tmp_path / "logs" / f"{process}.log").read_text().splitlines()]
    sys.excepthook, threading.excepthook = hooks
    for logger, (level, propagate, handlers) in zip(loggers, before):
        for handler in set(logger.handlers) - set(handlers):
            handler.close()
        logger.level, logger.propagate, logger.handlers = level, propagate, handlers


def test_a_line_is_one_json_object_whatever_is_said(kept):
    log.info("a name with\na break, a \u202e turn and a \x1b[31m colour", extra={"session": "0a1b2c3d"})
    log.debug("not kept")
    (line,) = kept()
    assert set(line) == KEYS and line["what"].startswith("a name with\na break") and line["session"] == "0a1b2c3d"
    assert line["level"] == "INFO" and line["process"] == "server" and line["time"].endswith("Z")
    assert line["where"].startswith("tests/test_logs.py:test_a_line_is_one_json_object_whatever_is_said:")


def test_an_exception_brings_its_trace_but_no_long_text(kept, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    try:
        raise KeyError(f"{tmp_path}/somebody/secret.png " + "content of a file " * 1000)
    except KeyError as error:
        log.error("it broke", exc_info=error)
    text = (tmp_path / "logs" / "server.log").read_text()
    (line,) = kept()
    assert line["error"]["kind"] == "KeyError" and "raise KeyError" in line["error"]["trace"]
    assert len(text) < 12_000 and "somebody" not in line["error"]["message"] and "~/secret.png" in line["error"]["message"]


def test_files_rotate_at_their_size_and_the_oldest_go(kept, monkeypatch, tmp_path):
    (handler,) = [one for one in logging.getLogger(logs.PACKAGE).handlers if isinstance(one, logs._Shared)]
    monkeypatch.setattr(handler, "maxBytes", 2_000)
    for number in range(200):
        log.info("line %d", number)
    files = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert files == ["server.log", *(f"server.log.{i}" for i in range(1, logs.OLD + 1))]
    assert all(path.stat().st_size <= 2_000 for path in (tmp_path / "logs").iterdir())
    assert kept()[-1]["what"] == "line 199"


WRITES = """
import logging, sys
from resnet_viz import logs
logs.FILE_BYTES = 20_000
logs.begin("training")
for number in range(150):
    logging.getLogger("resnet_viz").info("%s says %d", sys.argv[1], number)
"""


def test_several_processes_share_one_file_and_lose_no_line(tmp_path, monkeypatch):
    monkeypatch.setenv(logs.FOLDER, str(tmp_path))
    writers = [subprocess.Popen([sys.executable, "-c", WRITES, name], cwd=PROJECT) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    files = list(tmp_path.iterdir())
    assert 4 <= len(files) <= logs.OLD + 1  # 450 lines of about 190 bytes: it rotated, and nothing fell off the end
    said = [json.loads(line)["what"] for path in files for line in path.read_text().splitlines()]
    assert sorted(said) == sorted(f"{name} says {number}" for name in "abc" for number in range(150))


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(logs.FOLDER, str(tmp_path / "file" / "logs"))
    handler = logs._Shared(logs.place_of("server"), delay=True)
    handler.handle(logging.LogRecord("resnet_viz", logging.INFO, __file__, 1, "said to nobody", (), None))
    monkeypatch.setenv(logs.FOLDER, "/dev/full/logs")
    handler = logs._Shared("/dev/full", delay=True)
    for _ in range(3):
        handler.handle(logging.LogRecord("resnet_viz", logging.INFO, __file__, 1, "the disk is full", (), None))
    assert capsys.readouterr() == ("", "")


def test_what_ends_a_thread_is_in_the_log_and_where_it_always_was(kept, monkeypatch):
    heard = []
    monkeypatch.setattr(threading, "excepthook", heard.append)
    for _ in range(3):
        logs.begin("server")  # again and again: never one hook upon the other
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    assert [line["error"]["kind"] for line in kept()] == ["ZeroDivisionError"] and len(heard) == 1


def test_an_unknown_process_is_a_bug():
    with pytest.raises(ValueError, match="known are"):
        logs.begin("kitchen")


BREAKS = "import runpy, sys\nfrom resnet_viz.commands import networks\nimport resnet_viz.__main__ as app\n" \
         "from resnet_viz import logs\nlogs.begin('command')\n" \
         "app.COMMANDS['networks'] = (lambda options: 1 / 0, app.json_flag)\nsys.exit(app.main(['networks']))"


def test_a_fault_of_a_command_stays_visible_and_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv(logs.FOLDER, str(tmp_path))
    ended = subprocess.run([sys.executable, "-c", BREAKS], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1 and "ZeroDivisionError" in ended.stderr
    (line,) = [json.loads(line) for line in (tmp_path / "command.log").read_text().splitlines()]
    assert line["error"]["kind"] == "ZeroDivisionError" and line["process"] == "command"


def test_a_training_says_when_it_begins_and_how_it_ends(tmp_path, monkeypatch):
    monkeypatch.setenv(logs.FOLDER, str(tmp_path))
    ended = subprocess.run([sys.executable, "-m", "resnet_viz.training", str(tmp_path / "nothing")], cwd=PROJECT, timeout=60,
                           capture_output=True)
    assert ended.returncode == 2 and not (tmp_path / "training.log").exists()  # there was no run to speak of
    run = tmp_path / "one"
    run.mkdir()
    (run / "config.json").write_text('{"network": "resnet8", "nonsense": 1}')
    ended = subprocess.run([sys.executable, "-m", "resnet_viz.training", str(run)], cwd=PROJECT, timeout=100, capture_output=True)
    assert ended.returncode == 2
    said = [json.loads(line) for line in (tmp_path / "training.log").read_text().splitlines()]
    assert [line["level"] for line in said] == ["INFO", "WARNING"] and "training of one begins" in said[0]["what"]
    assert "nonsense" in said[1]["what"]
