"""An exam under way: what is answered stays when it is stopped, the rest follows, and changed files are other data."""

import os

import pytest
import torch

from resnet_viz import checkpoints
from resnet_viz.analysis import errors
from resnet_viz.ui import error_exam
from resnet_viz.ui.error_exam import Sitting

from ..analysis.conftest import write_run


class Stopped(Exception):
    """What a click on Stop does to the script."""


@pytest.fixture
def checkpoint(tmp_path):
    return checkpoints.read(write_run(tmp_path / "mine", keep_weights=False) / "best.safetensors")


@pytest.fixture
def sitting(monkeypatch):
    monkeypatch.setattr(errors, "batch_of", lambda recipe: 4)
    images = torch.randint(0, 256, (10, 3, 32, 32), dtype=torch.uint8)
    return Sitting("key", errors.Exam(images, torch.zeros(10, 1, dtype=torch.long), torch.arange(10), ()))


def test_what_is_answered_stays_and_the_rest_follows(checkpoint, sitting):
    def stop(fraction, text):
        assert text == "4 of 10 pictures asked" and fraction == pytest.approx(0.4)
        raise Stopped

    with pytest.raises(Stopped):
        error_exam._answer(checkpoint, sitting, 10, stop)
    assert sitting.done == 4 and sitting.seconds > 0 and not sitting.lock.locked()
    seen = []
    error_exam._answer(checkpoint, sitting, 6, lambda fraction, text: seen.append(text))
    assert sitting.done == 10 and seen == ["8 of 10 pictures asked", "10 of 10 pictures asked"]
    whole = errors.ask(checkpoints.model(checkpoint), sitting.exam.images, checkpoint.preprocessing)
    assert torch.allclose(errors.joined(sitting.parts).logits, whole.logits, atol=1e-4)


def test_a_second_session_finds_a_batch_done(checkpoint, sitting, monkeypatch):
    asked = []
    ask = errors.ask
    monkeypatch.setattr(errors, "ask", lambda model, images, recipe:
                        asked.append(len(images)) or ask(model, images, recipe))

    def meanwhile(fraction, text):
        if sitting.done == 4:  # the other one answers the second batch
            error_exam._answer(checkpoint, sitting, 4, lambda fraction, text: None)

    error_exam._answer(checkpoint, sitting, 10, meanwhile)
    assert asked == [4, 4, 2]


def test_changed_files_are_other_data(tmp_path):
    folder = tmp_path / "test" / "cat"
    folder.mkdir(parents=True)
    first = error_exam._stamp(str(tmp_path))
    (folder / "one.png").write_bytes(b"x")
    os.utime(folder, ns=(2**62, 2**62))  # whatever the clock's grain: a file came later
    second = error_exam._stamp(str(tmp_path))
    (tmp_path / "test" / "dog").mkdir()
    os.utime(folder, ns=(2**62, 2**62))
    assert len({first, second, error_exam._stamp(str(tmp_path))}) == 3
    zipped = tmp_path / "a.zip"
    zipped.write_bytes(b"x")
    small = error_exam._stamp(str(zipped))
    zipped.write_bytes(b"xy")
    assert error_exam._stamp(str(zipped)) != small
    assert error_exam._stamp("shapes") == error_exam._stamp(str(tmp_path / "nothing")) == ""
