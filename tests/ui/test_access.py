"""Read-only mode: every function of ui that writes for a person asks first, and no page offers what would be refused."""

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from resnet_viz import corrections, pretrained, runs
from resnet_viz.problems import Problem
from resnet_viz.training import process
from resnet_viz.training.config import Config
from resnet_viz.ui import access
from resnet_viz.ui import pretrained as ui_pretrained
from resnet_viz.ui import runs as ui_runs

from ..pages.test_every_page import open_page
from ..test_imports import MODULES, PROJECT, imports, in_rooms, name_of

WRITERS = {  # what changes something for others than the person's own session
    "resnet_viz.runs": {"send", "delete", "write_atomic", "write_json", "write_config", "append", "new_directory",
                        "cut_after", "clear_leavings", "clear_leavings_everywhere", "write_race"},
    "resnet_viz.training.process": {"create", "start", "resume"},
    "resnet_viz.training.race": {"start", "send", "resume"},
    "resnet_viz.run_marks": {"write"},
    "resnet_viz.run_bin": {"throw_away", "bring_back", "empty"},
    "resnet_viz.training.run_archive": {"add"},
    "resnet_viz.corrections": {"remember", "forget"},
    "resnet_viz.pretrained": {"fetch"},
    "resnet_viz.analysis.landscape_process": {"start", "stop"},
    "resnet_viz.analysis.resource_measurement": {"events"},  # real training steps
}
ASKED_BEFORE = {
    ("resnet_viz.ui.pretrained", "_run"),  # the thread that _start begins
    ("resnet_viz.ui.startup", "before_the_first_visitor"),  # for nobody: what killed processes left half written
    ("resnet_viz.ui.state", "_checked"),  # of a file that is here
}
DOORS = ("access.check_may_change", "check_may_change")


def test_who_may_change_things(monkeypatch):
    for value, may in ((None, True), ("", True), ("0", True), ("1", False), ("true", False), ("no", False)):
        if value is None:
            monkeypatch.delenv(access.READONLY, raising=False)
        else:
            monkeypatch.setenv(access.READONLY, value)
        assert access.may_change() is may
        if may:
            access.check_may_change()
        else:
            with pytest.raises(Problem, match="read-only"):
                access.check_may_change()


# What may be read


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """runs/ and data/ in a folder of their own; beside them what is nobody's business."""
    for name in ("runs", "data"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"RESNET_VIZ_{name.upper()}", str(tmp_path / name))
    (tmp_path / "runs-of-another").mkdir()
    (tmp_path / "secret.zip").write_bytes(b"PK")
    (tmp_path / "data" / "way-out").symlink_to(tmp_path)
    return tmp_path


OUTSIDE = ("{0}/secret.zip", "{0}/no-such-file", "{0}/runs-of-another", "{0}/data/../secret.zip", "{0}/data/way-out/secret.zip",
           "/etc/passwd", "../../etc/passwd", "~", "~root/x", "~nobody-here/x", "", "\0", "x" * 5_000, "app.py", "{0}")


@pytest.mark.parametrize("made_open", [{"RESNET_VIZ_READONLY": "1"}, {"RESNET_VIZ_PASSWORD": "sesame"}])
def test_strangers_name_paths_of_the_apps_own_folders_only(folders, monkeypatch, made_open):
    for name, value in made_open.items():
        monkeypatch.setenv(name, value)
    said = set()
    for path in OUTSIDE:
        with pytest.raises(Problem) as caught:
            access.check_may_read(path.format(folders))
        said.add(str(caught.value))
    assert len(said) == 1  # the same, whether there is such a file or not
    for path in ("shapes", "{0}/data", "{0}/data/pets.zip", "{0}/runs/x/../y", str(access.checkpoints.BUNDLED / "resnet20-cifar10-jpeg")):
        access.check_may_read(path.format(folders))


def test_at_home_every_path_may_be_typed(folders, monkeypatch):
    for name in ("RESNET_VIZ_READONLY", "RESNET_VIZ_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    assert not access.open_to_others()  # server.address of .streamlit/config.toml
    access.check_may_read("/etc/passwd")


def test_a_recipe_of_strangers_names_no_other_path(folders, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_PASSWORD", "sesame")
    for config in (None, {}, {"data": "shapes", "start_from": None}, {"start_from": "resnet20-cifar10-jpeg"},
                   {"start_from": "ResNet18_Weights.IMAGENET1K_V1"}, {"start_from": f"{folders}/runs/mine"}):
        access.check_recipe(config)
    for config in ({"data": "/etc"}, {"start_from": "/etc/passwd"}, {"start_from": "/tmp/A_Weights.B"}, {"data": ["/etc"]}):
        with pytest.raises(Problem, match="Other people"):
            access.check_recipe(config)
    run = folders / "runs" / "imported"
    runs.write_config(run, Config(network="resnet8").to_dict() | {"data": "/etc"})
    for attempt in (lambda: ui_runs.resume_run(run), lambda: ui_runs.start_run(Config(network="resnet8", data="/etc"))):
        with pytest.raises(Problem, match="Other people"):
            attempt()


@pytest.mark.parametrize(("page", "link"), [("inspect/errors", {"of": "/etc"}), ("inspect/surgery", {"surgery_data": "/etc"}),
                                            ("inspect/channels", {"among": "/etc/passwd"})])
def test_a_link_of_a_stranger_reads_nothing_elsewhere(folders, monkeypatch, page, link):
    monkeypatch.setenv("RESNET_VIZ_READONLY", "1")
    app = open_page(page, checkpoint="../../../etc/passwd", run="../../etc", **link)
    said = [error.value for error in app.error]
    assert any("only data sets, and paths inside" in text for text in said) and not app.exception
    assert "passwd" in app.sidebar.warning[0].value and app.sidebar.selectbox[0].value == "resnet20-cifar10-jpeg"


READS = {"sources.load", "errors.exam", "measurement.measure", "landscape_process.start"}  # whose argument may be a path
NAMES_ONLY = {"batch_mates", "kernels_patches", "overfitting_dropout"}  # from a closed list


def test_whatever_reads_a_typed_path_asks_first():
    """Every module of ui that hands a path on also has the rule in it, itself or by path_of."""
    silent = []
    for path in in_rooms("ui"):
        parts = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)}
        asks = any(part.endswith(("check_may_read", "path_of")) for part in parts)
        if parts & READS and not asks and path.stem not in NAMES_ONLY:
            silent.append(path.stem)
    assert silent == []


