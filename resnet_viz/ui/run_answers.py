"""What a run answers now: ten fixed test pictures with their probabilities, and the confusion matrix, snapshot by snapshot.

The pictures travel once a page, with the code, in a component of their own (`install`, called outside the fragment);
every look then sends a few numbers only.
"""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from .. import checkpoints, runs
from ..analysis.fixed_pictures import fixed_pictures
from ..drawing import answers as drawing
from ..problems import Problem
from . import state, walls
from .component import Carried
from .page import plain
from .runs import Watched, snapshot_files

_answers = Carried("run_answers")


@dataclass(frozen=True)
class Asked:
    """What does not change while a run goes on: classes of the first head, the ten pictures (data URLs) and labels."""

    classes: tuple[str, ...]
    pictures: list[str] | None
    labels: np.ndarray | None


def begun(run: Path) -> bool:
    """Whether there is something to install: the trainer writes its ten pictures before its first step."""
    return _weights(run) is not None


def install(run: Path) -> None:
    """Bring the code and the run's ten pictures into the page; until then its answers wait, whatever comes first."""
    asked = _of(run)
    pictures = asked.pictures or [] if asked else []
    _answers.install(run=run.name, pictures=pictures)


def _weights(run: Path) -> Path | None:
    return runs.weights_file(run, "initial") or checkpoints.best_or_last(run)


def _of(run: Path) -> Asked | None:
    weights = _weights(run)
    return _asked(str(run), state.key_at(weights), weights) if weights else None


def answers(watched: Watched) -> None:
    """The newest snapshot's answers and confusion side by side; nothing before the first snapshot."""
    run = watched.run
    asked, found = _of(run), snapshot_files(run)
    if not found or asked is None:
        return
    snapshot, changed = found[-1]
    told, epoch = _told(str(snapshot), changed, asked)
    step = int(snapshot.stem)
    left, right = st.columns((3, 2), gap="medium")
    with left:
        st.markdown(f"**Ten test pictures** at step {step:,}: {told['finding']}")
        _answers(key="run_answers_pictures", data={"kind": "pictures", "run": run.name, **told["pictures"]})
    with right:
        if told["confusion"] is None:
            return
        when = f"after epoch {epoch:,}" if epoch else f"at step {step:,}"
        st.markdown(f"**Confusion** {when}: {plain(unbroken(told['confusion']['alt']))}")
        _answers(key="run_answers_confusion", data={"kind": "confusion", "run": run.name, **told["confusion"]})


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs={Path: str})
def _asked(run: str, key: str, _weights: Path) -> Asked:
    checkpoint = state.checkpoint_at(_weights)
    shown = fixed_pictures(Path(run), checkpoint)
    count = checkpoint.heads[0]
    classes = tuple(checkpoints.label(checkpoint, index) for index in range(count))
    pictures = None if shown.images is None else [_jpeg(drawing.thumbnail(picture)) for picture in shown.images]
    return Asked(classes, pictures, shown.labels)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs={Asked: lambda asked: (asked.classes, asked.labels)})
def _told(path: str, changed: int, asked: Asked) -> tuple[dict, int]:
    """(what the browser draws, the epoch that was over) of one snapshot."""
    tensors = runs.read_snapshot(Path(path))
    count = len(asked.classes)
    if "probabilities" not in tensors:
        raise Problem("This run's snapshots do not say what it answered; look at its curves and kernels instead.")
    probabilities = tensors["probabilities"][:, :count]
    labels = None if asked.labels is None or asked.labels.max() >= count else asked.labels[: len(probabilities)]
    pictures = {
        "classes": asked.classes,
        "labels": None if labels is None else labels.tolist(),
        "bars": probabilities.astype(float).round(4).tolist(),
        "alt": drawing.picture_finding(probabilities, labels, asked.classes),
    }
    right = "" if labels is None else f"{int((probabilities.argmax(axis=1) == labels).sum())} right"
    confusion = tensors.get("confusion")
    drawn = None
    if confusion is not None and len(confusion) == count:
        drawn = {
            "classes": asked.classes,
            "src": _data_url("png", walls.png(drawing.confusion_picture(confusion))),
            "counts": confusion.tolist(),
            "alt": drawing.confusion_finding(confusion, asked.classes),
        }
    epoch = next((one.epoch for one in runs.snapshots(Path(path).parent.parent) if str(one.path) == path), 0)
    return {"pictures": pictures, "confusion": drawn, "finding": right or "what it answers"}, epoch


def unbroken(text: str) -> str:
    """A number and its percent sign on one line."""
    return text.replace(" %", "\u00a0%")


def _jpeg(picture: np.ndarray) -> str:
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(picture).save(data, format="JPEG", quality=92, subsampling=0)
    return _data_url("jpeg", data.getvalue())


def _data_url(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
