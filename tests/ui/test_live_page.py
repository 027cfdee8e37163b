"""The training page beside a run that goes on: what it answers now, who looks on, how it starts again, what goes wrong."""

import shutil
import socket
import time

import numpy as np
import psutil
import pytest
from safetensors.numpy import save_file

from resnet_viz import runs
from resnet_viz.networks import zoo
from resnet_viz.training import process
from resnet_viz.ui import viewers
from tests.ui.test_training_page import charts, home, make_run, open_page, words  # noqa: F401 (a fixture)

CLASSES = ["arrow", "circle", "cross", "frame", "heart", "moon", "ring", "square", "star", "triangle"]
LIVE = {"state": "running", "host": socket.gethostname(), "pid": psutil.Process().pid}


def living(**more) -> dict:
    """The status of a run whose process is this one."""
    return {**LIVE, "process_created": psutil.Process().create_time(), "heartbeat": time.time(), **more}


def with_answers(run):
    """Weights, ten pictures, and a last snapshot in which all are right but the last."""
    from resnet_viz import checkpoints

    model = zoo.build("resnet8", {"heads": [10]})
    header = {"network": "resnet8", "arguments": {"heads": [10]}, "classes": CLASSES, "data": "shapes", "seed": 5}
    checkpoints.write(run / "initial.safetensors", model.state_dict(), header)
    pictures = np.random.default_rng(0).integers(0, 256, (10, 3, 32, 32), dtype=np.uint8)
    save_file({"images": pictures, "labels": np.arange(10)[:, None]}, run / "pictures.safetensors")
    said = np.where(np.arange(10) < 9, np.arange(10), 0)
    probabilities = np.full((10, 10), 0.05, np.float32)
    probabilities[np.arange(10), said] = 0.55
    confusion = np.diag(np.full(10, 9))
    confusion[9, 0], confusion[9, 9] = 4, 5
    weights = np.ones((8, 3, 3, 3), np.float16)
    save_file(
        {"conv1.weight": weights, "probabilities": probabilities, "confusion": confusion},
        run / "snapshots" / "00000020.safetensors",
        metadata={"epoch": "2", "step": "20", "images": "2560", "lr": "0.1", "val_images": "90"},
    )
    return run


def sent(at, kind: str) -> dict:
    """The data of one of the two displays of answers."""
    import json

    found = [json.loads(element.proto.json) for element in at.get("bidi_component") if element.proto.json]
    return next(data for data in found if data.get("kind") == kind)


# What the run answers now


def test_the_ten_pictures_and_the_confusion_are_those_of_the_last_snapshot(home):  # noqa: F811
    with_answers(make_run(home))
    at = open_page()
    assert not at.exception and not at.error
    pictures, confusion = sent(at, "pictures"), sent(at, "confusion")
    assert pictures["labels"] == list(range(10)) and pictures["classes"] == CLASSES
    assert pictures["bars"][9][0] == 0.55 and pictures["bars"][0][:2] == [0.55, 0.05]
    assert pictures["alt"] == "9 of 10 are right; triangle is taken for arrow."
    assert confusion["counts"][9] == [4, 0, 0, 0, 0, 0, 0, 0, 0, 5]
    told = [text.value.replace("\u00a0", " ") for text in at.markdown]
    assert "**Ten test pictures** at step 20: 9 right" in told
    assert any("after epoch 2: 90 validation pictures, 95.6 % right; most often triangle is taken for arrow" in text for text in told)


def test_a_run_without_a_snapshot_or_without_weights_shows_no_answers(home):  # noqa: F811
    run = make_run(home)
    assert "Ten test pictures" not in str([text.value for text in open_page().markdown]), "no weights tell the classes"
    with_answers(run)
    shutil.rmtree(run / "snapshots")
    at = open_page()
    assert not at.exception and charts(at)["Loss"]["lines"]


# Start again


@pytest.mark.parametrize("key, same", [("same_start", True), ("other_start", False)])
def test_a_run_starts_again_from_the_same_start_or_with_new_dice(home, monkeypatch, key, same):  # noqa: F811
    begun = []
    monkeypatch.setattr(process, "_spawn", begun.append)
    old = runs.read_config(make_run(home))
    at = open_page()
    at.button(key=key).click().run()
    assert not at.exception and len(begun) == 1
    new = runs.read_config(begun[0])
    assert {name for name in new if new[name] != old[name]} == (set() if same else {"seed"})
    assert at.query_params["run"] == f"runs/{begun[0].name}"


def test_a_run_of_another_device_starts_again_on_the_one_that_is_here(home, monkeypatch):  # noqa: F811
    begun = []
    monkeypatch.setattr(process, "_spawn", begun.append)
    run = make_run(home)
    runs.write_config(run, {**runs.read_config(run), "device": "mps"})
    open_page().button(key="same_start").click().run()
    assert runs.read_config(begun[0])["device"] in ("cpu", "cuda")


