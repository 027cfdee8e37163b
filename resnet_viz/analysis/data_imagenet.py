"""From ImageNet's archive to class folders: the steps as commands, and the sorting shown on a made-up tree."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..data import class_folders
from .data_questions import ARCHIVE_BYTES, CLASSES, TRAIN_PICTURES, VAL_PICTURES, download_seconds

CHALLENGE = "imagenet-object-localization-challenge"
INSIDE = class_folders.INSIDE[0]
MADE_UP = {  # pictures and classes of no archive
    "ILSVRC2012_val_00000001": "n90000002", "ILSVRC2012_val_00000002": "n90000001", "ILSVRC2012_val_00000003": "n90000002",
    "ILSVRC2012_val_00000004": "n90000003", "ILSVRC2012_val_00000005": "n90000001", "ILSVRC2012_val_00000006": "n90000002",
}


@dataclass(frozen=True)
class Step:
    """One step of the way: what it is called, why it is done, and the command ("" for one that is done in a browser)."""

    title: str
    why: str
    command: str


def steps(folder: str, links: str = "") -> list[Step]:
    """The way from nothing to a training run, with the person's own folder put in.

    links   the folder that is made of links, where the archive shall stay as it is; "" to sort val/ itself
    """
    name = shlex.quote(folder)
    data = shlex.quote(links or f"{folder}/{INSIDE}")
    sort = f"python -m resnet_viz sort-val {name}" + (f" --link {shlex.quote(links)}" if links else "")
    return [
        Step("Join the challenge", f"On kaggle.com: an account, then “Join competition” on the page of {CHALLENGE}: its rules say "
             "what the pictures may be used for. Without that the download is refused.", ""),
        Step("Take a key", "On kaggle.com, Settings, API: “Create New Token” gives the file kaggle.json. It is a password: nobody else "
             "should be able to read it.", "pip install kaggle\nmkdir -p ~/.kaggle\nmv ~/Downloads/kaggle.json ~/.kaggle/\n"
             "chmod 600 ~/.kaggle/kaggle.json"),
        Step("Download", f"{ARCHIVE_BYTES / 1e9:.2f} GB in one file.", f"kaggle competitions download -c {CHALLENGE} -p {name}"),
        Step("Unpack", "As much again: the zip may go when this is done.", f"unzip -q {name}/{CHALLENGE}.zip -d {name}"),
        Step("Sort val", f"train/ has {CLASSES:,} class folders with {TRAIN_PICTURES:,} pictures. The {VAL_PICTURES:,} of val/ lie in one "
             f"folder; {class_folders.TABLE} says what each shows. The command may be broken off and given again.", sort),
        Step("Train", "Now both have one folder a class, which is what this project reads, and torchvision's ImageFolder.",
             f"python -m resnet_viz train --preset imagenet-resnet152 --data {data} --out runs/imagenet"),
    ]


def made_up_trees() -> tuple[str, str, dict]:
    """(before, after, what sort-val says): the command's own function at work on six empty files."""
    with TemporaryDirectory() as folder:
        val = Path(folder) / INSIDE / "val"
        val.mkdir(parents=True)
        for name in MADE_UP:
            (val / f"{name}{class_folders.ENDING}").touch()
        before = tree(val)
        found = class_folders.sort(class_folders.find(Path(folder)), MADE_UP)
        return before, tree(val), {"pictures": found.pictures, "classes": found.classes, "moved": found.done}


def tree(folder: Path, indent: str = "") -> str:
    """A folder as lines of text, folders with a slash."""
    lines = [f"{indent}{folder.name}/"]
    for path in sorted(folder.iterdir()):
        lines.append(tree(path, indent + "    ") if path.is_dir() else f"{indent}    {path.name}")
    return "\n".join(lines)


def script(found: list[Step]) -> str:
    """All commands as one shell script."""
    return "set -e\n" + "".join(f"\n# {step.title}\n{step.command}\n" for step in found if step.command)


def rows(rates: tuple[float, ...]) -> list[dict]:
    """How long the download takes at best, by the line's rate in megabits a second."""
    return [{"Mbit/s": rate, "hours": download_seconds(rate) / 3600} for rate in rates]


def formulas(rate: float) -> list[str]:
    seconds = download_seconds(rate)
    return [rf"\frac{{{ARCHIVE_BYTES / 1e9:.2f} \cdot 10^9 \text{{ bytes}} \cdot 8}}{{{rate:g} \cdot 10^6 \text{{ bits a second}}}} = "
            rf"{seconds:.0f} \text{{ s}} = {seconds / 3600:.1f} \text{{ h}}",
            rf"\frac{{{ARCHIVE_BYTES / 1e9:.2f} \cdot 10^9 \text{{ bytes}}}}{{{TRAIN_PICTURES} + {VAL_PICTURES} + 100000 \text{{ test "
            rf"pictures}}}} = {ARCHIVE_BYTES / (TRAIN_PICTURES + VAL_PICTURES + 100_000) / 1e3:.0f} \text{{ kB a picture}}"]


def story() -> list[str]:
    return [
        "A reader of class folders takes a picture's class from the name of its folder. Kaggle's archive has train/ that way and val/ "
        "not: read as it is, val/ has no class at all.",
        "Before the first picture is touched every line of the table is checked: a name that leads out of the folder, or a class that "
        "is none, and nothing is moved. What is missing, twice there or in a wrong folder is said and left alone.",
        "With --link the archive stays as it is, e.g. where it belongs to somebody else: the new folder holds links to its pictures.",
        "The test pictures have no published labels: an accuracy on ImageNet is measured on val.",
    ]
