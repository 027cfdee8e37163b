"""The doors through which files of strangers come in, each as a function (file, its name) -> what it is, in words.

A door does what the pages and the command line do with such a file: not only open it, but also use what came out.
"""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import torch

from resnet_viz import checkpoints, corrections, run_marks, runs
from resnet_viz.analysis import landscape_file, plan
from resnet_viz.data import folders, uploads
from resnet_viz.training import run_archive

SIDE = 32
PAGES = {path.stem for path in runs.PROJECT.glob("pages/*/*.py")}


def picture(path: Path, name: str) -> str:
    found = uploads.decode(path.read_bytes(), name)
    pixels = np.asarray(found.image)
    assert found.image.mode == "RGB" and pixels.dtype == np.uint8 and min(pixels.shape[:2]) <= 2 * uploads.SHORT_SIDE
    return f"picture {found.image.width}x{found.image.height} mean {pixels.mean():.0f} ({'; '.join(found.notes)})"


def pictures(path: Path, name: str) -> str:
    """A zip or folder as the trainer reads it, and as the pages list and open it."""
    found = folders.read(path, "train", size=SIDE)
    listing, side = folders.listed(path, "train")
    kept, notes = folders.readable(path, listing.files, None)
    with contextlib.suppress(
        *folders.UNREADABLE
    ):  # that is its contract: whoever streams pictures leaves such a one out
        folders.open_picture(path, listing.files[kept[0]])
    assert found.images.shape[1:] in ((1, SIDE, SIDE), (3, SIDE, SIDE)) or side <= SIDE
    return (
        f"{len(found.images)} of {len(listing.files)} pictures of {', '.join(found.classes)} ({'; '.join(found.notes)})"
    )


def weights(path: Path, name: str) -> str:
    """A checkpoint as the pages open it: diagnosis, network, one answer."""
    diagnosis, _ = checkpoints.examine(path)
    json.dumps(diagnosis.to_dict(), allow_nan=False)
    found = checkpoints.read(path)
    network = checkpoints.model(found)
    size = min(found.preprocessing.size, 64)
    with torch.no_grad():
        logits = network(torch.zeros(1, found.preprocessing.channels, size, size))
    label = checkpoints.label(found, int(logits[0].nan_to_num().argmax()))
    label.encode()
    kind = "finite" if torch.isfinite(logits).all() else "not finite"
    return f"{found.network} says {kind} {label!r:.60} ({'; '.join(found.notes)})"


def run(path: Path, name: str) -> str:
    """A run's archive as the page imports it, then read as the pages of runs do."""
    with open(path, "rb") as file:
        added = run_archive.add(io.BytesIO(file.read()), name)
    inside = sorted(p.relative_to(runs.root()).as_posix() for p in runs.root().rglob("*") if p.is_file())
    marks, rows = run_marks.read(added), runs.read_lines(added / "metrics.jsonl")
    "".join([marks.name, marks.note, str(runs.read_status(added)), str(runs.read_config(added))]).encode()
    files = ", ".join(inside)[:300]
    return f"run {added.name} {runs.state(added)} with {len(rows)} rows, marks {marks.name!r:.80}: {files}"


def names(path: Path, name: str) -> str:
    found = corrections.class_names(path.read_text(encoding="utf-8", errors="surrogateescape"), 3)
    return f"{len(found)} names: {', '.join(found)[:100]}"


def landscape(path: Path, name: str) -> str:
    found = landscape_file.read(path)
    json.dumps(found.recipe, ensure_ascii=False).encode()
    return f"landscape of {len(found.x)} x {len(found.y)}, {int(found.done.sum())} points"


def lecture(path: Path, name: str) -> str:
    """A plan as the page opens it, and as it is written again."""
    found = plan.read(path.read_bytes(), PAGES)
    assert plan.read(plan.write(found), PAGES) == found
    return f"{len(found.steps)} step{'s' * (len(found.steps) > 1)}, {found.minutes} minutes, {found.title!r:.60}"


def unguarded(path: Path, name: str) -> str:
    """What happens without care: only for the test that the traps among the checkpoints are real."""
    torch.load(path, weights_only=False)
    return "opened"


DOORS = {
    "picture": picture,
    "pictures": pictures,
    "weights": weights,
    "run": run,
    "names": names,
    "landscape": landscape,
    "plan": lecture,
    "unguarded": unguarded,
}


def warm_up() -> None:
    """Do once what loads modules, so that a job's own memory and audit trail are all that is seen."""
    from .good import warm

    torch.set_num_threads(1)
    warm()
