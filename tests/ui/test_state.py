"""The session's checkpoint and its picker: what is offered, what a link asks for, what a file does, good or bad."""

import hashlib
import io
import os
import pickle
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints, corrections, pretrained, runs
from resnet_viz.corrections import Correction
from resnet_viz.networks import zoo
from resnet_viz.ui import networks, picker, state

from ..analysis.conftest import write_run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """No bundled checkpoint, no run, nothing published and nothing set by hand; the two folders (bundled, runs)."""
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("RESNET_VIZ_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
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


def links(app: AppTest) -> list[str]:
    """Labels of the links in the sidebar."""
    return [element.proto.label for element in app.sidebar.get("page_link")]


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
    assumed = app.session_state["opened"]
    checkpoint = checkpoints.read(assumed.path)
    assert checkpoint.assumed and not checkpoint.warnings
    assert links(app) == [f"{len(checkpoint.assumed)} assumptions"]  # which the page behind the link names
    app.switch_page("pages/inspect/predictions.py").run()
    assert not app.exception and chosen(app) == "theirs.pth" and app.header[0].value


def test_two_files_one_after_the_other(folders):
    app = open_file(start(), "first.pth", foreign("resnet20"))
    app = open_file(app, "second.pth", foreign("resnet32"))
    assert chosen(app) == "second.pth" and "resnet32" in app.sidebar.caption[0].value
    assert app.sidebar.selectbox[0].options == ["second.pth"]  # one opened file a session: memory is bounded


def test_the_copy_of_an_opened_file_goes_with_the_next_one(folders):
    app = open_file(start(), "first.pth", foreign("resnet20"))
    first = app.session_state["opened"].path
    assert first.read_bytes() == foreign("resnet20")
    app = open_file(app, "second.pth", foreign("resnet32"))
    assert not first.parent.exists() and app.session_state["opened"].path.is_file()


def test_what_is_set_by_hand_for_an_opened_file_is_applied_at_once(folders):
    def script():
        import streamlit as st

        from resnet_viz.ui import state

        st.json({"std": state.current_checkpoint().preprocessing.std, "key": state.current_key()})

    app = AppTest.from_function(script, default_timeout=60)
    folder = tempfile.TemporaryDirectory()
    opened = state.Opened("theirs.pth", hashlib.sha256(foreign()).hexdigest(), folder)
    opened.path.write_bytes(foreign())
    app.session_state["opened"] = opened
    before = app.run().json[0].value
    corrections.remember(opened.digest, Correction(normalisation="half"))
    now = app.run().json[0].value
    assert now != before and '"std":[0.5' in now.replace(" ", "").replace("\n", "")
    corrections.forget(opened.digest)
    assert '"std":[0.247' in app.run().json[0].value.replace(" ", "").replace("\n", "")


# What lies there without a run, and what is published


def test_a_weights_file_in_the_runs_folder_is_offered(folders):
    write_run(folders[1] / "mine", keep_weights=False)
    (folders[1] / "large.pth").write_bytes(foreign())
    (folders[1] / "notes.txt").write_text("nothing")
    app = start(checkpoint="runs/large.pth")
    assert app.sidebar.selectbox[0].options == ["runs/mine", "runs/large.pth"]
    assert chosen(app) == "runs/large.pth" and "resnet20, 10 classes" in app.sidebar.caption[0].value


def test_one_that_cannot_be_read_is_said_and_another_can_be_chosen(folders):
    write_run(folders[1] / "mine", keep_weights=False)
    (folders[1] / "bad.pth").write_bytes(b"just a text")
    app = start("inspect/kernels", checkpoint="runs/bad.pth")
    assert "bad.pth" in app.error[0].value.replace("\\", "") and "bad.pth" in app.sidebar.caption[0].value
    app.sidebar.selectbox[0].select("runs/mine").run()
    assert not app.exception and not app.error and "resnet8" in app.sidebar.caption[0].value


@pytest.fixture
def published(folders, monkeypatch):
    """ResNet18_Weights.IMAGENET1K_V1 as if it had been published with drawn weights; they are in the cache."""
    content, reference = foreign("resnet18"), "ResNet18_Weights.IMAGENET1K_V1"
    file_name = f"resnet18-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    entry = replace(pretrained.PRETRAINED()[reference], file_name=file_name, url="http://127.0.0.1:9/")
    everything = pretrained.PRETRAINED() | {reference: entry}
    monkeypatch.setattr(pretrained, "PRETRAINED", lambda: everything)
    pretrained.folder().mkdir(parents=True)
    (pretrained.folder() / file_name).write_bytes(content)
    return entry


def test_published_weights_that_are_here_are_offered(published):
    app = start()
    assert app.sidebar.selectbox[0].options == [published.reference] and not links(app)
    lines = app.sidebar.caption[0].value.splitlines()
    assert lines == ["resnet18, 1,000 classes  ", "ImageNet\\-1K, 69.8 % val accuracy"]


def test_published_weights_that_are_damaged_are_named_with_the_cure(published):
    path = pretrained.cached(published)
    path.write_bytes(path.read_bytes()[:1000])
    app = start("inspect/kernels")
    for said in (app.error[0].value, app.sidebar.caption[0].value):
        assert str(path) in said.replace("\\", "") and "delete it" in said


# The architecture page shows what was just chosen


def shown(app: AppTest) -> str:
    return app.main.selectbox(key="network").value


def test_opening_a_file_shows_its_network(folders):
    write_run(folders[1] / "mine", keep_weights=False)
    app = start(network="resnet152")
    assert shown(app) == "resnet152"
    app = open_file(app, "theirs.pth", foreign())
    assert shown(app) == networks.CURRENT and "269,722" in [metric.value for metric in app.metric]
    app.main.selectbox(key="network").select("resnet50").run()
    app.sidebar.selectbox[0].select("runs/mine").run()
    assert shown(app) == networks.CURRENT and "75,290" in [metric.value for metric in app.metric]
    app.main.selectbox(key="network").select("resnet50").run()
    assert shown(app) == "resnet50"  # choosing a network by name still works


def test_choosing_what_cannot_be_read_leaves_the_page_usable(folders):
    write_run(folders[1] / "mine", keep_weights=False)
    (folders[1] / "bad.pth").write_bytes(b"just a text")
    app = start()
    app.sidebar.selectbox[0].select("runs/bad.pth").run()
    assert not app.exception and shown(app) == networks.FALLBACK
    app.sidebar.selectbox[0].select("runs/mine").run()
    assert not app.exception and shown(app) == networks.CURRENT


# Files that cannot be used


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
    assert not MARK.exists() and app.session_state["open_problem"].replace("\\", "") == problem
    diagnosis = app.session_state["open_diagnosis"]  # of what opens and is no network that we know
    assert diagnosis is None if name != "other.safetensors" else not diagnosis.recognised
    app = open_file(app, "good.pth", foreign())
    assert not app.sidebar.error and chosen(app) == "good.pth" and "open_problem" not in app.session_state


def test_another_choice_ends_the_talk_of_a_bad_file(folders):
    for name in ("one", "two"):
        write_run(folders[1] / name, keep_weights=False)
    app = open_file(start(), "text.pth", BAD["text.pth"])
    assert app.sidebar.error
    app.sidebar.selectbox[0].select("runs/one").run()
    assert not app.sidebar.error and "open_diagnosis" not in app.session_state


# The address


def test_the_default_is_in_the_address_too(folders):
    """So that a copied link shows the same after other runs have come."""
    for name in ("one", "two"):
        write_run(folders[1] / name, keep_weights=False)
    app = start()
    assert chosen(app) == "runs/two" and app.query_params["checkpoint"] in ("runs/two", ["runs/two"])
    app.sidebar.selectbox[0].select("runs/one").run()
    assert app.query_params["checkpoint"] in ("runs/one", ["runs/one"])


def test_clearing_the_choice_goes_back_to_the_default(folders):
    for name in ("one", "two"):
        write_run(folders[1] / name, keep_weights=False)
    app = start(checkpoint="runs/one")
    app.sidebar.selectbox[0].set_value(None).run()
    assert not app.exception and chosen(app) == "runs/two"
    assert app.query_params["checkpoint"] in ("runs/two", ["runs/two"])


def test_a_page_chooses_after_the_picker_was_drawn(folders):
    for name in ("one", "two"):
        write_run(folders[1] / name, keep_weights=False)

    def script():
        import streamlit as st

        from resnet_viz.ui import picker, state

        with st.sidebar:
            picker.checkpoint_picker()
        if st.button("choose"):
            state.choose_now("runs/one")
        st.text(state.current_reference())

    app = AppTest.from_function(script, default_timeout=60).run()
    assert app.text[0].value == "runs/two"
    app.button[0].click().run()
    assert app.text[0].value == chosen(app) == "runs/one"


# The lines under the picker


def test_the_lines_under_the_picker(written_run):
    checkpoint = checkpoints.read(written_run / "best.safetensors")
    assert picker.summary(checkpoint) == ["resnet8, 10 classes", "trained on shapes for 2 epochs"]
    judged = replace(checkpoint, metrics={"val_accuracy": 0.9, "test_accuracy": 0.8125}, heads=(168, 11, 7))
    assert picker.summary(judged) == ["resnet8, 168 + 11 + 7 classes", "shapes, 81.2 % test accuracy"]
    assert picker.summary(replace(judged, data=None)) == ["resnet8, 168 + 11 + 7 classes"]


def test_nothing_to_choose_is_no_error(folders):
    app = start("inspect/kernels")
    assert not app.error and "no trained network here yet" in app.info[0].value
    assert [link.proto.label for link in app.main.get("page_link")] == ["Train a network"]


def test_two_sessions_share_one_network_and_its_lock(written_run):
    one, two = (state.checkpoint_at(written_run / "best.safetensors") for _ in range(2))
    assert one is two
    with state.model_of(one) as model:
        assert not model.training and not any(p.requires_grad for p in model.parameters())
        assert state._shared_model(two).copies[0].lock.locked()
    assert not state._shared_model(two).copies[0].lock.locked()
    with state.model_of(two) as again:
        assert again is model


@pytest.fixture(scope="module")
def written_run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "written", keep_weights=False)


def test_one_persons_long_work_does_not_hold_up_the_others(monkeypatch):
    """A second copy is there for them; they take turns with it, and the first is used again when it is free."""
    shared = state.SharedModel(checkpoints.read(checkpoints.find(str(checkpoints.BUNDLED / state.DEFAULT))))
    monkeypatch.setattr(state, "_shared_model", lambda checkpoint: shared)
    monkeypatch.setattr(state, "PATIENCE_S", 0.01)
    with state.model_of(shared.checkpoint) as long:
        with state.model_of(shared.checkpoint) as short:
            assert short is not long
            assert all(torch.equal(a, b) for a, b in zip(short.state_dict().values(), long.state_dict().values()))
            waiting = threading.Thread(target=lambda: found.append(shared.take()))
            found = []
            waiting.start()
            time.sleep(0.1)
            assert not found  # two at a time, for two cores
        waiting.join(5)
        assert found == [shared.copies[1]]
        found[0].lock.release()
    with state.model_of(shared.checkpoint) as again:
        assert again is long
