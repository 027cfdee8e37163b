"""What a run tells others: a line on a terminal, TensorBoard's event files read by TensorBoard itself, a CSV."""

import csv
import dataclasses
import io

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from resnet_viz import runs
from resnet_viz.__main__ import main
from resnet_viz.number_text import duration
from resnet_viz.training.progress_bar import ProgressBar, line

from .conftest import TINY, train_here

SMALL = dataclasses.replace(TINY, train_limit=150, batch_size=32, tensorboard=True)  # 2 epochs of 5 steps


class Terminal(io.StringIO):
    def isatty(self):
        return True


def curves(run):
    """(tag, step) -> value, as TensorBoard reads them; a damaged record would end its reading."""
    found = EventAccumulator(str(run / "tensorboard"))
    found.Reload()
    points = [(tag, event.step, event.value) for tag in found.Tags()["scalars"] for event in found.Scalars(tag)]
    assert len({point[:2] for point in points}) == len(points), "no point is there twice"
    return {point[:2]: point[2] for point in points}


def check_curves(run):
    rows, found = runs.read_lines(run / "metrics.jsonl"), curves(run)
    assert len(found) == 4 * len(rows) and {row["split"] for row in rows} == {"train", "val", "test"}
    for row in rows:
        for name in ("loss", "accuracy", "lr", "epoch"):
            assert found[f"{name}/{row['split']}", row["step"]] == pytest.approx(row[name], rel=1e-6)


def test_tensorboard_reads_the_curves(tmp_path):
    train_here(SMALL, tmp_path / "run")
    check_curves(tmp_path / "run")


def test_a_continuation_leaves_no_point_twice(tmp_path):
    run = tmp_path / "run"
    train_here(SMALL, run, stop_at=7)
    train_here(SMALL, run)
    check_curves(run)
    assert len(list((run / "tensorboard").iterdir())) == 1


def test_no_event_file_unless_asked_for(finished):
    assert not (finished / "tensorboard").exists()


def test_the_command_writes_them_and_the_csv(tmp_path, capsys):
    run = tmp_path / "run"
    settings = ["--set", "batch_size=32", "train_limit=100", "threads=1", "flip=0.0"]
    assert main(["train", "--tensorboard", "--network", "resnet8", "--data", "digits", "--epochs", "1", *settings, "--out", str(run)]) == 0
    said = capsys.readouterr()
    check_curves(run)
    assert "\r" not in said.err and " left" in said.err, "plain lines where stderr is no terminal"
    assert main(["metrics", str(run)]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    rows = runs.read_lines(run / "metrics.jsonl")
    assert [{key: str(value) for key, value in row.items()} for row in rows] == table
    assert main(["metrics", str(tmp_path)]) == 2


def test_a_bar_says_how_far_how_fast_and_how_long():
    status = {"state": "running", "message": "training", "step": 250, "total_steps": 1000, "images_per_s": 1234.4, "eta_s": 185.0}
    drawn = line(status, 100)
    assert drawn == f"[{'#' * 7}{'-' * 23}]  25% step 250 of 1,000, 1,234 images/s, 3 min 5 s left"
    assert all(len(line(status, width)) <= width for width in range(1, 120))
    assert line({"state": "running", "message": "loading the pictures", "step": 0}, 80) == "loading the pictures"
    assert "paused" in line({**status, "state": "paused", "message": "paused"}, 80)
    assert [duration(s) for s in (5, 59.6, 3599, 7265)] == ["5 s", "1 min 0 s", "59 min 59 s", "2 h 1 min"]


def test_a_terminal_sees_one_line_that_changes_and_whole_lines_above_it(tmp_path):
    run, terminal = tmp_path / "run", Terminal()
    run.mkdir()
    runs.write_json(run / "status.json", {"state": "running", "message": "training", "step": 5, "total_steps": 10})
    with ProgressBar(run, terminal) as bar:
        bar.tell("epoch 1 of 2")
        while "step 5 of 10" not in terminal.getvalue():
            pass
    said = terminal.getvalue()
    assert said.count("\n") == 1 and "\r\033[Kepoch 1 of 2\n" in said and said.endswith("\r\033[K")
