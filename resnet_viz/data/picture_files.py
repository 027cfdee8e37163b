"""The head of a picture file, read so that a hostile file costs neither the time nor the memory that it asks for.

Pillow checks the number of pixels and little else: it walks through every block of a file, keeps a record of every
strip, decodes some old ways of packing number by number in Python, and leaves it to a JPEG how often all its pixels are
gone over. Each of these has a limit here, far above what cameras and programs write.
"""

import io
import struct
from collections.abc import Sequence

from PIL import Image

MOST_READS = 2_000_000  # calls of read: blocks of a GIF, chunks of a PNG, runs of a BMP, numbers of an odd PGM
MOST_STRIPS = 200_000  # of a TIFF: one a row, or tiles of 16 x 16 in the largest picture
MOST_PAGES = 1_000  # of a TIFF that are counted
MOST_SCANNED = 1_200_000_000  # pixels of a progressive JPEG times the scans that go over them; cameras write ten
MOST_TEXT_BYTES = 8 * 2**20  # of a PPM whose numbers are written out
STRIPS = (273, 324)  # tags: where the strips or the tiles of a page lie


class Laborious(ValueError):
    """The file asks for more work than any honest picture of its size."""


class _Counted(io.BytesIO):
    """Bytes that can be read in so many pieces; whoever goes through a file block by block comes to an end."""

    left = MOST_READS

    def read(self, size: int | None = -1) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise Laborious("made of too many pieces")
        return super().read(size)


def opened(data: bytes, formats: Sequence[str]) -> Image.Image:
    """The picture with format and size known, no pixel decoded. Laborious, or what Pillow raises for broken files."""
    for strips, _ in _pages(data, 1):
        if strips > MOST_STRIPS:
            raise Laborious("made of too many strips")
    image = Image.open(_Counted(data), formats=formats)
    if image.format in ("JPEG", "MPO") and data.count(b"\xff\xda") * image.width * image.height > MOST_SCANNED:
        if image.info.get("progressive"):
            raise Laborious("stored in too many scans")
    if image.tile and image.tile[0].codec_name == "ppm_plain" and len(data) > MOST_TEXT_BYTES:
        raise Laborious("written out in numbers")
    return image


def count(image: Image.Image, data: bytes) -> int:
    """How many frames or pages the file has; of a TIFF at most MOST_PAGES are counted."""
    if image.format == "TIFF":
        return max(1, sum(1 for _ in _pages(data, MOST_PAGES)))
    return getattr(image, "n_frames", 1)


def _pages(data: bytes, most: int):
    """(strips, place) of the pages of a TIFF, up to so many; nothing for another format, an end where one breaks."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or data[2:4] not in (b"*\0", b"\0*", b"+\0", b"\0+"):
        return
    large = b"+" in data[2:4]
    number, entry, place = ("Q", "HHQQ", 8) if large else ("H", "HHII", 4)
    pointer, length = ("Q", 20) if large else ("I", 12)
    try:
        (at,) = struct.unpack_from(order + pointer, data, place)
        while at and most:
            (tags,) = struct.unpack_from(order + number, data, at)
            first, strips = at + struct.calcsize("<" + number), 0
            for tag in range(min(tags, 2**16)):
                kind, _, count_, _ = struct.unpack_from(order + entry, data, first + tag * length)
                strips = max(strips, count_) if kind in STRIPS else strips
            yield strips, at
            (at,) = struct.unpack_from(order + pointer, data, first + tags * length)
            most -= 1
    except (struct.error, OverflowError):
        return