def test_a_recipe_of_a_newer_version_is_a_sentence(home):  # noqa: F811
    run = make_run(home)
    runs.write_config(run, {**runs.read_config(run), "version": 99})
    at = open_page().button(key="same_start").click().run()
    assert not at.exception and "version 99" in at.toast[0].value


# Who looks on


@pytest.mark.parametrize("count, pause", [(1, 1), (2, 4), (3, 6), (4, 8), (6, 12), (10, 20), (500, 20)])
def test_several_browsers_together_look_every_other_second_at_most(count, pause):
    assert viewers.pause_for(count) == pause
    assert count == 1 or pause == 20 or count / pause <= viewers.LOOKS_PER_S


def test_a_browser_that_looks_no_more_is_forgotten():
    there = viewers.Viewers()
    assert [there.look("one", 1, 0), there.look("two", 1, 0.5), there.look("one", 1, 1)] == [1, 2, 2]
    assert there.look("one", 1, 20) == 1, "the other tab was closed"


def test_the_page_says_that_it_looks_more_rarely_because_others_look_too(home, monkeypatch):  # noqa: F811
    crowd = viewers.Viewers()
    monkeypatch.setattr(viewers, "_viewers", lambda: crowd)
    make_run(home, **living(memory_bytes=612 * 2**20, gpu_memory_bytes=3 * 2**30, images_per_s=1234.4, eta_s=61))
    at = open_page()
    assert not [caption.value for caption in at.caption if "browsers look" in caption.value]
    assert "1,234 images/s" in words(at) and "1 min 1 s left" in words(at)
    assert "612 MiB memory, 3,072 MiB of the GPU" in words(at)
    for number in range(6):
        crowd.look(str(number), 60, time.monotonic())
    told = [caption.value for caption in open_page().caption if "browsers look" in caption.value]
    assert len(told) == 1 and told[0].startswith("8 browsers") and "every 20 s" in told[0]


# What goes wrong


def test_a_killed_trainer_is_told_with_the_time_and_an_offer(home):  # noqa: F811
    make_run(home, **living(pid=2**22 - 1, heartbeat=1_000_000_000))
    at = open_page()
    assert "ended without a word" in at.error[0].value and "September 2001" in at.error[0].value
    assert at.button(key="continue").label == "Continue"


def test_a_full_disk_is_the_trainers_own_sentence(home):  # noqa: F811
    run = make_run(home, state="failed", message="The disk that holds the run one is full; free some space and continue it.")
    at = open_page()
    assert len(at.error) == 1 and "is full; free some space and continue it. Nothing was saved yet" in at.error[0].value
    (run / "resume.safetensors").write_bytes(b"")
    assert "What it had saved is kept; Continue goes on from there" in open_page().error[0].value


def test_a_disk_too_full_for_an_order_is_a_sentence(home, monkeypatch):  # noqa: F811
    make_run(home, **living())
    at = open_page()
    monkeypatch.setattr(runs, "write_atomic", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    at.button(key="hold").click().run()
    assert not at.exception and "cannot be told to pause" in at.toast[0].value and "No space left on device" in at.toast[0].value


def test_a_run_that_is_deleted_while_it_is_watched_is_told_and_another_one_shown(home):  # noqa: F811
    make_run(home, "other")
    run = make_run(home, "watched", **living())
    at = open_page(run="runs/watched")
    assert words(at).startswith("**Running**")
    shutil.rmtree(run)
    at.run()
    assert not at.exception and not at.toast
    assert "watched that you watched was deleted or moved" in at.warning[0].value.replace("\\", "")
    assert words(at).startswith("**Finished**") and at.query_params["run"] == "runs/other"
    at.selectbox(key="run_picker").set_value("runs/other").run()
    assert at.warning, "it stays until something else is chosen"


def test_a_pause_for_a_run_that_was_deleted_this_moment_is_a_sentence(home):  # noqa: F811
    make_run(home, "other")
    run = make_run(home, "watched", **living())
    at = open_page(run="runs/watched")
    shutil.rmtree(run)
    at.button(key="hold").click().run()
    assert not at.exception and "not there any more" in at.toast[0].value


def test_a_clock_that_was_set_back_is_told_and_nothing_else_breaks(home):  # noqa: F811
    make_run(home, **living(heartbeat=time.time() + 3600))
    at = open_page()
    assert not at.exception and len(at.warning) == 1
    assert "clock of this computer is" in at.warning[0].value and "behind this run's last sign of life" in at.warning[0].value
    assert charts(at)["Loss"]["lines"] and words(at).startswith("**Running**")
