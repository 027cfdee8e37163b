"""Files changed at random, taken through every door for as long as one likes.

`python -m tests.reliability.fuzz --seconds 60 --seed 1` draws a whole file, changes it, and opens it. A fault is what
is neither an answer nor one sentence, or costs more than RELIABILITY.md says: its file is kept, and the line that is
printed repeats it. The warden opens the files in forks: what ends a process ends one file.
"""

import argparse
import json
import pickletools
import random
import struct
import sys
import tempfile
import time
import zipfile
from io import BytesIO
from pathlib import Path

from resnet_viz.analysis import plan

from . import good, hostile_lessons
from .hostile_pickles import GADGETS
from .warden import Warden

BATCH = 25  # files of one fork
MOST_S, MOST_BYTES = 5.0, 600 * 2**20
INTERESTING = [0, 1, 7, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1]
TEXTS = [
    b"../",
    b"\0",
    b"\x80\x02",
    b"NaN",
    b"1e999",
    b"-1",
    b"null",
    b"[" * 300,
    b'"\\ud800"',
    "\u202e".encode(),
    b"PK\x05\x06",
    b"9" * 5000,
    *(words.encode("latin1") for words in GADGETS.values()),
]


def change_bytes(draw: random.Random, data: bytes) -> bytes:
    """A few of the usual accidents: bytes flipped, cut, doubled, moved, or replaced by numbers at the edges."""
    data = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        at, length = draw.randrange(len(data) + 1), draw.choice([1, 2, 4, 8, 64, 512])
        kind = draw.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[at : at + length] = draw.randbytes(length)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length] * draw.choice([1, 2, 50])
        elif kind == 4:
            size = draw.choice(["B", "H", "I", "Q"])
            number = draw.choice(INTERESTING) % 2 ** (8 * struct.calcsize(size))
            data[at : at + struct.calcsize(size)] = struct.pack(draw.choice("<>") + size, number)
        elif kind == 5:
            data[at:at] = draw.choice(TEXTS)
        else:
            del data[draw.randrange(len(data) + 1) :]
    return bytes(data)


def change_json(draw: random.Random, text: bytes) -> bytes:
    """One value of a document, wherever it stands, becomes another."""
    values = json.loads(text)
    places = []

    def walk(node):
        for key in range(len(node)) if isinstance(node, list) else list(node) if isinstance(node, dict) else ():
            places.append((node, key))
            walk(node[key])

    walk(values)
    for _ in range(draw.choice([1, 1, 3])):
        node, key = draw.choice(places)
        node[key] = draw.choice(
            [
                None,
                True,
                -1,
                0,
                2**31,
                2**64,
                10**400,
                0.5,
                float("nan"),
                float("inf"),
                "",
                "\ud800",
                "\u202ex",
                "x" * 1000,
                [],
                {},
                [[]] * 50,
                {"a": {}},
                "../../x",
                [1] * 100,
            ]
        )
    return json.dumps(values).encode()


def change_pickle(draw: random.Random, data: bytes) -> bytes:
    """Opcodes left out, doubled, exchanged; or a gadget among them."""
    places = [at for _, _, at in pickletools.genops(data)] + [len(data)]
    parts = [data[a:b] for a, b in zip(places, places[1:])]
    for _ in range(draw.choice([1, 2, 5])):
        at, other = draw.randrange(len(parts)), draw.randrange(len(parts))
        kind = draw.randrange(5)
        if kind == 0:
            parts[at], parts[other] = parts[other], parts[at]
        elif kind == 1:
            parts.insert(at, parts[other] * draw.choice([1, 3, 100]))
        elif kind == 2:
            del parts[at]
            parts = parts or [b"."]
        elif kind == 3:
            parts.insert(
                at,
                draw.choice([op.code.encode("latin1") for op in pickletools.opcodes])
                + draw.randbytes(draw.choice([0, 1, 4])),
            )
        else:
            parts.insert(at, draw.choice(list(GADGETS.values())).encode("latin1"))
    return b"".join(parts)


