"""Whole files, small and always the same bytes: what hostile ones are made from, and what must still open."""

import io
import json
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save as to_safetensors

from resnet_viz.networks import zoo

FORMATS = {  # what a picture is called -> how Pillow writes it
    "photo.png": ("PNG", {}),
    "photo.jpg": ("JPEG", {"quality": 90}),
    "progressive.jpg": ("JPEG", {"quality": 90, "progressive": True}),
    "photo.webp": ("WEBP", {"lossless": True}),
    "moving.gif": ("GIF", {"save_all": True}),
    "photo.bmp": ("BMP", {}),
    "photo.tiff": ("TIFF", {"compression": "tiff_lzw"}),
    "photo.avif": ("AVIF", {"quality": 80}),
    "photo.ppm": ("PPM", {}),
}
CONTAINERS = ("weights.pth", "older.pth", "weights.safetensors", "packed.pth")
SIZE = (64, 48)


def photo(seed: int = 0, size: tuple[int, int] = SIZE) -> Image.Image:
    """Noise over a ramp: nothing that packs to nothing."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 200, size[0])[None, :, None]
    return Image.fromarray((ramp + rng.integers(0, 56, (size[1], size[0], 3))).astype(np.uint8))


@lru_cache(maxsize=64)
def picture(name: str, seed: int = 0, size: tuple[int, int] = SIZE) -> bytes:
    kind, options = FORMATS[name]
    if options.get("save_all"):
        options = {**options, "append_images": [photo(seed + 1, size), photo(seed + 2, size)]}
    file = io.BytesIO()
    photo(seed, size).save(file, kind, **options)
    return file.getvalue()


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, how)  # a ZipInfo of its own: the same moment in every zip
    return target.getvalue()


@lru_cache(maxsize=1)
def picture_files() -> dict[str, bytes]:
    """Two classes of three pictures, for training and for the test."""
    return {
        f"{split}/{label}/{number}.png": picture("photo.png", 10 * place + number, (32, 32))
        for split in ("train", "test")
        for place, label in enumerate(("cat", "dog"))
        for number in range(3)
    }


@lru_cache(maxsize=1)
def state() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    empty = zoo.build("resnet8", device="meta").state_dict()
    drawn = {
        name: torch.rand(t.shape, generator=generator) * 0.2 + (0.9 if t.ndim == 1 else -0.1)
        if t.is_floating_point()
        else torch.zeros(t.shape, dtype=t.dtype)
        for name, t in empty.items()
    }
    return {**drawn, "fc.weight": drawn["fc.weight"] * 3}


def torch_file(content, older: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not older)
    return file.getvalue()


def repacked(data: bytes, how: int, **changes) -> bytes:
    """A zip's members again, some with other bytes: `changes` are by the end of their names, dots as underscores."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    for ending, change in changes.items():
        name = next(name for name in members if name.replace(".", "_").replace("/", "_").endswith(ending))
        members[name] = change(members[name]) if callable(change) else change
    return zipped(members, how)


def header(**changes) -> dict:
    return {
        "format_version": 1,
        "network": "resnet8",
        "arguments": {"heads": [10]},
        "classes": [f"class {i}" for i in range(10)],
        "preprocessing": {"size": 32, "resize": 32, "mean": [0.5] * 3, "std": [0.25] * 3},
        "epoch": 2,
        "metrics": {"val_accuracy": 0.5},
        "data": "shapes",
        "seed": 0,
        **changes,
    }


def own(tensors: dict | None = None, text: str | None = None, **changes) -> bytes:
    """This project's safetensors, its header changed, or given as a text."""
    tensors = state() if tensors is None else tensors
    told = json.dumps(header(**changes)) if text is None else text
    return to_safetensors({name: t.numpy() for name, t in tensors.items()}, {"resnet_viz": told})


@lru_cache(maxsize=8)
def checkpoint(name: str) -> bytes:
    return {
        "weights.pth": lambda: torch_file(state()),
        "older.pth": lambda: torch_file(state(), older=True),
        "weights.safetensors": own,
        "packed.pth": lambda: repacked(torch_file({"epoch": 3, "model": state()}), zipfile.ZIP_DEFLATED),
    }[name]()


@lru_cache(maxsize=1)
def run_files() -> dict[str, bytes]:
    """A finished run: every kind of file that a run's archive may hold."""
    row = {
        "split": "train",
        "epoch": 0,
        "step": 1,
        "images": 128,
        "loss": 2.3,
        "accuracy": 0.1,
        "lr": 0.1,
        "elapsed_s": 0.1,
    }
    snapshot = to_safetensors(
        {"conv1.weight": state()["conv1.weight"].numpy()}, {"step": "1", "epoch": "0", "images": "128", "lr": "0.1"}
    )
    texts = {
        "config.json": {"network": "resnet8", "epochs": 2},
        "status.json": {"state": "finished", "epoch": 2, "step": 16, "total_steps": 16, "message": "finished"},
        "person.json": {"name": "Mine", "note": "why", "star": True},
        "metrics.jsonl": row,
        "events.jsonl": {"id": "1", "command": "lr", "value": 0.01, "step": 3, "time": 1.0},
        "gradients.jsonl": {"step": 1, "epoch": 0, "norm": {"fc": 1.0}, "update_ratio": {"fc": 0.1}},
    }
    return {f"mine/{name}": json.dumps(value).encode() + b"\n" for name, value in texts.items()} | {
        "mine/best.safetensors": own(),
        "mine/snapshots/00000001.safetensors": snapshot,
    }


def run_archive(**changes) -> bytes:
    """The run as a zip; `changes` (or what gives them) by file name in the run, dots and slashes as underscores."""
    files = dict(run_files())
    for key, data in changes.items():
        name = next(
            (name for name in files if name.removeprefix("mine/").replace(".", "_").replace("/", "_") == key), key
        )
        files[name] = data() if callable(data) else data
    return zipped(files)


def warm() -> None:
    """Take every good file through its door once."""
    import os

    from resnet_viz.analysis import plan

    from .doors import DOORS
    from .hostile_lessons import whole as landscape

    files = [("picture", name, picture(name)) for name in FORMATS] + [
        ("weights", name, checkpoint(name)) for name in CONTAINERS
    ]
    files += [
        ("pictures", "p.zip", zipped(picture_files())),
        ("run", "r.zip", run_archive()),
        ("names", "n.txt", b"a\nb\nc"),
    ]
    files += [("landscape", "l.npz", landscape()), ("plan", "p.json", plan.SHIPPED.read_bytes())]
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"RESNET_VIZ_RUNS": f"{folder}/runs", "RESNET_VIZ_DATA": f"{folder}/data"}
        for number, (door, name, data) in enumerate(files):
            path = Path(folder) / f"{number}-{name}"
            path.write_bytes(data)
            DOORS[door](path, name)
