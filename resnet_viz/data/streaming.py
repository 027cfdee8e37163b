"""Pictures of a folder or zip that do not fit into memory: decoded when they are asked for, ahead of time by workers.

`Streamed` stands where a tensor of pictures stands. What is done to a training picture is decided by its index and the
epoch's tables alone, so it does not matter which worker decodes it, or whether any does. One that breaks off in the
middle is skipped: the nearest good one of its class is seen in its place, so that every batch keeps its size and labels.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from ..problems import Problem
from .place import existing
from .sources import SOURCES, Pictures, Progress

RESIDENT_BYTES = 2 * 2**30  # of one split: what is larger is streamed
RESIZE = 8 / 7  # of the network's size, for the shorter side before the centre crop (He et al. 2016: 256 for 224)
NAMED = 5  # broken files in a sentence
WORKERS, AHEAD = 16, 2  # at most that many processes, and batches that each prepares in advance


@dataclass
class Streamed:
    """Pictures as files: like a uint8 tensor [N, C, size, size] where it is indexed, asked for its length, shape or device.

    Indexed, a picture is seen as in an evaluation: shorter side to `resize`, centre crop. `windows` cuts out other parts.
    """

    path: Path
    files: list[str]
    size: int
    channels: int = 3
    device: torch.device = torch.device("cpu")
    workers: int = 1
    broken: dict[str, None] = field(default_factory=dict, repr=False)  # files that were skipped; its parts share it
    _expected: deque = field(default_factory=deque, repr=False)
    _loader: object = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.files)

    @property
    def shape(self) -> torch.Size:
        return torch.Size((len(self.files), self.channels, self.size, self.size))

    @property
    def resize(self) -> int:
        return round(self.size * RESIZE)

    def only(self, chosen: Tensor) -> "Streamed":
        return replace(self, files=[self.files[index] for index in chosen.tolist()], _expected=deque(), _loader=None)

    def to(self, device: torch.device) -> "Streamed":
        return replace(self, device=torch.device(device), _expected=deque(), _loader=None)

    def __getitem__(self, chosen) -> Tensor:
        indices = torch.arange(len(self))[chosen.cpu() if isinstance(chosen, Tensor) else chosen].tolist()
        return self._decoded(_Decoder(self, None), indices)

    def windows(self, samples: Tensor, windows: Tensor | None) -> Tensor:
        """These training pictures: float [N, 4] shares of the whole picture cut out of each (left, top, width, height) and
        brought to the size; without, the middle square. From the workers if this batch was expected, else decoded now."""
        indices = samples.tolist()
        if self._expected and self._expected[0] == indices:
            self._expected.popleft()
            return self._good(next(self._loader)).to(self.device, non_blocking=True)
        return self._decoded(_Decoder(self, _table(windows)), indices)

    def expect(self, batches: list[list[int]], windows: Tensor | None) -> None:
        """Let workers decode these batches in advance; what they had begun before is dropped."""
        from torch.utils.data import DataLoader

        self._expected = deque(batches)
        self._loader = iter(DataLoader(
            _Decoder(self, _table(windows)), batch_sampler=batches, num_workers=self.workers, prefetch_factor=AHEAD, collate_fn=_stacked,
            generator=torch.Generator(),  # else it would draw from the run's own random numbers
            pin_memory=self.device.type == "cuda"))

    def _decoded(self, decoder: "_Decoder", indices: list[int]) -> Tensor:
        with ThreadPoolExecutor(self.workers) as pool:  # decoding lets other threads run
            return self._good(_stacked(list(pool.map(decoder.__getitem__, indices)))).to(self.device)

    def _good(self, batch: tuple[Tensor | Problem, list[str]]) -> Tensor:
        pictures, broken = batch
        if isinstance(pictures, Problem):
            raise pictures
        self.broken.update(dict.fromkeys(broken))
        return pictures

    def skipped(self) -> tuple[str, ...]:
        """What was skipped so far, as one sentence, or none."""
        if not self.broken:
            return ()
        names, count = list(self.broken), len(self.broken)
        more = f" and {count - NAMED:,} more" if count > NAMED else ""
        return (f"{count:,} picture{'s' * (count > 1)} broke off in the middle and {'were' if count > 1 else 'was'} skipped, "
                f"another of the same class seen instead: {', '.join(names[:NAMED])}{more}",)


def _stacked(decoded: list[tuple[Tensor | Problem, list[str]]]) -> tuple[Tensor | Problem, list[str]]:
    """One tensor of a batch, and the files that were skipped for it; the first problem where there is one: raised in a
    worker it would arrive as a traceback."""
    pictures, broken = zip(*decoded)
    problems = [picture for picture in pictures if isinstance(picture, Problem)]
    return problems[0] if problems else torch.stack(pictures), [name for names in broken for name in names]


def _table(windows: Tensor | None) -> Tensor | None:
    return None if windows is None else windows.cpu()


class _Decoder:
    """index -> (uint8 [C, size, size] or the Problem with that picture, the files skipped for it): what a worker does."""

    def __init__(self, pictures: Streamed, windows: Tensor | None):
        self.path, self.files, self.windows = pictures.path, pictures.files, windows
        self.size, self.resize, self.mode = pictures.size, pictures.resize, "RGB" if pictures.channels == 3 else "L"

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor | Problem, list[str]]:
        broken = []
        for candidate in self._of_its_class(index):
            if (picture := self._opened(self.files[candidate])) is not None:
                return self._part(picture, index), broken
            broken.append(self.files[candidate])
        return Problem(f"None of the pictures in {PurePosixPath(self.files[index]).parent} can be decoded; replace them and "
                       "continue the run."), broken

    def _of_its_class(self, index: int) -> Iterator[int]:
        """The picture itself; then, looked for only if it is broken, the others of its folder, the nearest first."""
        yield index
        folder = PurePosixPath(self.files[index]).parent
        same = [other for other, file in enumerate(self.files) if other != index and PurePosixPath(file).parent == folder]
        yield from sorted(same, key=lambda other: abs(other - index))

    def _opened(self, file: str):
        from . import folders

        try:
            return folders.open_picture(self.path, file).convert(self.mode)
        except folders.UNREADABLE:
            return None

    def _part(self, picture, index: int) -> Tensor:
        """What the network is to see of it; the window is that of `index`, whichever picture it is."""
        from torchvision.transforms.v2 import functional as change

        if self.windows is not None:
            left, top, width, height = self.windows[index].tolist()
            box = [round(top * picture.height), round(left * picture.width), max(1, round(height * picture.height)),
                   max(1, round(width * picture.width))]
            picture = change.resized_crop(picture, *box, [self.size, self.size])
        else:
            picture = change.center_crop(change.resize(picture, [self.resize]), [self.size, self.size])
        return change.pil_to_tensor(picture)


def load(name: str, split: str, size: int | None, workers: int, progress: Progress | None = None,
         always: bool = False) -> Pictures | None:
    """A split of a folder or zip as streamed pictures, if it is too large for memory, or `always`; else None.

    size    pixels a side; None for that of the first picture's shorter side, at most 224
    Files whose beginning is no picture are left out and named in the notes.
    """
    path = existing(name)
    if name in SOURCES or path is None:
        return None
    from . import folders

    listing, side = folders.listed(path, split)
    size = size or side
    needed = len(listing.files) * size * size * 3
    if needed <= RESIDENT_BYTES and not always:
        return None
    kept, unreadable = folders.readable(path, listing.files, progress)
    labels = torch.tensor([listing.labels[index] for index in kept], dtype=torch.int64)
    said = (f"The {len(kept):,} pictures of {split}/ would fill {_memory(needed)} at {size} x {size} pixels, more than the "
            f"{_memory(RESIDENT_BYTES)} kept in memory: {workers} worker{'s' * (workers > 1)} read them from their files in every epoch",)
    return Pictures(Streamed(path, [listing.files[index] for index in kept], size, workers=workers), labels,
                    tuple(name for head in listing.classes for name in head), tuple(len(head) for head in listing.classes),
                    path.resolve().stem if path.is_file() else path.resolve().name, (*listing.notes, *unreadable, *(() if always else said)))


def _memory(bytes_: int) -> str:
    return f"{bytes_ / 2**30:.1f} GiB" if bytes_ >= 2**29 else f"{bytes_ / 2**20:.1f} MiB"
