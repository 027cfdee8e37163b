import json

import pytest

from resnet_viz import runs
from resnet_viz.training.config import Config
from resnet_viz.training.control import Control

CONFIG = Config(lr=0.1, schedule="constant", epochs=4)


@pytest.fixture
def control(tmp_path):
    return Control(tmp_path, CONFIG, steps_per_epoch=10)


def order(control, step, command, value=None):
    runs.send(control.run, command, value)
    control.read(step)


def test_pause_and_resume(control):
    assert not control.paused(5)
    order(control, 5, "pause")
    assert control.paused(5)
    order(control, 5, "resume")
    assert not control.paused(5)


def test_one_step_then_pause(control):
    order(control, 5, "pause")
    order(control, 5, "step")
    assert not control.paused(5) and control.paused(6)


def test_one_epoch_then_pause(control):
    order(control, 13, "epoch")
    assert not control.paused(13) and not control.paused(19) and control.paused(20)
    order(control, 20, "epoch")
    assert not control.paused(29) and control.paused(30)


def test_a_stop_ends_a_pause(control):
    order(control, 5, "pause")
    order(control, 5, "stop")
    assert control.stopping and not control.paused(5)


def test_commands_are_applied_in_the_order_given_recorded_and_deleted(control):
    for command, value in (("pause", None), ("lr", 0.2), ("resume", None)):
        runs.send(control.run, command, value)
    control.read(7)
    events = runs.read_events(control.run)
    assert [(e["command"], e["value"], e["step"]) for e in events] == [("pause", None, 7), ("lr", 0.2, 7), ("resume", None, 7)]
    assert all({"id", "time"} <= set(e) for e in events)
    assert not list((control.run / "control").iterdir())


def test_a_rate_set_by_hand_multiplies_the_rest_of_the_schedule(tmp_path):
    control = Control(tmp_path, Config(lr=0.1, schedule="cosine", epochs=4), steps_per_epoch=10)
    before = [control.lr(s) for s in range(40)]
    order(control, 10, "lr", before[10] * 3)
    assert [control.lr(s) for s in range(10)] == before[:10]
    assert [control.lr(s) for s in range(10, 40)] == pytest.approx([3 * r for r in before[10:]])
    order(control, 20, "lr", before[20])  # back to the plan
    assert [control.lr(s) for s in range(20, 40)] == pytest.approx(before[20:])


def test_a_continuation_applies_changes_again_at_their_steps(tmp_path):
    first = Control(tmp_path, CONFIG, steps_per_epoch=10)
    order(first, 12, "lr", 0.5)
    again = Control(tmp_path, CONFIG, steps_per_epoch=10)
    assert [again.lr(s) for s in (11, 12, 39)] == pytest.approx([0.1, 0.5, 0.5])


@pytest.mark.parametrize("value", [None, 0, -1, "fast", float("nan"), float("inf"), True, [1]])
def test_a_senseless_rate_changes_nothing(control, value):
    (control.run / "control").mkdir()
    (control.run / "control" / "1-a.json").write_text(json.dumps({"command": "lr", "value": value}))
    control.read(3)
    assert control.lr(3) == pytest.approx(0.1) and not list((control.run / "control").iterdir())


def test_a_file_that_is_no_command_is_recorded_and_deleted(control):
    (control.run / "control").mkdir()
    (control.run / "control" / "1-a.json").write_bytes(b"\xff not json")
    (control.run / "control" / "2-b.json").write_text('{"command": "explode"}')
    control.read(3)
    assert [e["command"] for e in runs.read_events(control.run)] == ["unreadable", "explode"]
    assert not control.stopping and not control.paused(3)


def test_a_pause_beyond_the_beginning_of_a_continuation_is_kept(tmp_path):
    first = Control(tmp_path, CONFIG, steps_per_epoch=10)
    order(first, 13, "epoch")
    for start in (5, 13, 15):
        again = Control(tmp_path, CONFIG, steps_per_epoch=10, start=start)
        again.read(19)
        assert not again.paused(19) and again.paused(20)
    assert len(runs.read_events(tmp_path)) == 1, "replayed, not recorded again"


def test_continuing_answers_a_pause_and_a_stop_before_it(tmp_path):
    first = Control(tmp_path, CONFIG, steps_per_epoch=10)
    order(first, 12, "pause")
    assert not Control(tmp_path, CONFIG, steps_per_epoch=10, start=12).paused(12)
    order(first, 12, "stop")
    again = Control(tmp_path, CONFIG, steps_per_epoch=10, start=3)
    again.read(12)
    assert not again.paused(12) and not again.stopping


def test_a_pause_that_was_ended_is_not_repeated(tmp_path):
    first = Control(tmp_path, CONFIG, steps_per_epoch=10)
    order(first, 12, "pause")
    order(first, 12, "resume")
    again = Control(tmp_path, CONFIG, steps_per_epoch=10, start=3)
    again.read(12)
    assert not again.paused(12)


def test_the_file_of_a_command_that_a_crash_left_behind_is_not_applied_twice(control):
    order(control, 5, "pause")
    left = runs.read_events(control.run)[0]["id"]
    (control.run / "control" / f"{left}.json").write_text('{"command": "pause", "value": null}')
    again = Control(control.run, CONFIG, steps_per_epoch=10, start=7)
    again.read(7)
    assert not again.paused(7) and not list((control.run / "control").iterdir()) and len(runs.read_events(control.run)) == 1
