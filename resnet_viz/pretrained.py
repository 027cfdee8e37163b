"""Weights trained on ImageNet that torchvision publishes: which there are, where they lie here, and how to get them.

They are named as torchvision names them, e.g. ResNet50_Weights.IMAGENET1K_V2, and kept where torch.hub keeps them, so
that what another program downloaded is used here too, and the other way round. torchvision takes seconds to import:
it is asked only where a file's name says that there is something to ask.
"""

import functools
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from .data import fetching
from .data.preprocessing import Preprocessing
from .data.sources import Progress
from .networks import zoo
from .problems import Problem, one_of

# what torchvision calls its files; the last part is the beginning of the SHA-256
PUBLISHED = re.compile(r"(?:wide_)?resnex?t[0-9a-z_]+-([0-9a-f]{8,})\.pth")


@dataclass(frozen=True)
class Pretrained:
    """One published version of one network's weights.

    network     its name in this project's zoo
    size_bytes  of the file, to about a kilobyte
    accuracy    top-1 on ImageNet-1K's validation pictures as torchvision publishes it, 0..1
    recipe      address of the page that says how it was trained
    """

    reference: str
    network: str
    version: str
    file_name: str
    url: str
    size_bytes: int
    accuracy: float
    recipe: str


@functools.cache
def PRETRAINED() -> dict[str, Pretrained]:
    """Reference -> entry: every version that torchvision publishes for a network of the zoo, in the zoo's order."""
    from torchvision import models

    # quantised copies are listed too, and have builders of another module
    builders = [name for name in models.list_models(module=models) if _is_resnet(models.get_model_builder(name))]
    entries = [_entry(name, weights) for name in builders for weights in models.get_model_weights(name)]
    order = list(zoo.NETWORKS)
    known = [entry for entry in entries if entry.network in zoo.NETWORKS]
    return {entry.reference: entry for entry in sorted(known, key=lambda e: (order.index(e.network), e.version))}


def _is_resnet(builder) -> bool:
    return builder.__module__ == "torchvision.models.resnet"


def _entry(builder: str, weights) -> Pretrained:
    meta = weights.meta
    return Pretrained(
        reference=str(weights), network=builder.replace("_", "-"), version=weights.name,
        file_name=weights.url.rpartition("/")[2], url=weights.url, size_bytes=round(meta["_file_size"] * 2**20),
        accuracy=round(meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100, 5), recipe=meta["recipe"])


def classes_and_preprocessing(entry: Pretrained) -> tuple[tuple[str, ...], Preprocessing]:
    """(the 1,000 class names, how a picture is prepared): what torchvision's enum says."""
    from torchvision import models

    weights = models.get_weight(entry.reference)
    wanted = weights.transforms()
    return tuple(weights.meta["categories"]), Preprocessing(
        wanted.crop_size[0], wanted.resize_size[0], tuple(wanted.mean), tuple(wanted.std))


# ---------------------------------------------------------------- the files on this machine

def folder() -> Path:
    """Where torch.hub keeps weights: TORCH_HOME moves it."""
    from torch import hub

    return Path(hub.get_dir()).absolute() / "checkpoints"


def cached(entry: Pretrained) -> Path | None:
    """The entry's file if it is here; its content is not looked at."""
    path = folder() / entry.file_name
    return path if path.is_file() else None


def all_cached() -> list[Pretrained]:
    """The entries whose files are here."""
    try:
        maybe = any(PUBLISHED.fullmatch(path.name) for path in folder().iterdir())
    except OSError:
        maybe = False  # there is no such folder before the first download
    return [entry for entry in PRETRAINED().values() if cached(entry)] if maybe else []


def of_file(path: Path) -> Pretrained | None:
    """The entry whose file this is: by its name where torch.hub keeps it, elsewhere by its name and its checksum."""
    path = Path(path)
    if not PUBLISHED.fullmatch(path.name):
        return None
    entry = next((entry for entry in PRETRAINED().values() if entry.file_name == path.name), None)
    if entry and (path.parent.resolve() == folder().resolve() or _whole(path)):
        return entry
    return None


def _whole(path: Path) -> bool:
    """Whether the file's SHA-256 begins as its name says; a .part file bears the name of the file it becomes."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest.startswith(PUBLISHED.match(path.name)[1])


def fetch(reference: str, progress: Progress | None = None) -> Path:
    """The weights' file in torch.hub's folder, checked; downloaded where it is not here.

    progress(done, total, text) may raise to stop the download. Raises Problem for an unknown reference, a damaged
    file, and where the file is neither here nor reachable (within half a minute).
    """
    entry = PRETRAINED()[one_of("pretrained weights", reference, PRETRAINED())]
    path = folder() / entry.file_name
    if path.is_file():
        if not _whole(path):
            raise Problem(f"{path} is damaged or another file (its checksum is not the published one); delete it and "
                          "try again.")
        return path
    try:
        fetching.fetch((entry.url,), path, _whole, entry.file_name, progress)
    except OSError as error:
        raise Problem(f"The folder {path.parent} cannot be written ({error.strerror}); set TORCH_HOME to a folder that "
                      "can.") from error
    except fetching.Unreachable as error:
        raise Problem(f"{reference} is not here and could not be downloaded ({error}); connect to the internet, or put "
                      f"{entry.file_name} into {path.parent}/.") from error
    return path
