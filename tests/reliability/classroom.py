"""Students of a class: what each of them does, and how it is known that what it sees is its own.

Every student has pictures and, some of them, a weights file of its own; all files have the same names, so that whatever the
server mixed up would be another's. What must be on the screen is worked out beforehand, here, without the server.
"""

import base64
import io
import json
import random
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save

from resnet_viz import beginnings, checkpoints
from resnet_viz.analysis.feature_maps import feature_maps
from resnet_viz.data import examples, uploads
from resnet_viz.data.preprocessing import see

from .visitor import Visitor

CHOICES = ("resnet20-cifar10-jpeg", "plain20-cifar10-jpeg", "resnet20-short-cifar10-jpeg", "resnet56-cifar10-jpeg")
OWN = "mine.safetensors"
TURNS = 3  # pictures of a student
PHONE = (3000, 4000)  # a photograph as phones take them, every third student's; the others' have 32 x 32 pixels
FAR = 8.0  # mean distance of two pictures' colours (0 to 255) above which they are not the same
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


class Mixed(Exception):
    """A student saw what is not its own."""


@dataclass(frozen=True)
class Picture:
    """A file, and the colours of its middle square in 8 x 8 fields."""

    data: bytes
    colours: np.ndarray


@dataclass(frozen=True)
class Truth:
    """What a checkpoint says of a picture: class, its probability in percent; mean and maximum of each map of act1."""

    label: str
    percent: float
    maps: np.ndarray


def fields(picture: Image.Image) -> np.ndarray:
    """Colours of the middle square, float [8, 8, 3], 0 to 255."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.convert("RGB").crop((left, top, left + side, top + side))
    return np.asarray(square.resize((8, 8), Image.Resampling.BOX), dtype=float)


@cache
def picture(student: int, turn: int) -> Picture:
    """A piece of an example photograph that nobody else has."""
    draws = random.Random(1000 * student + turn)
    photographs = examples.examples()
    whole = examples.read(photographs[(student + turn) % len(photographs)])
    side = draws.randint(min(whole.size) // 3, min(whole.size) // 2)
    left, top = draws.randint(0, whole.width - side), draws.randint(0, whole.height - side)
    phone = student % 3 == 1
    piece = whole.crop((left, top, left + side, top + side)).resize(PHONE if phone else (32, 32))
    file = io.BytesIO()
    piece.save(file, "JPEG", quality=85) if phone else piece.save(file, "PNG")
    return Picture(file.getvalue(), fields(piece))


@cache
def own_weights(student: int) -> bytes:
    """The first checkpoint with its classes turned: it calls everything by another name than the other students' do."""
    state = dict(checkpoint(CHOICES[0]).state)
    for name in ("fc.weight", "fc.bias"):
        state[name] = state[name].roll(1 + student % 9, 0).contiguous()
    return save(state)


