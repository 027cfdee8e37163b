"""ImageNet's validation pictures lie in one folder; here they come into one folder a class, as its table says.

The archive of Kaggle's "ImageNet Object Localization Challenge" holds train/ in class folders, val/ without, and
LOC_val_solution.csv with a line a picture: its name, then class and box of each object, e.g.
`ILSVRC2012_val_00000001,n01751748 111 108 441 193`. Every line is checked before the first picture is touched. A second
call finds what the first has done; one that was interrupted is taken up where it was.
"""

import csv
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..problems import Problem

TABLE = "LOC_val_solution.csv"
INSIDE = ("ILSVRC/Data/CLS-LOC", "Data/CLS-LOC", "CLS-LOC", "")  # where val/ may be, seen from the archive's folder
ENDING = ".JPEG"
PICTURE = re.compile(r"[A-Za-z0-9_]{1,80}")  # nothing that could lead out of the folder
CLASS = re.compile(r"n[0-9]{8}")  # a WordNet number
TABLE_BYTES = 64 * 2**20  # the real one has 50,000 lines and a few MB
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Place:
    """Where the pictures of an unpacked archive are: val/ itself, and train/ beside it where there is one."""

    val: Path
    train: Path | None


@dataclass(frozen=True)
class Sorted:
    """What became of the pictures of the table.

    done       moved or linked now; already: in their class folder before
    missing    names that are nowhere in val/; elsewhere: in the folder of another class, left there
    twice      names both in val/ and in their class folder, left alone; they count as already there
    unlisted   how many pictures lie in val/ of which the table says nothing; left alone
    """

    folder: Path
    classes: int
    pictures: int
    done: int
    already: int
    missing: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    unlisted: int = 0

    @property
    def complete(self) -> bool:
        return self.done + self.already == self.pictures and not self.twice


def find(folder: Path) -> Place:
    """Where val/ is in the folder that the archive was unpacked into."""
    if not folder.is_dir():
        raise Problem(f"There is no folder {str(folder)!r}; give the one that the ImageNet archive was unpacked into.")
    for inside in INSIDE:
        if (val := folder / inside / "val").is_dir():
            train = val.parent / "train"
            return Place(val, train if train.is_dir() else None)
    raise Problem(f"{folder} has no folder val/, nor {INSIDE[0]}/val/; give the folder that the ImageNet archive was unpacked into.")


def read_table(path: Path) -> dict[str, str]:
    """Picture -> class, as LOC_val_solution.csv has it; a Problem for a name that is neither."""
    try:
        if path.stat().st_size > TABLE_BYTES:
            raise Problem(f"{path.name} has more than {TABLE_BYTES // 2**20} MiB, so it is not ImageNet's table; take the one that comes with the archive.")
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror or error}); it comes with the archive, or name it with --table.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise Problem(f"{path.name} is not a readable table; take the one that comes with the archive.") from error
    if not lines or [name.strip() for name in lines[0]] != ["ImageId", "PredictionString"]:
        raise Problem(f"The first line of {path.name} must be ImageId,PredictionString; take the one that comes with the archive.")
    found = {}
    for number, line in enumerate(lines[1:], 2):
        if line:
            picture, class_ = _checked(path.name, number, line)
            if found.setdefault(picture, class_) != class_:
                raise Problem(f"Line {number:,} of {path.name} gives {picture} a second class; nothing was moved: take the table that comes with the archive.")
    if not found:
        raise Problem(f"{path.name} names no picture; take the one that comes with the archive.")
    return found


def _checked(table: str, number: int, line: list[str]) -> tuple[str, str]:
    """The picture and the one class of a line."""
    words = line[1].split() if len(line) == 2 else []
    classes = set(words[::5])  # class, then the box's four sides, for each object
    if not PICTURE.fullmatch(line[0]):
        raise Problem(f"Line {number:,} of {table} names the picture {line[0][:60]!r}, which is no plain name; nothing was moved: take the table that comes with the archive.")
    if len(classes) != 1 or not CLASS.fullmatch(words[0]):
        raise Problem(f"Line {number:,} of {table} does not give one class such as n01440764; nothing was moved: take the table that comes with the archive.")
    return line[0], words[0]


