"""Zips and folders of pictures that lead elsewhere, unpack to more than they say, or hold one name twice."""

import bz2
import io
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from . import good
from .cases import EITHER, PROBLEM, Case, answer, flips, problem, truncations
from .made_pictures import many_scans, png, zeros

SIX = answer("6 of 6 pictures of cat, dog")
WAYS_OUT = {
    "up": "../evil.png",
    "up from inside": "train/cat/../../../../evil.png",
    "from the root": "/tmp/evil.png",
    "from a drive": "C:/evil.png",
    "from a drive by backslashes": "C:\\evil.png",
    "up by backslashes": "train\\..\\..\\evil.png",
    "to a share": "\\\\server\\share\\evil.png",
    "to a device": "//./PhysicalDrive0",
    "of two dots and spaces": "train/cat/.. /evil.png",
    "to a home": "~/evil.png",
}
STRANGE = {
    "that turns the text": "train/cat/\u202egnp.exe.png",
    "of control characters": "train/cat/\x1b[2J\x07\n.png",
    "with a zero": "train/cat/a\0b.png",
    "of a stream": "train/cat/a.png:evil",
    "of a Windows device": "train/cat/CON.png",
    "of 60,000 characters": "train/cat/" + "a" * 60_000 + ".png",
    "with nothing between": "train//cat//a.png",
    "of dots": "train/cat/....png",
    "hidden": "train/cat/.a.png",
    "of folders 5,000 deep": "train/cat/" + "a/" * 5000 + "a.png",
    "of Markdown": "train/cat/![x](http:x)<script>.png",
}


def with_files(how: int = zipfile.ZIP_DEFLATED, **more: bytes) -> bytes:
    return good.zipped({**good.picture_files(), **more}, how)


def with_member(name: str, data: bytes = b"x", mode: int = 0o100644) -> bytes:
    target, info = io.BytesIO(with_files()), zipfile.ZipInfo("x")
    info.filename, info.external_attr = name, mode << 16
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(info, data)
    return target.getvalue()


def one_class_named(name: str) -> bytes:
    files = {path.replace("/cat/", f"/{name}/"): data for path, data in good.picture_files().items()}
    return good.zipped(files)


def lying(ratio_bytes: int, said: int = 8, method: int = 8) -> bytes:
    """A picture that says it unpacks to a few bytes and unpacks to many."""
    if method == 12:
        packed = bz2.compress(bytes(ratio_bytes))
    else:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        megabyte = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)  # such pieces can follow one another
        packed = megabyte * (ratio_bytes // 2**20) + packer.flush()
    name, whole = b"train/cat/zz.png", bytearray(with_files())
    end = whole.rindex(b"PK\x05\x06")
    count, size, at = struct.unpack("<HII", whole[end + 10 : end + 20])
    about = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 33, 0, len(packed), said, len(name), 0)
    local = b"PK\x03\x04" + about + name + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + about + struct.pack("<HHHII", 0, 0, 0, 0, at) + name
    return (
        bytes(whole[:at])
        + local
        + bytes(whole[at:end])
        + central
        + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count + 1, count + 1, size + len(central), at + len(local), 0)
    )


def encrypted() -> bytes:
    data = bytearray(with_files())
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(sign) + place] |= 1
    return bytes(data)


def many(count: int) -> bytes:
    return good.zipped(
        {**good.picture_files(), **{f"train/cat/x{n}.txt": b"" for n in range(count)}}, zipfile.ZIP_STORED
    )


def table(text: str | bytes) -> bytes:
    return with_files(**{"labels.csv": text.encode() if isinstance(text, str) else text})


GOOD_TABLE = "file,kind\n" + "".join(f"{name},{name.split('/')[1]}\n" for name in good.picture_files())


def tables() -> list[Case]:
    return [
        Case(f"table {name}", "pictures", lambda text=text: table(text() if callable(text) else text), wanted, "p.zip")
        for name, text, wanted in (
            ("that is whole", GOOD_TABLE, SIX),
            ("in bytes that are no text", b"file,kind\n\xff\xfe", problem("not a readable table")),
            ("with a zero in it", GOOD_TABLE + "a\0b,c\n", PROBLEM),
            ("that leads elsewhere", GOOD_TABLE + "../../../etc/passwd,cat\n", PROBLEM),
            ("of one field of 10 MB", lambda: "file," + "x" * 10_000_000, PROBLEM),
            ("of 60 MB of commas", lambda: "file,kind" + "," * 60_000_000, PROBLEM),
            ("of 3 million lines of one picture", lambda: "file,kind\n" + "train/cat/0.png,a\n" * 3_000_000, PROBLEM),
            ("of 20 million empty lines", lambda: GOOD_TABLE + "\n" * 20_000_000, EITHER),
            (
                "of numbers of 9,000 digits",
                GOOD_TABLE.replace(",cat", "," + "1" * 9000).replace(",dog", "," + "2" * 9000),
                EITHER,
            ),
            ("of numbers of another script", GOOD_TABLE.replace(",cat", ",\u0663").replace(",dog", ",\u00b2"), EITHER),
            (
                "of 5,000 columns",
                "file," + ",".join(f"c{n}" for n in range(5000)) + "\ntrain/cat/0.png" + ",a" * 5000 + "\n",
                PROBLEM,
            ),
            ("with a quote that never ends", GOOD_TABLE + '"' + "x" * 100_000, PROBLEM),
            ("that is empty", "", PROBLEM),
            ("of formulas", GOOD_TABLE.replace(",cat", ",=cmd|'/c calc'!A1"), answer("6 of 6")),
        )
    ]


