"""Filling a landscape: which pictures, which plane, and every point in its turn, on all cores, until somebody stops
it."""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path as File

import numpy as np
import torch
from torch import Tensor

from .. import beginnings, checkpoints, runs
from ..checkpoints import Checkpoint
from ..problems import Problem, one_of
from . import landscape, landscape_directions, measurement
from .landscape import Landscape, Path
from .landscape_network import Movable, Stopped

SAVE_S = 2.0  # between two looks at the file by those who watch
MOMENTS = 60  # of a path at most
OF_THE_RUN = ("data", "epochs", "train_limit", "batch_size", "optimizer", "lr", "schedule", "seed")
SAME = ("weights", "pictures", "plane", "seed")  # what must agree for a file to be gone on with, beside the axes


@dataclass(frozen=True)
class Work:
    """All that is needed to compute a point: the pictures (uint8 at the network's size, labels [N, heads] in its order)
    and the two directions; and the empty landscape that is to be filled."""

    checkpoint: Checkpoint
    images: Tensor
    labels: Tensor
    directions: tuple[landscape_directions.Weights, landscape_directions.Weights]
    empty: Landscape


def prepare(
    checkpoint: Checkpoint,
    data: str,
    grid: int = 21,
    limit: int | None = 1000,
    seed: int = 0,
    plane: str = "random",
    split: str = "test",
    progress=None,
) -> Work:
    """Pictures and plane of a landscape; Problem where the data do not fit, or a run kept no path.

    data, split, limit  as `evaluate` takes them: the same pictures, at every point
    plane               a key of PLANES; seed: of the random directions, >= 0
    """
    landscape.check_grid(grid)
    if limit is not None and limit < 1:
        raise Problem(f"--limit must be 1 or more, not {limit}.")
    if not 0 <= seed < 2**63:
        raise Problem(f"--seed must be a whole number from 0, not {seed}.")
    make = PLANES[one_of("plane", plane, PLANES)]
    directions, x, y, path, known = make(checkpoint, grid, seed)  # before the pictures: this is what fails early
    pictures, _ = measurement.drawn(checkpoint, data, split, limit, progress)
    labels = measurement.in_checkpoint_order(checkpoint, pictures)
    images = measurement.as_seen(checkpoint, pictures)
    about = {
        "checkpoint": checkpoint.name,
        "network": checkpoint.network,
        "weights": _digest_of(checkpoint.state),
        "data": pictures.name,
        "pictures": _digest_of({"images": images, "labels": labels}),
        "split": split,
        "plane": plane,
        "images": len(images),
        "heads": list(checkpoint.heads),
        "seed": seed,
        "seconds": 0.0,
        "torch": torch.__version__,
        "command": _command(checkpoint.name, pictures.name, grid, limit, seed, plane, split),
        **known,
    }
    return Work(checkpoint, images, labels, directions, landscape.empty(x, y, about, path))


def _random(checkpoint: Checkpoint, grid: int, seed: int):
    directions, example = landscape_directions.random_plane(checkpoint.state, seed)
    return directions, landscape.axis(grid), landscape.axis(grid), None, {"example": vars(example)}


def _path(checkpoint: Checkpoint, grid: int, _: int):
    epochs, states = moments(checkpoint)
    found = landscape_directions.path_plane(checkpoint.state, states)
    path = Path(np.array(epochs), found.points[:, 0].copy(), found.points[:, 1].copy(), found.left)
    return (
        found.directions,
        landscape.axis(grid, path.x),
        landscape.axis(grid, path.y),
        path,
        {"explained": list(found.explained), "trained": _trained(checkpoint)},
    )


def _trained(checkpoint: Checkpoint) -> dict:
    """What made the path, as far as the run wrote it down; of a folder or zip only its name."""
    config = {key: value for key, value in (runs.read_config(checkpoint.run) or {}).items() if key in OF_THE_RUN}
    if "data" in config:
        config["data"] = File(str(config["data"])).stem
    return {key: value for key, value in config.items() if isinstance(value, str | int | float)}


PLANES = {"random": _random, "path": _path}  # name -> (checkpoint, grid, seed) -> directions, x, y, path, recipe's part


def moments(checkpoint: Checkpoint) -> tuple[list[int], list[landscape_directions.Weights]]:
    """(epochs, weights) of all moments of a run that can be moved to: its beginning and the weights kept by epoch, at
    most MOMENTS evenly; Problem where it kept none."""
    if checkpoint.run is None:
        raise Problem(
            f"{checkpoint.name} is a weights file without its run: there is no path to see; choose a run, or random "
            "directions."
        )
    kept = runs.epoch_weights(checkpoint.run)
    if len(kept) < 2:
        raise Problem(
            f"The run {checkpoint.run.name} kept no weights by epoch; train with keep_weights=true to see a path."
        )
    epochs = [0] + [epoch for epoch, _ in kept]
    states = [_beginning(checkpoint)] + [None] * len(kept)
    chosen = np.unique(np.linspace(0, len(epochs) - 1, min(MOMENTS, len(epochs))).round().astype(int)).tolist()
    for place in chosen[1:]:
        states[place] = checkpoints.read(kept[place - 1][1]).state
    return [epochs[place] for place in chosen], [states[place] for place in chosen]


