"""The rooms of the house: who may import whom, read off every import, and what stays out of the training process."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from resnet_viz.runs import PROJECT

SOURCES = sorted([*PROJECT.glob("resnet_viz/**/*.py"), *PROJECT.glob("pages/**/*.py"), PROJECT / "app.py"])
EVERYTHING = [*SOURCES, *sorted(PROJECT.glob("tests/**/*.py"))]
FLOORS = (  # whoever stands higher may import what stands lower, never the other way
    {"problems", "versions", "number_text", "as_found"},
    {"leavings"},
    {"networks", "data"},
    {"runs", "checkpoints", "doctor", "tensor_files", "tensor_names", "evaluation", "pretrained", "corrections",
     "export", "new_lines", "run_marks", "run_bin", "beginnings", "familiarity", "logs", "pickle_work"},
    {"training", "analysis", "drawing"},
    {"ui"},
    {"training_speed", "live_page_speed", "looking_speed"},
    {"bench"},
    {"commands"},
    {"pages", "app", "__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
NEIGHBOURS = FLOORS[3]  # these few modules may import one another; the rooms of the other floors do not
OPENS_FILES = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "imread", "memmap", "fromfile"}
HEAVY = {"torchvision", "sklearn", "skimage", "PIL", "streamlit", "plotly", "captum", "pandas", "scipy", "matplotlib"}


def name_of(path: Path) -> str:
    """Dotted name of a source file, e.g. resnet_viz.ui.page or pages.start.home."""
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path) for path in SOURCES}


def room_of(module: str) -> str | None:
    """The room a module of this project is in; None for the package itself and for everybody else's modules."""
    first, *rest = module.split(".")
    if first in ("pages", "app"):
        return first
    return rest[0] if first == "resnet_viz" and rest else None


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


@cache
def imports(path: Path) -> list[str]:
    """Dotted names of all that a file imports, wherever; `from x import y` counts as x.y if that is a module here."""
    package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
            found += [name if name in MODULES or not node.module else module for name in names]
    return found


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def in_rooms(*rooms: str) -> list[Path]:
    return [path for path in SOURCES if room_of(name_of(path)) in rooms]


def where(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def test_the_reader_of_imports_reads_them():
    """So that nothing below passes because nothing was found."""
    loop = set(imports(PROJECT / "resnet_viz" / "training" / "loop.py"))
    assert {"resnet_viz.analysis.gradients", "resnet_viz.runs", "torch"} <= loop
    assert {"resnet_viz.training.terminal", "argparse"} <= {module for path in in_rooms("commands") for module in imports(path)}
    assert {"resnet_viz.ui.picker", "streamlit"} <= set(imports(PROJECT / "app.py"))
    assert [room_of(name) for name in ("resnet_viz.ui.page", "pages.start.home", "torch.nn")] == ["ui", "pages", None]
    assert len(in_rooms("ui")) > 5 and len(in_rooms("pages")) > 4
    for here, module in (("networks", "resnet_viz.data.sources"), ("training", "resnet_viz.analysis.kernels"),
                         ("runs", "resnet_viz.ui.page"), ("analysis", "resnet_viz.training.config"),
                         ("ui", "pages.start.home")):
        assert not may_import(here, module)


def test_every_file_is_in_a_known_room():
    assert [where(path) for path in SOURCES if room_of(name_of(path)) not in {None, *FLOOR}] == []


def may_import(here: str | None, module: str) -> bool:
    there = room_of(module)
    if there in (None, here) or FLOOR[there] < FLOOR[here] or {here, there} <= NEIGHBOURS:
        return True
    return (here, module) == ("training", "resnet_viz.analysis.gradients")  # the view that only the trainer can record


def test_imports_go_downwards():
    assert [f"{where(path)} imports {module}" for path in SOURCES for module in imports(path)
            if not may_import(room_of(name_of(path)), module)] == []


@pytest.mark.parametrize(("package", "rooms"), [("streamlit", ("ui", "pages", "app")), ("captum", ("analysis", "looking_speed")),
                                                ("plotly", ("drawing", "ui"))])
def test_who_may_import_what(package, rooms):
    users = [path for path in SOURCES if package in {module.split(".")[0] for module in imports(path)}]
    assert [where(path) for path in users if path not in in_rooms(*rooms)] == []


def test_pages_and_drawing_know_no_torch_and_open_no_file():
    for path in in_rooms("pages", "drawing", "app"):
        packages = {module.split(".")[0] for module in imports(path)}
        assert not packages & {"torch", "torchvision", "safetensors"}, where(path)
        nodes = ast.walk(tree_of(path))
        names = {getattr(node, "id", None) or getattr(node, "attr", None) for node in nodes}
        assert not OPENS_FILES & names, where(path)


def test_drawing_takes_arrays_and_nothing_of_this_project():
    rooms = {room_of(module) for path in in_rooms("drawing") for module in imports(path)}
    assert rooms <= {None, "drawing", "problems"}


def test_inside_the_package_imports_are_relative():
    for path in SOURCES:
        if not where(path).startswith("resnet_viz"):
            continue
        for node in ast.walk(tree_of(path)):
            absolute = node.module or "" if isinstance(node, ast.ImportFrom) and not node.level else ""
            assert not absolute.startswith(("resnet_viz", "pages", "tests")), f"{where(path)} imports from {absolute}"


def test_no_file_grows_too_long():
    lengths = {where(path): len(text_of(path).splitlines()) for path in EVERYTHING}
    limits = {"pages": 100, "resnet_viz": 350, "tests": 500, "app.py": 100}
    assert {name: lines for name, lines in lengths.items() if lines > limits[Path(name).parts[0]]} == {}


def test_no_drawer_for_everything():
    drawers = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}
    assert [where(path) for path in EVERYTHING if path.stem.lower().removeprefix("test_") in drawers] == []


def test_every_module_says_what_it_is():
    silent = [path for path in SOURCES if not ast.get_docstring(tree_of(path))]
    assert [where(path) for path in silent if path not in in_rooms("pages", "app")] == []


def loaded_by(code: str) -> set[str]:
    """Top-level packages in memory after `code` ran in a fresh process."""
    code += "\nimport sys; print(*{module.split('.')[0] for module in sys.modules}, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return set(ended.stderr.split())


def test_the_training_process_starts_light():
    loaded = loaded_by("import resnet_viz.training.loop, resnet_viz.training.__main__, resnet_viz.data.sources\n"
                       "resnet_viz.data.sources.load('shapes', 'test')")
    assert "torch" in loaded and not loaded & HEAVY


def test_the_command_line_loads_only_what_a_command_needs():
    assert not loaded_by("import resnet_viz.__main__") & {"torch", "numpy", *HEAVY}
    run = "from resnet_viz.__main__ import main; main(['networks', '--json']); main(['summary', 'resnet18'])"
    assert not loaded_by(run) & HEAVY


def test_reading_a_run_needs_no_torch():
    assert not loaded_by("import resnet_viz.runs; resnet_viz.runs.list_runs()") & {"torch", *HEAVY}


def test_no_process_is_started_through_a_shell():
    for path in EVERYTHING:
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            assert name not in {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
                                "asyncio.create_subprocess_shell"}, where(path)
            assert not any(keyword.arg == "shell" for keyword in node.keywords if name.startswith("subprocess")), where(path)