def sort(place: Place, classes: Mapping[str, str], progress: Progress | None = None) -> Sorted:
    """Move each picture of val/ into val/<class>/.

    A Problem where val/ holds links, as pictures or as class folders: what they point to is not ours to move.
    """
    loose, inside = _pictures(place.val)
    strange = next((place.val / name for name in (*(name + ENDING for name in loose & set(classes)), *set(classes.values()))
                    if (place.val / name).is_symlink()), None)
    if strange:
        raise Problem(f"{strange} is a link, and what it points to is not moved; leave the archive as it is, with --link FOLDER.")

    def move(name: str, class_: str) -> None:
        (place.val / class_).mkdir(exist_ok=True)
        os.rename(place.val / (name + ENDING), place.val / class_ / (name + ENDING))

    return _each(place.val, classes, loose, inside, move, progress)


def link(place: Place, classes: Mapping[str, str], out: Path, progress: Progress | None = None) -> Sorted:
    """Leave the archive as it is: `out` becomes a folder to train from, with symbolic links as train and in val/<class>/."""
    loose, inside = _pictures(place.val)
    val, train = out / "val", out / "train"
    if val.exists() and val.samefile(place.val):
        raise Problem(f"{out} is the archive itself; link into another folder, or leave out --link to move its pictures.")
    try:
        val.mkdir(parents=True, exist_ok=True)
        if place.train and not train.exists():
            train.symlink_to(place.train.absolute(), target_is_directory=True)
    except OSError as error:
        raise Problem(f"{out} cannot be filled with links ({error.strerror or error}); choose another folder.") from error

    def make(name: str, class_: str) -> None:
        source = place.val / inside.get(name, "") / (name + ENDING)
        (val / class_).mkdir(exist_ok=True)
        os.symlink(source.absolute(), val / class_ / (name + ENDING))

    linked = _pictures(val)[1]
    return _each(val, classes, (loose | set(inside)) - set(linked), linked, make, progress)


def _pictures(val: Path) -> tuple[set[str], dict[str, str]]:
    """The pictures directly in val/, and those in its class folders with their class; names without their ending."""
    loose, inside = set(), {}
    try:
        for entry in os.scandir(val):
            if entry.name.endswith(ENDING):
                loose.add(entry.name.removesuffix(ENDING))
            elif CLASS.fullmatch(entry.name) and entry.is_dir():
                inside |= {name.removesuffix(ENDING): entry.name for name in os.listdir(entry.path) if name.endswith(ENDING)}
    except OSError as error:
        raise Problem(f"{error.filename} cannot be read ({error.strerror}); allow it, then give the command again.") from error
    return loose, inside


def _each(folder: Path, classes: Mapping[str, str], loose: set[str], inside: Mapping[str, str],
          bring: Callable[[str, str], None], progress: Progress | None) -> Sorted:
    """Bring every picture of the table that is not in its class folder yet."""
    done, already, missing, elsewhere, twice = 0, 0, [], [], []
    for number, (name, class_) in enumerate(classes.items()):
        if progress and number % 500 == 0:
            progress(number, len(classes), "sorting")
        if name in inside:
            already += inside[name] == class_
            if inside[name] != class_:
                elsewhere.append(name)
            elif name in loose:
                twice.append(name)
        elif name not in loose:
            missing.append(name)
        else:
            try:
                bring(name, class_)
            except OSError as error:
                raise Problem(f"{name}{ENDING} could not be brought into {folder / class_} ({error.strerror or error}); {done:,} "
                              "were, the others are where they were: mend that and give the command again.") from error
            done += 1
    if progress:
        progress(len(classes), len(classes), "sorting")
    return Sorted(folder, len(set(classes.values())), len(classes), done, already, tuple(missing), tuple(elsewhere),
                  tuple(twice), len((loose | set(inside)) - set(classes)))
