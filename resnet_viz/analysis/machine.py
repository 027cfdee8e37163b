"""What this machine offers: the first thing to read in a bug report."""

import os
import platform
import shutil
from importlib import metadata

import psutil

from .. import checkpoints, pretrained, runs, versions
from ..data import sources

PACKAGES = ("torch", "torchvision", "streamlit", "plotly", "captum", "pillow", "safetensors", "scikit-learn", "scikit-image", "numpy", "psutil")


def check() -> dict:
    """Machine, devices, versions, folders, data and weights as JSON values; nothing is downloaded or written."""
    problem = versions.pair_problem() or versions.import_problem()
    return {
        "platform": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count(),
        "memory_mib": psutil.virtual_memory().total // 2**20, "versions": {name: _version(name) for name in PACKAGES},
        "problem": problem, "devices": _devices(),
        "folders": {"runs": _folder(runs.root()), "data": _folder(sources.data_folder()), "checkpoints": _folder(checkpoints.BUNDLED),
                    "pretrained": _folder(pretrained.folder())},
        "data": {source.name: _whether_here(source, problem) for source in sources.SOURCES.values()},
        "weights": checkpoints.bundled(),
        # torchvision knows their names, and does not load where there is a problem
        "pretrained": None if problem else [entry.reference for entry in pretrained.all_cached()],
        "runs": {run.name: runs.state(run) for run in runs.list_runs()},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> list[str]:
    import torch

    found = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    return found + (["mps"] if torch.backends.mps.is_available() else []) + ["cpu"]


def _folder(path) -> dict:
    there = next(p for p in [path.absolute(), *path.absolute().parents] if p.exists())
    return {"path": str(path.absolute()), "exists": path.exists(), "writable": os.access(there, os.W_OK),
            "free_mib": shutil.disk_usage(there).free // 2**20}


def _whether_here(source: sources.Source, problem: str | None) -> str:
    if not source.needs_download:
        return "built in"
    if problem:
        return "unknown"  # torchvision knows its files, and does not load
    from ..data import downloads

    return "here" if downloads.is_here(source.name) else "not downloaded"
