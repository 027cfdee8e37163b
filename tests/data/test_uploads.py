"""Every odd file is written here, decoded, and its pixels are compared: "no error" would not show a white picture."""

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from resnet_viz.data import uploads
from resnet_viz.problems import Problem

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow on broken tags

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)


def quarters() -> Image.Image:
    """40 x 24 pixels: red, green / blue, white; every corner tells where it is."""
    pixels = np.zeros((24, 40, 3), np.uint8)
    pixels[:12, :20], pixels[:12, 20:], pixels[12:, :20], pixels[12:, 20:] = RED, GREEN, BLUE, WHITE
    return Image.fromarray(pixels)


def written(image: Image.Image, format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def corners(image: Image.Image) -> list[tuple[int, int, int]]:
    """The middles of the four quarters: top left, top right, bottom left, bottom right."""
    w, h = image.size
    return [
        image.getpixel(place)
        for place in ((w // 4, h // 4), (3 * w // 4, h // 4), (w // 4, 3 * h // 4), (3 * w // 4, 3 * h // 4))
    ]


def close(found, wanted, tolerance: int) -> bool:
    return int(np.abs(np.array(found, int) - np.array(wanted, int)).max()) <= tolerance


@pytest.mark.parametrize(
    "format, tolerance, options",
    [
        ("PNG", 0, {}),
        ("BMP", 0, {}),
        ("TIFF", 0, {}),
        ("WEBP", 0, {"lossless": True}),
        ("WEBP", 12, {"quality": 95}),
        ("JPEG", 6, {"quality": 95, "subsampling": 0}),
        ("JPEG", 6, {"quality": 95, "subsampling": 0, "progressive": True}),
        ("GIF", 0, {}),
        ("PPM", 0, {}),
        ("AVIF", 16, {"quality": 95}),
    ],
)
def test_usual_formats_keep_their_pixels(format, tolerance, options):
    decoded = uploads.decode(written(quarters(), format, **options), f"x.{format.lower()}")
    assert decoded.image.mode == "RGB" and decoded.image.size == (40, 24) and decoded.notes == ()
    assert close(corners(decoded.image), [RED, GREEN, BLUE, WHITE], tolerance)


def test_cmyk_jpeg_has_the_screens_colours():
    decoded = uploads.decode(written(quarters().convert("CMYK"), "JPEG", quality=95, subsampling=0), "print.jpg")
    assert close(corners(decoded.image), [RED, GREEN, BLUE, WHITE], 8)
    assert "CMYK" in decoded.notes[0]


def test_sixteen_bit_png_is_scaled_and_not_white():
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(8, axis=0)
    decoded = uploads.decode(written(Image.fromarray(ramp), "PNG"), "deep.png")
    assert np.array_equal(np.asarray(decoded.image)[0, :, 0], np.arange(256))
    assert np.ptp(np.asarray(decoded.image), axis=2).max() == 0
    assert "16 bits" in decoded.notes[0]


def test_numbers_without_a_white_are_stretched():
    values = np.array([[-1.0, 0.0, 1.0]], np.float32).repeat(2, axis=0)
    decoded = uploads.decode(written(Image.fromarray(values), "TIFF"), "float.tif")
    assert [p[0] for p in np.asarray(decoded.image)[0]] == [0, 128, 255]


def test_grey_and_one_bit():
    grey = uploads.decode(written(quarters().convert("L"), "PNG"), "grey.png").image
    assert corners(grey) == [(76,) * 3, (75,) * 3, (29,) * 3, (255,) * 3]  # ITU-R 601 luma
    one_bit = uploads.decode(written(quarters().convert("1", dither=Image.Dither.NONE), "PNG"), "fax.png").image
    assert corners(one_bit) == [(0,) * 3, (0,) * 3, (0,) * 3, (255,) * 3]


def test_palette():
    assert corners(uploads.decode(written(quarters().quantize(4), "PNG"), "p.png").image) == [RED, GREEN, BLUE, WHITE]


def test_palette_with_a_transparent_colour_stands_on_white():
    palette = quarters().quantize(4)
    hidden = palette.getpixel((5, 5))  # red
    decoded = uploads.decode(written(palette, "PNG", transparency=hidden), "p.png")
    assert corners(decoded.image) == [WHITE, GREEN, BLUE, WHITE]
    assert "transparent parts on white" in decoded.notes


def test_a_colour_declared_transparent_stands_on_white():
    decoded = uploads.decode(written(quarters(), "PNG", transparency=BLUE), "key.png")
    assert corners(decoded.image) == [RED, GREEN, WHITE, WHITE]


@pytest.mark.parametrize("alpha, wanted", [(0, (255, 255, 255)), (128, (255, 127, 127)), (255, RED)])
def test_alpha_is_laid_over_white(alpha, wanted):
    image = quarters()
    image.putalpha(alpha)
    for format, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True})):
        decoded = uploads.decode(written(image, format, **options), "a")
        assert close(decoded.image.getpixel((5, 5)), wanted, 1)
        assert ("transparent parts on white" in decoded.notes) == (alpha < 255)


