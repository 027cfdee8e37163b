"""Pictures from anywhere, brought to upright 8-bit RGB, or refused in one sentence.

A plain convert("RGB") is silently wrong for many valid files: 16-bit greys turn white, transparent pixels show the
colour that lay hidden under them, and the camera's rotation mark is ignored.
"""

import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..problems import Problem
from . import picture_files

LIMIT_BYTES = 50 * 2**20
LIMIT_PIXELS = 40_000_000  # decoded as a whole: about half a gigabyte for a moment, in the worst case
LIMIT_DRAFTED_PIXELS = 170_000_000  # a baseline JPEG can be decoded at 1/2, 1/4 or 1/8 of its size
LIMIT_ASPECT = 50  # a thinner strip would have to be blown up to gigabytes to fit a network
SHORT_SIDE = 512  # a picture with more than twice that is reduced by a whole factor: networks see 32 to 224 pixels
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")  # no format that needs another program
ENDINGS = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif"]
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    RuntimeError,
    EOFError,
    IndexError,
    OverflowError,
    struct.error,
    zlib.error,
)  # what Pillow raises for files that are cut off or broken inside
ORIENTATION = 0x0112  # the EXIF tag
UPRIGHT = {  # EXIF orientation -> what turns the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Decoded:
    """An upright RGB picture (PIL, 8 bits a channel), and what had to be done to it, in words."""

    image: Image.Image
    notes: tuple[str, ...]


def read(path: Path) -> Decoded:
    """Decode the picture in a file."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LIMIT_BYTES else b""
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror or error}); choose another file.") from error
    return decode(data, path.name, size)


def decode(data: bytes, name: str, size_bytes: int | None = None) -> Decoded:
    """Bytes of a picture file -> upright RGB picture with notes; Problem with one sentence where that cannot be.

    name        what to call the file in that sentence
    size_bytes  its size, if `data` was not read because it is too large
    """
    size_bytes, name = len(data) if size_bytes is None else size_bytes, f"{name or 'The file':.120}"
    if size_bytes > LIMIT_BYTES:
        raise Problem(
            f"{name} has {size_bytes / 2**20:,.0f} MiB; pictures up to {LIMIT_BYTES // 2**20} MiB are opened, make it"
            " smaller."
        )
    if size_bytes == 0:
        raise Problem(f"{name} is empty (0 bytes); save or download it again.")
    image = _open(data, name)
    notes = []
    size = image.size
    try:
        turn = _load(image, data, notes)
    except picture_files.Laborious as error:
        raise Problem(_too_laborious(name, error)) from error
    except BROKEN as error:
        raise Problem(
            f"{name} is damaged or cut off, so its pixels cannot be read; save or download it again."
        ) from error
    image = _to_rgb(image, notes)
    if (factor := min(image.size) // SHORT_SIDE) > 1:
        image = image.reduce(factor)
    if image.size != size:
        notes.append(f"reduced from {size[0]:,} x {size[1]:,} to {image.width:,} x {image.height:,} pixels")
    if turn is not None:
        image = image.transpose(turn)
        notes.append("turned upright, as the camera noted")
    image.info.clear()  # embedded profiles and comments are not needed any more
    return Decoded(image, tuple(notes))


def _open(data: bytes, name: str) -> Image.Image:
    """The file's header only: format and size are known and within the limits, no pixel is decoded yet."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limits here are stricter
            image = picture_files.opened(data, FORMATS)
    except picture_files.Laborious as error:
        raise Problem(_too_laborious(name, error)) from error
    except Image.DecompressionBombError as error:
        raise Problem(
            f"{name} has too many pixels to open (over {LIMIT_DRAFTED_PIXELS // 10**6} million); make it smaller."
        ) from error
    except (UnidentifiedImageError, *BROKEN) as error:
        raise Problem(_what_it_is_instead(data, name)) from error
    width, height = image.size
    baseline = (
        image.format in ("JPEG", "MPO") and not image.info.get("progressive") and not image.info.get("progression")
    )
    limit = LIMIT_DRAFTED_PIXELS if baseline else LIMIT_PIXELS
    if width * height > limit:
        raise Problem(
            f"{name} has {width:,} x {height:,} pixels, {width * height / 1e6:,.0f} million; up to {limit // 10**6} "
            "million are opened, make it smaller."
        )
    if max(width, height) > LIMIT_ASPECT * min(width, height):
        raise Problem(f"{name} is a strip of {width:,} x {height:,} pixels; crop it to something nearer a square.")
    return image


def _too_laborious(name: str, error: Exception) -> str:
    return f"{name} is {error}, which would take too long to decode; open it in a picture program and save it as PNG or JPEG."


def _what_it_is_instead(data: bytes, name: str) -> str:
    start = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return f"{name} is a drawing (SVG), not a picture made of pixels; export it as PNG."
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"heif", b"mif1", b"msf1"):
        return f"{name} is an HEIC photograph, which cannot be opened here; save it as JPEG."
    return f"{name} is not a picture that can be opened here; choose a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF file."


def _load(image: Image.Image, data: bytes, notes: list[str]) -> Image.Transpose | None:
    """Decode the first frame's pixels; returns what will turn the picture upright."""
    frames = picture_files.count(image, data)
    if frames > 1 and image.format != "MPO":  # an MPO (a JPEG of many cameras) holds other views of one photograph
        image.seek(0)
        more = "more than " if image.format == "TIFF" and frames == picture_files.MOST_PAGES else ""
        notes.append(f"the first of {more}{frames:,} {'pages' if image.format == 'TIFF' else 'frames'}")
    if (
        factor := min(image.size) // SHORT_SIDE
    ) > 1:  # decodes a JPEG at a fraction of its size; other formats ignore it
        image.draft(None, (image.width // factor, image.height // factor))
    image.load()
    return UPRIGHT.get(_orientation(image))


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except BROKEN:
        return 1  # damaged notes of the camera; the picture itself is whole


def _to_rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Any mode of Pillow to RGB, appending to `notes` what a plain conversion would have got wrong."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        notes.append("16 bits a pixel brought to 8")
        values = np.asarray(image).astype(np.uint16)
        return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        return _stretched(image, notes)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        if image.getextrema()[3][0] < 255:
            notes.append("transparent parts on white")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return white
    if image.mode == "CMYK":
        notes.append("print colours (CMYK) brought to the screen's")
    return image.convert("RGB")


def _stretched(image: Image.Image, notes: list[str]) -> Image.Image:
    """Numbers without a white, from the smallest in black to the largest in white; one array is all that it takes."""
    values = np.array(image, dtype=np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        notes.append("it holds no finite number and is shown black")
        return Image.new("RGB", image.size)
    low, high = (float(end(values, where=finite, initial=start)) for end, start in ((np.min, np.inf), (np.max, -np.inf)))
    strange = ", NaN and infinity at the ends" if not finite.all() else ""
    notes.append(f"its numbers from {low:,.4g} to {high:,.4g} shown from black to white{strange}")
    scale = 255 / ((high - low) or 1)
    with np.errstate(over="ignore", invalid="ignore"):
        values *= scale
        values -= low * scale
    np.clip(np.nan_to_num(values, copy=False), 0, 255, out=values)
    return Image.fromarray(np.rint(values, out=values).astype(np.uint8)).convert("RGB")
