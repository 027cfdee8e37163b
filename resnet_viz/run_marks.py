"""What a person wrote about a run: its name, a note, a star. In person.json of the run directory; no trainer reads it.

The styles of runs are here too: which colour and dash a run has is decided when it is first seen, and kept.
"""

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from . import runs
from .problems import Problem, printable

FILE = "person.json"
STYLES = ".styles.json"  # in the runs folder: reference of a run -> its number among the styles
_ONE_AT_A_TIME = threading.Lock()  # two pages that see new runs at the same moment must not give them one number
LONGEST = {"name": 80, "note": 2_000}  # characters


@dataclass(frozen=True)
class Marks:
    name: str = ""
    note: str = ""
    star: bool = False


def read(run: Path) -> Marks:
    """The marks of a run; none where there is no such file, or none that can be read."""
    return from_dict(_json(run / FILE))


def from_dict(values: dict) -> Marks:
    """Marks from a file that anybody may have written: texts are cut to one line and their length, the rest is dropped."""
    texts = {key: values[key] if isinstance(values.get(key), str) else "" for key in LONGEST}
    name = " ".join("".join(c for c in texts["name"] if c.isprintable() or c.isspace()).split())
    note = "".join(c if c == "\n" else printable(c) for c in texts["note"][: 2 * LONGEST["note"]])
    return Marks(name[: LONGEST["name"]].strip(), note.strip()[: LONGEST["note"]], values.get("star") is True)


def write(run: Path, marks: Marks) -> None:
    """Keep them; Problem where that cannot be done."""
    if not runs.is_run(run):
        raise Problem(f"The run {run.name} is not there any more; choose another one.")
    try:
        runs.write_json(run / FILE, asdict(from_dict(asdict(marks))))
    except OSError as error:
        raise Problem(f"What you wrote about {run.name} cannot be kept ({error.strerror}); make room and try again.") from error


def style_numbers(references: list[str], keep: bool = True) -> dict[str, int]:
    """reference -> a number of its own from 0 up, the same whenever it is asked for, whatever else is there.

    references  of runs; one that has no number yet gets the lowest that nobody has or had
    keep        False where nothing may be written; a folder that cannot be written is no hindrance either
    """
    with _ONE_AT_A_TIME:
        return _style_numbers(references, keep)


def _style_numbers(references: list[str], keep: bool) -> dict[str, int]:
    path = runs.root() / STYLES
    known = {key: number for key, number in _json(path).items() if type(number) is int and number >= 0}
    found, number = dict(known), max(known.values(), default=-1)
    for reference in references:
        if reference not in found:
            number = found[reference] = number + 1
    if keep and found != known:
        try:
            runs.write_json(path, found)
        except OSError:
            pass  # a full disk: the same runs get the same numbers again next time
    return {reference: found[reference] for reference in references}


def _json(path: Path) -> dict:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