def test_grey_with_alpha():
    image = Image.merge("LA", (Image.new("L", (8, 8), 10), Image.new("L", (8, 8), 0)))
    assert uploads.decode(written(image, "PNG"), "la.png").image.getpixel((2, 2)) == WHITE


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_animations_show_their_first_frame(format):
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE, (10, 200, 10))]
    options = {"lossless": True} if format == "WEBP" else {}
    data = written(frames[0], format, save_all=True, append_images=frames[1:], duration=100, **options)
    decoded = uploads.decode(data, "moving")
    assert decoded.image.getpixel((8, 8)) == RED
    assert decoded.notes == ("the first of 3 frames",)


def test_pages_of_a_tiff():
    data = written(quarters(), "TIFF", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    assert uploads.decode(data, "scan.tif").notes == ("the first of 2 pages",)


@pytest.mark.parametrize("orientation, turn", [(1, None), *uploads.UPRIGHT.items()])
def test_a_turned_camera(orientation, turn):
    """The stored pixels are turned the opposite way; after decoding the picture stands upright again."""
    back = {
        Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
        Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
    }
    stored = quarters() if turn is None else quarters().transpose(back.get(turn, turn))
    exif = Image.Exif()
    exif[uploads.ORIENTATION] = orientation
    for data in (written(stored, "PNG", exif=exif), written(stored, "JPEG", exif=exif, quality=95, subsampling=0)):
        decoded = uploads.decode(data, "phone")
        assert decoded.image.size == (40, 24)
        assert close(corners(decoded.image), [RED, GREEN, BLUE, WHITE], 6)
        assert bool(decoded.notes) == (turn is not None)


def test_broken_exif_does_not_refuse_a_whole_picture():
    decoded = uploads.decode(written(quarters(), "PNG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff"), "x.png")
    assert corners(decoded.image) == [RED, GREEN, BLUE, WHITE]


def sentence(data: bytes, name: str = "x.png") -> str:
    with pytest.raises(Problem) as caught:
        uploads.decode(data, name)
    text = str(caught.value)
    assert text.startswith(name) and text.endswith(".") and "\n" not in text and len(text) < 200
    return text


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "empty (0 bytes)"),
        (b"just a text, renamed", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'></svg>", "SVG"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40, "HEIC"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture"),  # Pillow would start Ghostscript
        (b"%PDF-1.4", "not a picture"),
    ],
)
def test_what_is_no_picture_gets_one_sentence(data, words):
    assert words in sentence(data)


@pytest.mark.parametrize(
    "format, options",
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_truncated_files_are_refused(format, options):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = written(noise, format, **options)
    assert any(words in sentence(data[: len(data) // 2]) for words in ("cut off", "not a picture"))


def test_a_broken_byte_never_raises_anything_but_a_problem():
    rng = np.random.default_rng(1)
    for format in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"):
        data = written(quarters(), format)
        for _ in range(150):
            broken = bytearray(data)
            for place in rng.integers(0, len(data), 3):
                broken[place] = rng.integers(0, 256)
            try:
                assert uploads.decode(bytes(broken), "x").image.mode == "RGB"
            except Problem:
                pass


def test_the_cap_on_bytes():
    assert "MiB" in sentence(b"\x89PNG" + bytes(uploads.LIMIT_BYTES))


def test_a_file_above_the_cap_is_not_read(tmp_path):
    path = tmp_path / "large.png"
    with open(path, "wb") as file:
        file.truncate(10 * uploads.LIMIT_BYTES)  # a sparse file
    tracemalloc.start()
    with pytest.raises(Problem, match="MiB"):
        uploads.read(path)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_hundred_megapixels_are_refused_before_decoding(monkeypatch):
    data = written(Image.new("1", (10_000, 10_000)), "PNG")
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    assert "100 million" in sentence(data)


def test_two_hundred_megapixels_are_refused():
    assert "million" in sentence(written(Image.new("1", (20_000, 10_000)), "PNG"))


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size():
    image = quarters().resize((10_000, 6_000), Image.Resampling.NEAREST)
    data = written(image, "JPEG")
    del image
    decoded = uploads.decode(data, "large.jpg")
    assert min(decoded.image.size) < 2 * uploads.SHORT_SIDE
    assert close(corners(decoded.image), [RED, GREEN, BLUE, WHITE], 6)
    assert "reduced from 10,000 x 6,000" in decoded.notes[0]


def test_a_large_png_is_reduced_by_averaging(monkeypatch):
    monkeypatch.setattr(uploads, "SHORT_SIDE", 30)
    pixels = np.random.default_rng(2).integers(0, 256, (62, 70, 3), dtype=np.uint8)
    decoded = uploads.decode(written(Image.fromarray(pixels), "PNG"), "noise.png")
    wanted = pixels.reshape(31, 2, 35, 2, 3).mean(axis=(1, 3))
    assert decoded.image.size == (35, 31)
    assert np.abs(np.asarray(decoded.image) - wanted).max() <= 1


def test_a_thin_strip_is_refused():
    assert "strip" in sentence(written(Image.new("L", (2000, 2)), "PNG"))
