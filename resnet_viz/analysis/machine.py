"""What this machine offers: the first thing to read in a bug report."""

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

import psutil

from .. import checkpoints, logs, pretrained, runs, versions
from ..data import sources
from ..data.place import data_folder

PACKAGES = ("torch", "torchvision", "streamlit", "plotly", "captum", "pillow", "safetensors", "scikit-learn", "scikit-image", "numpy", "psutil")
SETTINGS = ("RESNET_VIZ_READONLY", "RESNET_VIZ_PASSWORD", "RESNET_VIZ_SLOTS", "RESNET_VIZ_RUNS", "RESNET_VIZ_DATA", "RESNET_VIZ_LOGS")


def check() -> dict:
    """Machine, devices, versions, folders, data and weights as JSON values; nothing is downloaded or written.

    Fit for strangers' eyes: ~ stands for the home folder, of settings only whether they are set, and no environment.
    """
    problem = versions.pair_problem() or versions.import_problem()
    memory = psutil.virtual_memory()
    return {
        "project": _commit(runs.PROJECT), "platform": platform.platform(), "python": platform.python_version(),
        "cores": os.cpu_count(), "memory_mib": memory.total // 2**20, "free_memory_mib": memory.available // 2**20,
        "versions": {name: _version(name) for name in PACKAGES}, "problem": problem, "devices": _devices(),
        "folders": {"runs": _folder(runs.root()), "data": _folder(data_folder()), "checkpoints": _folder(checkpoints.BUNDLED),
                    "pretrained": _folder(pretrained.folder()), "logs": _folder(logs.folder())},
        "set": [name for name in SETTINGS if os.environ.get(name)],
        "data": {source.name: _whether_here(source, problem) for source in sources.SOURCES.values()},
        "weights": checkpoints.bundled(),
        # torchvision knows their names, and does not load where there is a problem
        "pretrained": None if problem else [entry.reference for entry in pretrained.all_cached()],
        "runs": {run.name: runs.state(run) for run in runs.list_runs()},
    }


def text(found: dict) -> str:
    """The same for people, to be pasted into a report: one line a fact."""
    states = list(found["runs"].values())
    counted = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    lines = {
        "ResNet Viz": found["project"] or "not from a git repository",
        "system": found["platform"],
        "Python": found["python"],
        "processor": f"{found['cores']} cores",
        "memory": f"{_gib(found['memory_mib'])}, {_gib(found['free_memory_mib'])} of it free",
        "devices": ", ".join(found["devices"]),
        "packages": ", ".join(f"{name} {version or 'missing'}" for name, version in found["versions"].items()),
        "installation": found["problem"] or "torch and torchvision belong together",
        **{f"{name} in": _told(about) for name, about in found["folders"].items()},
        "set": ", ".join(found["set"]) or "nothing",
        "data sets": ", ".join(f"{name} ({word})" for name, word in found["data"].items()),
        "checkpoints": ", ".join(found["weights"]) or "none are bundled",
        "published": "unknown" if found["pretrained"] is None else ", ".join(found["pretrained"]) or "none are here",
        "own runs": counted or "none",
    }
    return "\n".join(f"{name:<14} {value}" for name, value in lines.items())


def _gib(mib: int) -> str:
    return f"{mib / 1024:,.1f} GiB"


def _told(about: dict) -> str:
    there = "" if about["exists"] else ", not there yet"
    return f"{about['path']}{there}, {'can be written' if about['writable'] else 'CANNOT BE WRITTEN'}, {_gib(about['free_mib'])} free"


def _commit(project: Path) -> str | None:
    """The commit that git has checked out here, as twelve letters; None where there is no repository. Files only."""
    git = project / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head[:12]
        name = head.removeprefix("ref: ")
        if (git / name).is_file():
            return (git / name).read_text().strip()[:12]
        packed = (git / "packed-refs").read_text().splitlines()
        return next((line[:12] for line in packed if line.endswith(f" {name}")), None)
    except (OSError, UnicodeDecodeError):
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> list[str]:
    import torch

    found = []
    for i in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(i)
        found.append(f"cuda:{i} {about.name} ({_gib(about.total_memory // 2**20)}, CUDA {torch.version.cuda})")
    return found + (["mps"] if torch.backends.mps.is_available() else []) + ["cpu"]


def _folder(path: Path) -> dict:
    path = path.absolute()
    there = next(p for p in [path, *path.parents] if p.exists())
    return {"path": logs.without_home(str(path)), "exists": path.exists(), "writable": os.access(there, os.W_OK),
            "free_mib": shutil.disk_usage(there).free // 2**20}


def _whether_here(source: sources.Source, problem: str | None) -> str:
    if not source.needs_download:
        return "built in"
    if problem:
        return "unknown"  # torchvision knows its files, and does not load
    from ..data import downloads

    return "here" if downloads.is_here(source.name) else "not downloaded"