def deep(path: Path) -> None:
    """Class folders within class folders, as deep as the system lets one go step by step."""
    for name, data in good.picture_files().items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    here = os.open(path / "train" / "cat", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def odd_files(path: Path) -> None:
    """A pipe, a link in a loop and a link to nowhere among the pictures."""
    for name, data in good.picture_files().items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    os.mkfifo(path / "train" / "cat" / "pipe.png")
    (path / "train" / "cat" / "loop").symlink_to(path / "train")
    (path / "train" / "loop").symlink_to(path / "train")
    (path / "train" / "dog" / "nowhere.png").symlink_to(path / "nothing")
    os.mkfifo(path / "labels.csv.png")


def cases() -> list[Case]:
    whole = lambda: with_files()  # noqa: E731
    found = [
        Case("whole zip of pictures", "pictures", whole, SIX, "p.zip"),
        *truncations("zip of pictures", "pictures", "p.zip", whole),
        *flips("zip of pictures", "pictures", "p.zip", whole, 16),
    ]
    found += [
        Case(
            f"zip with a name {what}",
            "pictures",
            lambda n=name: with_member(n),
            PROBLEM if what not in ("to a home", "of two dots and spaces") else EITHER,
            "p.zip",
        )
        for what, name in WAYS_OUT.items()
    ]
    found += [Case("zip with a name of nothing", "pictures", lambda: with_member(""), problem("has no name"), "p.zip")]
    found += [
        Case(
            f"zip with a picture's name {what}",
            "pictures",
            lambda n=name: with_member(n, good.picture("photo.png", 0, (32, 32))),
            answer("[67] of [67]"),
            "p.zip",
        )
        for what, name in STRANGE.items()
    ]
    names = {
        "that turns the text": "\u202ecat",
        "of control characters": "\x1b[2J\n",
        "of half a tag": "<img src=x onerror=alert(1)>",
        "of 3,000 characters": "c" * 3000,
    }
    found += [
        Case(f"class with a name {what}", "pictures", lambda n=name: one_class_named(n), EITHER, "p.zip")
        for what, name in names.items()
    ]
    big = lambda: png(6300, 6300, colour=6)  # noqa: E731
    found += [
        Case(name, "pictures", make, wanted, "p.zip")
        for name, make, wanted in (
            (
                "zip with a link",
                lambda: with_member("train/cat/l.png", b"/etc/passwd", stat.S_IFLNK | 0o777),
                problem("symbolic link"),
            ),
            ("zip with a device", lambda: with_member("train/cat/l.png", b"x", stat.S_IFCHR | 0o666), EITHER),
            ("zip that is encrypted", encrypted, problem("encrypted")),
            ("zip of nothing", lambda: good.zipped({}), problem("empty")),
            (
                "zip of one class",
                lambda: good.zipped({"train/cat/0.png": good.picture("photo.png")}),
                problem("only one class"),
            ),
            (
                "zip with classes that differ in capitals",
                lambda: with_files(
                    **{"train/Cat/9.png": good.picture("photo.png"), "test/Cat/9.png": good.picture("photo.png")}
                ),
                answer("Cat, cat, dog"),
            ),
            (
                "zip with pictures that differ in capitals",
                lambda: with_files(**{"train/cat/0.PNG": good.picture("photo.png")}),
                answer("7 of 7"),
            ),
            ("zip with a picture twice", lambda: with_member("train/cat/0.png", good.picture("photo.png")), EITHER),
            (
                "zip with a picture of 60 MB of zeros",
                lambda: with_files(**{"train/cat/z.png": bytes(60_000_000)}),
                answer("6 of 7"),
            ),
            (
                "zip with a picture of 70 MB of zeros",
                lambda: with_files(**{"train/cat/z.png": bytes(70_000_000)}),
                problem("unpacks to"),
            ),
            ("zip with a picture that says 8 bytes and unpacks to 3 GB", lambda: lying(3 * 2**30), EITHER),
            ("zip with a picture that says 60 MB and unpacks to 3 GB", lambda: lying(3 * 2**30, 60_000_000), EITHER),
            (
                "zip packed by bzip2 that says 8 bytes and unpacks to 50 MB",
                lambda: lying(50_000_000, method=12),
                problem("packed in a way"),
            ),
            ("zip packed by bzip2", lambda: with_files(zipfile.ZIP_BZIP2), EITHER),
            ("zip packed by LZMA", lambda: with_files(zipfile.ZIP_LZMA), EITHER),
            ("zip in a zip", lambda: good.zipped({"inner.zip": whole()}), problem("no pictures")),
            ("zip of 100,000 files", lambda: many(100_000), SIX),
            (
                "zip with a bomb among the pictures",
                lambda: with_files(**{"train/cat/b.png": png(2**16, 2**16, zeros(99))}),
                answer("6 of 7"),
            ),
            (
                "zip with a picture just within the limit",
                lambda: with_files(**{"train/cat/b.png": big()}),
                answer("7 of 7"),
            ),
            (
                "zip with a JPEG of 3,000 scans",
                lambda: with_files(**{"train/cat/b.jpg": many_scans(6000, 3000)}),
                answer("6 of 7"),
            ),
            (
                "zip of what is no picture",
                lambda: good.zipped({name: b"x" for name in good.picture_files()}),
                problem("could be read"),
            ),
            ("zip after a program", lambda: b"\x7fELF" + bytes(5000) + whole(), EITHER),
            ("no zip", lambda: b"Rar!\x1a\x07" + bytes(99), PROBLEM),
            ("no bytes", lambda: b"", PROBLEM),
        )
    ]
    return (
        found
        + tables()
        + [
            Case("folder 1,500 deep", "pictures", deep, EITHER, "p", folder=True),
            Case("folder of pipes and loops", "pictures", odd_files, answer("cat, dog, loop"), "p", folder=True),
        ]
    )