def _beginning(checkpoint: Checkpoint) -> landscape_directions.Weights:
    file = runs.weights_file(checkpoint.run, "initial")
    return checkpoints.read(file).state if file else beginnings.rebuilt(checkpoint)


def _digest_of(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of names, shapes and numbers, first 32 digits."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)} ".encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


def _command(checkpoint: str, data: str, grid: int, limit: int | None, seed: int, plane: str, split: str) -> str:
    """The line that makes this file again, without anybody's folders."""
    more = [f"--limit {limit}"] if limit is not None else []
    more += [f"--seed {seed}"] if seed and plane == "random" else []
    more += [f"--plane {plane}"] if plane != "random" else []
    more += [f"--split {split}"] if split != "test" else []
    return " ".join(
        ["python -m resnet_viz landscape", checkpoint, "--data", data, f"--grid {grid}", *more, "--out FILE.npz"]
    )


def continued(work: Work, earlier: Landscape) -> Landscape:
    """The earlier landscape, to be gone on with; Problem where it is of other weights, pictures or another plane."""
    recipe, wanted = earlier.recipe, work.empty.recipe
    other = [name for name in SAME if recipe[name] != wanted[name]]
    if (
        other
        or earlier.grid != work.empty.grid
        or not all(np.allclose(getattr(earlier, name), getattr(work.empty, name)) for name in ("x", "y"))
    ):
        what = other[0] if other else f"grid ({earlier.grid})"
        raise Problem(
            f"That file holds another landscape, of {recipe['checkpoint'][:60]} on {recipe['data'][:60]}: its "
            f"{what} differs; choose another file, or delete it."
        )
    return replace(earlier, recipe={**wanted, **recipe})  # what a later version also writes down comes to it


def compute(
    work: Work,
    begun: Landscape,
    save: Callable[[Landscape], None],
    progress: Callable[[int, int, str], None] | None = None,
    threads: int | None = None,
) -> Landscape:
    """Fill all points of `begun`, in place; `save` is called every SAVE_S seconds, and at the end however it ends.

    threads  points at a time, each on one core (torch's number of threads by default): no core waits for another
    An exception in here or in progress(done, total, text), KeyboardInterrupt among them, ends all work first.
    """
    crew = _Crew(work, begun, threads or torch.get_num_threads())
    total, before, started = begun.done.size, begun.recipe["seconds"], time.monotonic()
    fresh = int(begun.done.sum())

    def now() -> Landscape:
        return landscape.with_recipe(begun, seconds=round(before + time.monotonic() - started, 3))

    try:
        crew.start()
        saved = time.monotonic()
        while crew.wait(SAVE_S / 4):
            done, spent = int(begun.done.sum()), time.monotonic() - started
            if progress and done > fresh:
                left = spent * (total - done) / (done - fresh)
                progress(done, total, f"points, {left:,.0f} s left:")
            if time.monotonic() - saved > SAVE_S:
                crew.quietly(lambda: save(now()))
                saved = time.monotonic()
    finally:
        crew.end()
        save(now())
    crew.raise_what_went_wrong()
    if progress:
        progress(total, total, "points:")
    return now()


class _Crew:
    """Threads that take point after point; the lock guards the landscape's arrays."""

    def __init__(self, work: Work, target: Landscape, count: int):
        self.work, self.target = work, target
        self.taken, self.over = np.zeros_like(target.done), threading.Event()
        self.lock, self.wrong = threading.Lock(), []
        first = Movable(work.checkpoint, work.directions)
        movables = [first, *(first.twin() for _ in range(max(1, min(count, int((~target.done).sum()))) - 1))]
        self.threads = [threading.Thread(target=self._run, args=(movable,), daemon=True) for movable in movables]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most so long; whether anybody is still at work."""
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return any(thread.is_alive() for thread in self.threads)

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def quietly(self, act: Callable[[], None]) -> None:
        with self.lock:
            act()

    def raise_what_went_wrong(self) -> None:
        if self.wrong:
            raise self.wrong[0]

    def _run(self, movable: Movable) -> None:
        torch.set_num_threads(1)  # of this thread only
        try:
            while not self.over.is_set():
                with self.lock:
                    place = landscape.next_point(self.target, self.taken)
                    if place is None:
                        return
                    self.taken[place] = True
                x, y = float(self.target.x[place[1]]), float(self.target.y[place[0]])
                loss, accuracy = movable.loss(x, y, self.work.images, self.work.labels, self.over.is_set)
                with self.lock:
                    landscape.with_point(self.target, place, loss, accuracy)
        except Stopped:
            pass
        except (RuntimeError, MemoryError, ValueError) as error:  # told by the thread that waits
            self.wrong.append(error)
            self.over.set()


def read_or_empty(file: File, work: Work) -> Landscape:
    """What the file holds already, or nothing yet."""
    from . import landscape_file

    return continued(work, landscape_file.read(file)) if file.exists() else work.empty
