"""Pictures byte by byte, as no program would write them: what the hostile ones are."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from . import good

EIGHT_BY_EIGHT = bytes.fromhex(
    "080f0001081c48b0a0c18308132a4c181000"
)  # the pixels of a GIF of one colour, as Pillow packs them


def chunk(kind: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return (
        struct.pack(">I", len(data) if length is None else length)
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
    )


def png(width: int, height: int, *chunks: bytes, bits: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    """A PNG of the chunks given; where there are none, of zeros, as many as it says."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced))
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    body = chunks or (zeros(height * (1 + (width * channels * bits + 7) // 8)),)
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(body) + chunk(b"IEND")


def zeros(count: int, kind: bytes = b"IDAT", before: bytes = b"") -> bytes:
    packer = zlib.compressobj(1)
    pieces = [packer.compress(bytes(min(2**20, count - done))) for done in range(0, count, 2**20)]
    return chunk(kind, before + b"".join(pieces) + packer.flush())


def with_chunk(extra: bytes) -> bytes:
    """The good PNG with a chunk more after its head."""
    data = good.picture("photo.png")
    return data[:33] + extra + data[33:]


def written(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def many_scans(side: int, times: int) -> bytes:
    """A progressive JPEG whose last scan is there again and again: each walks over the whole picture."""
    data = written(Image.new("L", (side, side), 100), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * times + data[-2:]


def jpeg_of(width: int, height: int, **options) -> bytes:
    """A JPEG whose head announces another size than it has pixels for."""
    data = good.picture("progressive.jpg" if options else "photo.jpg")
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def gif(frames: int, comment: bytes = b"", size: tuple[int, int] = (8, 8), first: tuple[int, int] = (8, 8)) -> bytes:
    head = b"GIF89a" + struct.pack("<HH", *size) + b"\xf0\0\0" + b"\0\0\0\xff\xff\xff"
    told = (
        b"!\xfe"
        + b"".join(bytes([len(part)]) + part for part in (comment[i : i + 255] for i in range(0, len(comment), 255)))
        + b"\0"
        if comment
        else b""
    )
    frame = b"," + struct.pack("<HHHH", 0, 0, *first) + b"\0" + EIGHT_BY_EIGHT
    return head + told + frame * frames + b";"


def tiff(*tags: tuple[int, int, int, int], tail: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF of one directory: (tag, type, count, value) each."""
    directory = (
        struct.pack("<H", len(tags))
        + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        + struct.pack("<I", following)
    )
    return b"II*\0" + struct.pack("<I", 8) + directory + tail


def grey_tiff(width: int, height: int, rows: int, count: int, kind: int = 4) -> bytes:
    """A grey TIFF in `count` strips of so many rows, all of which lie at one place."""
    begin = 8 + 2 + 9 * 12 + 4
    tags = (
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, kind, count, begin),
        (277, 3, 1, 1),
        (278, 4, 1, rows),
        (279, kind, count, begin),
    )
    return tiff(*tags, tail=struct.pack("<I", 8) * count)


def pages(count: int) -> bytes:
    """A TIFF of one grey pixel a page, all of them the same."""
    size = 2 + 9 * 12 + 4
    tags = (
        (256, 4, 1, 1),
        (257, 4, 1, 1),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, 1),
        (279, 4, 1, 1),
    )
    return b"II*\0\x08\0\0\0" + b"".join(
        tiff(*tags, following=8 + size * (number + 1) if number + 1 < count else 0)[8:] for number in range(count)
    )


def floats(values) -> bytes:
    return written(Image.fromarray(np.array(values, np.float32)), "TIFF")


def rle(side: int) -> bytes:
    """A BMP whose runs are each one pixel long."""
    body = (b"\x01\x05" * side + b"\0\0") * side + b"\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(body), 0, 0, 256, 0) + bytes(1024)
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(body), 0, 0, 14 + len(head)) + head + body


def exif_loop() -> bytes:
    """A JPEG whose EXIF directory is followed by itself, and whose tags lie far outside."""
    exif = b"Exif\0\0" + tiff((0x8769, 4, 1, 8), (0x0112, 2, 2**31, 2**31), following=8)
    data = good.picture("photo.jpg")
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def padded(kind: bytes, size: int, count: int) -> bytes:
    data = good.picture("photo.jpg")
    return data[:2] + (kind + struct.pack(">H", size + 2) + b"x" * size) * count + data[2:]


def mpo_of_many() -> bytes:
    index = b"MPF\0" + tiff((0xB000, 7, 4, 0x30303130), (0xB001, 4, 1, 2**31), (0xB002, 7, 2**30, 50))
    data = good.picture("photo.jpg")
    return data[:2] + b"\xff\xe2" + struct.pack(">H", len(index) + 2) + index + data[2:]


def webp_of(width: int, height: int) -> bytes:
    body = (
        b"VP8X"
        + struct.pack("<I", 10)
        + b"\x02\0\0\0"
        + struct.pack("<I", width - 1)[:3]
        + struct.pack("<I", height - 1)[:3]
    )
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6) + b"ANMF" + struct.pack("<I", 24 + 8) + bytes(32)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def avif_of(width: int, height: int) -> bytes:
    data = good.picture("photo.avif")
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]