def change_zip(draw: random.Random, data: bytes) -> bytes:
    """One member changed, and the zip packed again with the right sums: what comes after the unpacking is met too."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = draw.choice(list(members))
    text, kind = members[name], name.rsplit(".")[-1]
    if kind in ("json", "jsonl") and draw.random() < 0.7:
        members[name] = change_json(draw, text)
    elif kind == "pkl" and draw.random() < 0.8:
        members[name] = change_pickle(draw, text)
    elif kind == "safetensors" and draw.random() < 0.7:
        members[name] = change_safetensors(draw, text)
    elif draw.random() < 0.2:
        members[change_bytes(draw, name.encode()).decode("utf-8", "replace") or "x"] = members.pop(name)
    else:
        members[name] = change_bytes(draw, text)
    return good.zipped(members, draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))


def change_safetensors(draw: random.Random, data: bytes) -> bytes:
    (length,) = struct.unpack("<Q", data[:8])
    head = data[8 : 8 + length]
    own = json.loads(head).get("__metadata__", {}).get("resnet_viz")
    if own and draw.random() < 0.5:
        values = json.loads(head)
        values["__metadata__"]["resnet_viz"] = change_json(draw, own.encode()).decode()
        head = json.dumps(values).encode()
    else:
        head = change_json(draw, head)
    return struct.pack("<Q", len(head)) + head + data[8 + length :]


def seeds() -> list[tuple[str, str, bytes, tuple]]:
    """(door, name, whole file, the ways in which it is changed)."""
    found = [("picture", name, good.picture(name), (change_bytes,)) for name in good.FORMATS]
    found += [
        ("weights", "older.pth", good.checkpoint("older.pth"), (change_bytes,)),
        ("weights", "weights.pth", good.checkpoint("weights.pth"), (change_bytes, change_zip, change_zip)),
        ("weights", "wrapped.pth", good.checkpoint("packed.pth"), (change_bytes, change_zip)),
        ("weights", "w.safetensors", good.own(), (change_bytes, change_safetensors, change_safetensors)),
        ("pictures", "p.zip", good.zipped(good.picture_files()), (change_bytes, change_zip)),
        (
            "pictures",
            "t.zip",
            good.zipped(
                {
                    **good.picture_files(),
                    "labels.csv": b"file,kind\n"
                    + b"".join(f"{name},{name.split('/')[1]}\n".encode() for name in good.picture_files()),
                }
            ),
            (change_zip,),
        ),
        ("run", "mine.zip", good.run_archive(), (change_bytes, change_zip, change_zip)),
        ("names", "names.txt", b'{"0": "cat", "1": "dog", "2": "bird"}', (change_bytes, change_json)),
    ]
    found += [
        ("landscape", "l.npz", hostile_lessons.whole(), (change_bytes, change_zip)),
        ("plan", "p.json", plan.SHIPPED.read_bytes(), (change_bytes, change_json, change_json)),
    ]
    return found


def drawn(seed: int, whole: list) -> tuple[str, str, bytes]:
    """(door, name, bytes) of one seed: always the same."""
    draw = random.Random(seed)
    door, name, data, ways = draw.choice(whole)
    return door, name, draw.choice(ways)(draw, data)


def wrong(report: dict) -> str | None:
    """What is wrong with a report, or None."""
    text = report["text"]
    if report["kind"] == "fault":
        return f"{text}\n{report.get('trace', '')}"
    if report["seen"]:
        return f"did {report['seen']}"
    if report["kind"] == "problem" and not (text.isprintable() and text.endswith(".") and 20 < len(text) <= 420):
        return f"not one sentence: {text!r}"
    if report["cpu_s"] > MOST_S or report["grown_bytes"] > MOST_BYTES:
        return f"took {report['cpu_s']:.1f} s, {report['grown_bytes'] / 2**20:,.0f} MiB"
    return None


def fuzz(seconds: float, seed: int, keep: Path, most: int | None = None) -> tuple[int, list[str]]:
    """(files opened, faults in words) from the seed on, until the time is over or `most` files were opened."""
    whole, faults, opened = seeds(), [], 0
    end = None
    with Warden() as warden, tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        end = time.monotonic() + seconds
        while time.monotonic() < end and (most is None or opened < most):
            inside = Path(folder) / "inside"
            inside.mkdir(exist_ok=True)
            jobs = []
            for number in range(seed + opened, seed + opened + min(BATCH, most - opened if most else BATCH)):
                door, name, data = drawn(number, whole)
                path = inside / f"upload-{number}"
                path.write_bytes(data)
                jobs.append((number, door, name, path))
            for (number, _, _, path), report in zip(
                jobs, warden.reports([(door, path, name) for _, door, name, path in jobs], inside)
            ):
                if said := wrong(report):
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"seed-{number}").write_bytes(path.read_bytes())
                    faults.append(
                        f"seed {number}: {said}\nagain: python -m tests.reliability.fuzz --seed {number} --files 1; "
                        f"the file: {keep / f'seed-{number}'}"
                    )
                    print(faults[-1], flush=True)
                path.unlink(missing_ok=True)
            opened += len(jobs)
    return opened, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument(
        "--seed", type=int, default=None, help="where to begin; by default at a place that was never visited"
    )
    parser.add_argument("--files", type=int, default=None)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "resnet-viz-fuzz")
    chosen = parser.parse_args()
    seed = chosen.seed if chosen.seed is not None else time.time_ns() // 1000
    print(f"from seed {seed}", flush=True)
    opened, faults = fuzz(chosen.seconds, seed, chosen.keep, chosen.files)
    print(f"{opened:,} files from seed {seed}, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
