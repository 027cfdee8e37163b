"""What a person knows of a foreign weights file and the file does not tell: kept by the file's content.

The next time the same bytes are opened, in the browser or by the command line, they come with it.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from . import runs
from .data.place import data_folder
from .problems import Problem, printable

LONGEST_NAME = 200  # characters of a class's name


@dataclass(frozen=True)
class Correction:
    """What was set by hand; None and {} leave the question open.

    size           pixels a side of the network's input
    normalisation  a name or a list, as data.preprocessing.normalisation takes it
    classes        one name an output
    arguments      what shapes do not tell of the network, e.g. {"variant": "v1", "shortcut": None}
    """

    size: int | None = None
    normalisation: str | None = None
    classes: tuple[str, ...] | None = None
    arguments: dict = field(default_factory=dict)


def path_of(digest: str) -> Path:
    return data_folder() / "corrections" / f"{digest}.json"


def recall(digest: str) -> Correction | None:
    """What was remembered for the file of that SHA-256; None where there is nothing, or nothing readable."""
    try:
        values = json.loads(path_of(digest).read_text(encoding="utf-8"))
        classes = values["classes"]
        return Correction(values["size"], values["normalisation"], tuple(classes) if classes else None,
                          dict(values["arguments"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def remember(digest: str, correction: Correction) -> None:
    """Keep it until `forget`; Problem where the data folder cannot be written."""
    try:
        runs.write_atomic(path_of(digest), json.dumps(asdict(correction), indent=1).encode())
    except OSError as error:
        raise Problem(f"What was set by hand cannot be kept in {data_folder()} ({error.strerror}); set RESNET_VIZ_DATA "
                      "to a folder that can be written.") from error


def forget(digest: str) -> None:
    path_of(digest).unlink(missing_ok=True)


def changed(correction: Correction, settings: list[str], outputs: int) -> Correction:
    """With settings as the command line writes them, e.g. ["size=64", "classes=names.txt", "variant=v1"].

    outputs  of the network, which are as many as there must be class names
    """
    for setting in settings:
        key, _, value = setting.partition("=")
        if not value:
            raise Problem(f"{setting!r:.60} sets nothing; write KEY=VALUE, e.g. size=64.")
        if key == "size":
            if not value.isdecimal():
                raise Problem(f"The size is a number of pixels, not {value!r:.40}.")
            correction = replace(correction, size=int(value))
        elif key == "normalisation":
            correction = replace(correction, normalisation=value)
        elif key == "classes":
            correction = replace(correction, classes=class_names(_text(value), outputs))
        else:  # an argument of the network; whether these weights leave it open is checked when it is applied
            correction = replace(correction, arguments=correction.arguments | {key: None if value == "none" else value})
    return correction


def _text(names: str) -> str:
    """What a text file holds, or the names themselves."""
    try:
        path = Path(names)
        return path.read_text(encoding="utf-8") if path.is_file() else names
    except (OSError, ValueError) as error:  # also text that is not UTF-8, and names too long for a file's
        raise Problem(f"The class names in {names!r:.60} cannot be read; give a text file (UTF-8) with one a line.") from error


def class_names(text: str, outputs: int) -> tuple[str, ...]:
    """Names from a text: a JSON list, one a line, or parted by commas; Problem unless there are `outputs` of them."""
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if isinstance(names, dict):  # as Hugging Face's id2label, or torchvision's class_to_idx the other way round
        names = _in_order(names)
    if not isinstance(names, list):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        names = [part.strip() for part in text.split(",")] if len(lines) == 1 else lines
    given = len(names)
    names = [printable(str(name)).strip()[:LONGEST_NAME] for name in names[: outputs + 1]]
    if len(names) != outputs or not all(names):
        raise Problem(f"{given:,} class names were given, and the network has {outputs:,} outputs; give one a line, "
                      "in the order of the outputs.")
    return tuple(names)


def _in_order(names: dict) -> list:
    """{"0": "cat", "1": "dog"} or {"cat": 0, "dog": 1} as a list by number."""
    if all(key.isdecimal() and len(key) < 10 for key in names):
        return [names[key] for key in sorted(names, key=lambda key: int(key))]
    if all(type(value) is int for value in names.values()):
        return sorted(names, key=names.get)
    return list(names.values())