# The code


def written(path: Path) -> dict[str, set[str]]:
    """Function of a module (the outermost) -> the writers that it names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {}  # how this module calls a writer, e.g. "runs.send", "analysis.events", "send"
    package = name_of(path).rpartition(".")[0].split(".")
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            here = alias.asname or alias.name
            names |= {f"{here}.{writer}": writer for writer in WRITERS.get(f"{module}.{alias.name}", ())}
            names |= {here: alias.name} if alias.name in WRITERS.get(module, ()) else {}
    found = {}
    for function in tree.body:
        parts = {ast.unparse(node) for node in ast.walk(function) if isinstance(node, ast.Attribute | ast.Name)}
        if parts & set(names) and not isinstance(function, ast.Import | ast.ImportFrom):
            found[getattr(function, "name", f"line {function.lineno}")] = parts & set(names) | (parts & set(DOORS))
    return found


def test_the_reader_of_writers_finds_them():
    found = {function: parts for path in in_rooms("ui") for function, parts in written(path).items()}
    assert {"order", "resume_run", "start_run", "remove_run", "_save", "_forget", "_work"} <= set(found)
    assert "runs.send" in found["order"]
    assert set(WRITERS) <= MODULES
    imported = {module for path in in_rooms("ui") for module in imports(path)}
    assert set(WRITERS) <= imported, "a module that ui does not use any more"


def test_who_writes_for_a_person_asks_first():
    silent = [(name_of(path), function) for path in in_rooms("ui", "pages", "app")
              for function, parts in written(path).items() if not parts & set(DOORS)]
    assert sorted(silent) == sorted(ASKED_BEFORE)


def test_pages_write_nothing_themselves():
    assert [str(path.relative_to(PROJECT)) for path in in_rooms("pages", "app") if written(path)] == []


# The rule itself


@pytest.fixture
def viewer(tmp_path, monkeypatch):
    """Read-only mode; returns the folder of runs."""
    monkeypatch.setenv(access.READONLY, "1")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    return tmp_path


def test_every_way_to_a_run_is_refused(viewer, monkeypatch):
    monkeypatch.setattr(process, "_spawn", lambda run: pytest.fail("a process was started"))
    run = viewer / "one"
    runs.write_config(run, Config(network="resnet8").to_dict())
    for attempt in (lambda: ui_runs.start_run(Config(network="resnet8")), lambda: ui_runs.resume_run(run),
                    lambda: ui_runs.remove_run(run)):
        with pytest.raises(Problem, match="read-only"):
            attempt()
    ui_runs.order(run, "stop")  # a callback: it says so in passing
    assert sorted(path.name for path in viewer.iterdir()) == ["one"]
    assert sorted(path.name for path in run.iterdir()) == ["config.json"]


def test_a_button_that_was_pressed_too_late_is_one_sentence(viewer):
    """The server came back read-only while the page with its buttons was open."""

    def page():
        import streamlit as st

        from resnet_viz import runs
        from resnet_viz.ui.runs import order

        st.button("Stop", on_click=order, args=(runs.root() / "one", "stop"))

    runs.write_config(viewer / "one", Config(network="resnet8").to_dict())
    app = AppTest.from_function(page).run()
    app.button[0].click().run()
    assert not app.exception
    assert "read-only" in app.session_state[ui_runs.PROBLEM]
    assert not (viewer / "one" / "control").exists()


def test_published_weights_are_not_downloaded(viewer, monkeypatch):
    monkeypatch.setattr(pretrained, "fetch", lambda *rest: pytest.fail("a download began"))
    with pytest.raises(Problem, match="read-only"):
        ui_pretrained._start(next(iter(pretrained.PRETRAINED().values())))


def test_nothing_is_set_by_hand(viewer, monkeypatch):
    for name in ("remember", "forget"):
        monkeypatch.setattr(corrections, name, lambda *rest: pytest.fail("something was kept"))

    def page():
        from types import SimpleNamespace

        from resnet_viz.ui import corrections

        file = SimpleNamespace(digest="0" * 64, undecided={}, heads=(10,))
        corrections.popover(file)
        corrections._save(file, {})
        corrections._forget(file)

    app = AppTest.from_function(page).run()
    assert not app.exception and not app.button
    assert ["read-only" in caption.value for caption in app.caption] == [True]
    assert "read-only" in app.session_state.by_hand_problem