@cache
def checkpoint(name: str, student: int | None = None) -> checkpoints.Checkpoint:
    if student is None:
        return checkpoints.read(checkpoints.find(str(checkpoints.BUNDLED / name)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / OWN
        path.write_bytes(own_weights(student))
        return checkpoints.read(path)


@cache
def model(name: str, student: int | None):
    return checkpoints.model(checkpoint(name, student))


@cache
def truth(name: str, owner: int | None, student: int, turn: int) -> Truth:
    """By PyTorch alone, apart from reading the files."""
    about = checkpoint(name, owner)
    inputs = see(uploads.decode(picture(student, turn).data, "photo").image, about.preprocessing).tensor
    with torch.inference_mode():
        shares = torch.softmax(model(name, owner)(inputs)[0], 0)
    seen = feature_maps(model(name, owner), inputs, "act1")
    place = int(shares.argmax())
    label = about.classes[place] if about.classes else str(place)
    return Truth(label, 100 * float(shares[place]), np.stack([seen.mean, seen.maximum], 1))


@cache
def kernels(name: str) -> tuple[np.ndarray, float]:
    """(norms of the first layer's filters, how far they moved in training, in lengths of the first ones)"""
    now, before = checkpoint(name).state["conv1.weight"], beginnings.of(checkpoint(name)).checkpoint.state["conv1.weight"]
    return now.flatten(1).norm(dim=1).numpy(), float((now - before).norm() / before.norm())


def packed(data: bytes) -> tuple[dict, bytes]:
    """(head, the rest) of what the components are given as bytes."""
    length = int.from_bytes(data[:4], "little")
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def numbers(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]


class Student:
    """One of the class, numbered from 0: `lesson` is a lap of interactions; after each of them its screen is checked."""

    def __init__(self, number: int, count: int, url: str, think_s: float):
        self.number, self.count, self.url, self.think_s = number, count, url, think_s
        self.draws, self.visitor = random.Random(number), Visitor(url)
        self.faithful = number % 3 == 0  # never chooses another checkpoint: nobody else's choice may change its own
        self.brings = number % 6 == 4  # a weights file of its own
        self.turn, self.checks = 0, 0

    @property
    def owner(self) -> int | None:
        return self.number if self.chosen == OWN else None

    def prepare(self) -> None:
        """Work out all that will have to be on its screen."""
        for turn in range(TURNS):
            for name in CHOICES:
                truth(name, None, self.number, turn)
            if self.brings:
                truth(OWN, self.number, self.number, turn)
        for name in CHOICES:
            kernels(name)

    def lesson(self):
        """A generator: each step is one interaction; between two of them the student thinks."""
        self.chosen = CHOICES[self.number % len(CHOICES)]
        self.visitor = Visitor(self.url, timings=self.visitor.timings).open("predictions", f"checkpoint={self.chosen}")
        yield self.check_checkpoint()
        for lap in range(2):
            self.visitor.upload(self.visitor.key("predictions_files"), "photo.jpg", picture(self.number, self.turn).data)
            yield self.check_answer()
            if self.brings:
                self.visitor.upload(f"open_{lap}", OWN, own_weights(self.number))
                self.chosen = OWN
                yield self.check_answer()
            self.visitor.go("feature_maps")
            yield self.check_strips()
            self.visitor.choose("look", "One layer")
            yield self.check_maps()
            self.visitor.press("map_wall", place := self.draws.randrange(16))
            if not any(text.startswith(f"**Map {place} of act1**") for text in self.visitor.texts()):
                raise Mixed(f"map {place} was picked and {self.visitor.texts()} came")
            yield self.check_maps()
            if not self.faithful:
                self.chosen = self.draws.choice([name for name in CHOICES if name != self.chosen])
                self.visitor.choose("checkpoint", self.chosen)
                yield self.check_maps()
            self.visitor.go("kernels")
            yield self.check_kernels()
            self.visitor.choose("view", "Formula")
            yield self.check_kernels()
            self.visitor.choose("view", "Story")
            yield self.check_kernels()
            self.visitor.go("predictions")
            yield self.check_answer()
            self.turn = (self.turn + 1) % TURNS
        self.visitor.close()

    def think(self) -> float:
        return self.draws.uniform(0.4, 1.6) * self.think_s

    # Is it its own?

    def check_checkpoint(self) -> None:
        self.checks += 1
        values = [state.string_value for name, state in self.visitor.values.items() if name.endswith("-checkpoint")]
        about = checkpoint(self.chosen, self.owner)
        accuracy = about.metrics.get("test_accuracy")
        wanted = f"{about.network}, {about.heads[0]} classes"
        said = [text for text in self.visitor.texts() if text.startswith(wanted)]
        if values != [self.chosen] or not said or accuracy and f"{100 * accuracy:.1f} % test" not in said[0]:
            raise Mixed(f"{self.chosen} was chosen, the screen says {values} and {said or self.visitor.texts()}")

    def check_picture(self, shown: bytes) -> None:
        """Of all pictures of the class this one is the nearest, and near."""
        colours = fields(Image.open(io.BytesIO(shown)))
        far = {(student, turn): float(np.abs(colours - picture(student, turn).colours).mean())
               for student in range(self.count) for turn in range(TURNS)}
        nearest = min(far, key=far.get)
        if nearest != (self.number, self.turn) or far[nearest] > FAR:
            raise Mixed(f"student {self.number} sees the picture of {nearest}, {far[nearest]:.1f} away")

    def check_answer(self) -> None:
        self.check_checkpoint()
        strip = self.visitor.data("predictions_strip")
        if strip["chosen"] != "own-0":
            raise Mixed(f"the picture in view is {strip['chosen']}")
        self.check_picture(base64.b64decode(strip["pictures"][0]["src"].partition(",")[2]))
        if self.number % 3 != 1:
            self.check_picture(self.visitor.images()[0])  # square: it has no frame
        wanted, said = self.truth(), self.visitor.texts("heading")
        label, _, share = said[1].rpartition(", ")
        if label != wanted.label or abs(numbers(share)[0] - wanted.percent) > 0.11:
            raise Mixed(f"{self.chosen} says {wanted.label}, {wanted.percent:.1f} %, the screen {said[1]!r}")

    def check_strips(self) -> None:
        self.check_checkpoint()
        head, files = packed(self.visitor.data("network_strips"))
        self.check_picture(files[: head["strips"][0]["bytes"]])
        if head["strips"][-1]["line"].removeprefix("10 numbers; largest: ").removeprefix("number ") != self.truth().label:
            raise Mixed(f"the last layer should say {self.truth().label}: {head['strips'][-1]['line']!r}")

    def check_maps(self) -> None:
        self.check_checkpoint()
        head, _ = packed(self.visitor.data("map_wall"))
        said = np.array([numbers(name.partition(": ")[2])[:2] for name in head["names"]])
        if not np.allclose(said, self.truth().maps, rtol=6e-3, atol=1e-6):
            raise Mixed(f"the maps' means and largest values are not those of {self.chosen} on this picture")
        head, parts = packed(self.visitor.data("map_cell"))
        self.check_picture(parts[: head["panels"][0]["bytes"]])

    def check_kernels(self) -> None:
        self.check_checkpoint()
        norms, moved = kernels(CHOICES[0] if self.chosen == OWN else self.chosen)
        head, _ = packed(self.visitor.data("kernel_wall"))
        said = np.array([numbers(name.partition("norm ")[2])[0] for name in head["names"]])
        if not np.allclose(said, norms, rtol=6e-3):
            raise Mixed(f"the norms are not those of {self.chosen}")
        story = [text for text in self.visitor.texts() if "times their length" in text]
        if story and f"**{moved:.2f}** times" not in story[0]:
            raise Mixed(f"the kernels moved by {moved:.2f}, the screen says {story}")

    def truth(self) -> Truth:
        return truth(self.chosen, self.owner, self.number, self.turn)


class Onlooker:
    """One who leaves the live page open."""

    def __init__(self, url: str):
        self.url, self.visitor, self.points, self.checks = url, Visitor(url), 0, 0

    def prepare(self) -> None:
        pass

    def think(self) -> float:
        return 5.0

    def lesson(self):
        self.visitor.open("training", "run=runs/live")
        while True:
            yield self.check()

    def check(self) -> None:
        """The run is that of the link, and its curve never loses a point."""
        self.checks += 1
        head, _ = packed(self.visitor.data(self.visitor.key("loss-live")))
        points = max((line["total"] for line in head["lines"]), default=0)
        if points < self.points:
            raise Mixed(f"the curve had {self.points} points and now has {points}")
        self.points = points
