"""A class on one server: everybody sees what is their own, and soon; and the checks would notice if it were not so."""

import os
import time

import pytest

from resnet_viz import runs
from resnet_viz.training import process

from . import chromium, classroom, load
from .classroom import CHOICES, OWN, Mixed, Student
from .visitor import Visitor

METRICS_S = 5.1  # so long the server repeats what it said of its memory


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The address of a server with nobody else on it."""
    with load.served(tmp_path_factory.mktemp("server")) as (url, _):
        yield url


def test_four_students_see_what_is_their_own(tmp_path):
    result = load.hold(sessions=4, seconds=6, live=1, think_s=0.5, folder=tmp_path)
    assert result["wrong"] == []
    assert result["checks"] >= 8 and result["interactions"]["upload"]["count"] >= 3 and result["interactions"]["look"]["count"] >= 1
    assert not process.running(tmp_path / "runs" / "live") and runs.state(tmp_path / "runs" / "live") == "stopped"


@pytest.mark.hard
def test_a_mix_up_would_be_noticed(alone):
    """A student's screen is held against what another should see: picture, checkpoint, answer, maps and kernels."""
    student = Student(0, 2, alone, 0.0)
    lesson = student.lesson()
    next(lesson), next(lesson)  # opened, and given the picture
    student.check_answer()
    student.number = 1
    with pytest.raises(Mixed, match="sees the picture of"):
        student.check_answer()
    student.number, student.turn = 0, 1
    with pytest.raises(Mixed, match="sees the picture of"):
        student.check_answer()
    student.turn, student.chosen = 0, CHOICES[1]
    with pytest.raises(Mixed, match="was chosen"):
        student.check_checkpoint()
    student.chosen = CHOICES[0]
    student.visitor.go("feature_maps")
    student.visitor.choose("look", "One layer")
    student.check_maps()
    wanted = classroom.truth(CHOICES[0], None, 0, 0).maps
    wanted[3, 1] *= 1.02
    try:
        with pytest.raises(Mixed, match="means and largest values"):
            student.check_maps()
    finally:
        wanted[3, 1] /= 1.02
    student.visitor.go("kernels")
    student.check_kernels()
    norms, _ = classroom.kernels(CHOICES[0])
    norms[5] *= 1.02
    try:
        with pytest.raises(Mixed, match="norms"):
            student.check_kernels()
    finally:
        norms[5] /= 1.02
    student.visitor.close()


@pytest.mark.hard
def test_the_bytes_of_what_was_dropped_are_let_go(alone):
    """The server would keep each upload until the session ends, also those whose uploader is gone."""
    visitor = Visitor(alone).open("predictions")
    kept = lambda: [line for line in visitor.http.get(f"{alone}/_stcore/metrics").text.splitlines() if "UploadedFileManager" in line]
    visitor.upload("open_0", OWN, classroom.own_weights(4))
    visitor.upload("predictions_files_0", "photo.jpg", classroom.picture(1, 0).data)
    time.sleep(METRICS_S)
    assert kept() == [] and visitor.data("predictions_strip")["pictures"][0]["title"] == "photo.jpg"
    visitor.go("errors")
    visitor.upload("errors_upload", "pictures.zip", b"no zip")  # an uploader that stays keeps its file
    time.sleep(METRICS_S)
    assert len(kept()) == 1
    visitor.close()


def test_students_have_different_answers():
    """So that an answer of another's would be seen as such."""
    of_all = [classroom.truth(CHOICES[0], None, student, 0) for student in range(6)]
    assert len({round(one.percent, 2) for one in of_all}) == 6
    own = {student: classroom.truth(OWN, student, 4, 0).label for student in (4, 10, 16)}
    assert len(set(own.values())) == 3  # of one picture, by their own weights


@pytest.mark.hard
def test_a_browser_sees_what_the_visitors_see(alone):
    """One lap, file by file; a browser that sees another picture would be noticed."""
    assert chromium.accompany(alone, time.monotonic())["Chromium: another page"]["count"] == 2


@pytest.mark.hard
@pytest.mark.alone
@pytest.mark.timeout(1200)
def test_thirty_sessions_for_five_minutes(tmp_path, printed):
    seconds = float(os.environ.get("CLASS_SECONDS", 300))
    result = load.hold(sessions=30, seconds=seconds, live=5, think_s=10, folder=tmp_path, beside=chromium.accompany)
    printed(load.table(result))
    assert result["wrong"] == []
    assert min(one["count"] for one in result["beside"].values()) >= 1
    assert result["memory"]["end"] < 1.05 * result["memory"]["warm"]
