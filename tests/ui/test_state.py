"""The sidebar's checkpoint: what is offered, what a link asks for, what an opened file does, good or bad."""

import io
import os
import pickle
import tempfile
from pathlib import Path

import pytest
import streamlit as st
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints, runs
from resnet_viz.networks import zoo
from resnet_viz.ui import state

from ..analysis.conftest import write_run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """No bundled checkpoint and no run; returns the two folders (bundled, runs)."""
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    st.cache_data.clear()
    return tmp_path / "bundled", tmp_path / "runs"


def start(page: str = "inspect/architecture", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app


def open_file(app: AppTest, name: str, data: bytes) -> AppTest:
    number = app.session_state["opened_number"]
    app.file_uploader(key=f"open_{number}").set_value((name, data, "application/octet-stream"))
    app.run()
    assert not app.exception
    return app


def chosen(app: AppTest) -> str:
    return app.sidebar.selectbox[0].value


def foreign(network: str = "resnet20") -> bytes:
    torch.manual_seed(1)
    file = io.BytesIO()
    torch.save(zoo.build(network).state_dict(), file)
    return file.getvalue()


def test_bundled_ones_first_the_default_before_all(folders):
    bundled, own = folders
    write_run(bundled / "a-first-by-name", keep_weights=False)
    write_run(bundled / state.DEFAULT, keep_weights=False)
    write_run(own / "mine", keep_weights=False)
    app = start()
    assert app.sidebar.selectbox[0].options == [state.DEFAULT, "a-first-by-name", "runs/mine"]
    assert chosen(app) == state.DEFAULT


def test_a_run_without_weights_is_not_offered(folders):
    runs.write_config(folders[1] / "queued", {"network": "resnet8"})
    assert not start().sidebar.selectbox


def test_a_link_chooses_the_checkpoint(folders):
    for name in ("one", "two"):
        write_run(folders[1] / name, keep_weights=False)
    for name in ("one", "two"):
        assert chosen(start(checkpoint=f"runs/{name}")) == f"runs/{name}"


@pytest.mark.parametrize("name", ["runs/gone", "/etc/passwd", "../secret"])
def test_a_link_to_what_is_not_here_says_so_and_shows_the_default(folders, name):
    write_run(folders[1] / "mine", keep_weights=False)
    app = start(checkpoint=name)
    assert "which is not here" in app.sidebar.warning[0].value and "runs/mine" in app.sidebar.warning[0].value.replace(
        "\\", ""
    )
    assert chosen(app) == "runs/mine"


def test_a_run_that_is_deleted_while_chosen(folders):
    for name in ("one", "two"):
        write_run(folders[1] / name, keep_weights=False)
    app = start(checkpoint="runs/one")
    runs.delete(folders[1] / "one")
    app.run()
    assert not app.exception and chosen(app) == "runs/two"


def test_weights_that_are_replaced_are_read_again(folders):
    run = write_run(folders[1] / "mine", keep_weights=False)
    app = start()
    assert "for 2 epochs" in app.sidebar.caption[0].value
    best = checkpoints.read(run / "best.safetensors")
    header = {
        "network": "resnet8",
        "arguments": {},
        "epoch": 7,
        "data": "shapes",
        "preprocessing": best.preprocessing.to_dict(),
    }
    checkpoints.write(run / "best.safetensors", best.state, header)
    assert "for 7 epochs" in app.run().sidebar.caption[0].value


def test_a_foreign_file_opens_and_stays_for_the_session(folders):
    app = open_file(start("start/home"), "theirs.pth", foreign())
    assert chosen(app) == "theirs.pth" and "resnet20, 10 classes" in app.sidebar.caption[0].value
    assert "269,722" in [metric.value for metric in app.metric]
    notes = " ".join(caption.value for caption in app.sidebar.caption)
    assert "normalisation" in notes  # what was assumed is said
    app.switch_page("pages/inspect/predictions.py").run()
    assert not app.exception and chosen(app) == "theirs.pth" and app.header[0].value


def test_two_files_one_after_the_other(folders):
    app = open_file(start(), "first.pth", foreign("resnet20"))
    app = open_file(app, "second.pth", foreign("resnet32"))
    assert chosen(app) == "second.pth" and "resnet32" in app.sidebar.caption[0].value
    assert app.sidebar.selectbox[0].options == ["second.pth"]  # one opened file a session: memory is bounded


MARK = Path(tempfile.gettempdir()) / f"resnet-viz-was-here-{os.getpid()}"


class Payload:
    def __reduce__(self):
        return (Path.touch, (MARK,))


BAD = {
    "text.pth": b"just a text",
    "empty.pt": b"",
    "evil.pt": pickle.dumps(Payload()),
    "short.safetensors": save({"a": torch.zeros(3)})[:20],
    "other.safetensors": save({"encoder.weight": torch.zeros(4, 4)}),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_sentence_and_the_old_choice_stays(folders, name):
    write_run(folders[1] / "mine", keep_weights=False)
    app = open_file(start(), name, BAD[name])
    assert len(app.sidebar.error) == 1
    problem = app.sidebar.error[0].value.replace("\\", "")
    assert problem.startswith(name) and "\n" not in problem and len(problem) < 400
    assert chosen(app) == "runs/mine" and "75,290" in [metric.value for metric in app.metric]
    assert not MARK.exists()
    app = open_file(app, "good.pth", foreign())
    assert not app.sidebar.error and chosen(app) == "good.pth"


def test_two_sessions_share_one_network_and_its_lock(written_run):
    one, two = (state.checkpoint_at(written_run / "best.safetensors") for _ in range(2))
    assert one is two
    with state.model_of(one) as model:
        assert not model.training and not any(p.requires_grad for p in model.parameters())
        assert state._shared_model(two).lock.locked()
    assert not state._shared_model(two).lock.locked()
    with state.model_of(two) as again:
        assert again is model


@pytest.fixture(scope="module")
def written_run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "written", keep_weights=False)
