"""Pictures that are cut, flipped, bombs, liars, or something else."""

import struct

import numpy as np
from PIL import Image

from . import good
from .cases import EITHER, PROBLEM, Case, answer, flips, problem, truncations
from .made_pictures import (
    avif_of,
    chunk,
    exif_loop,
    floats,
    gif,
    grey_tiff,
    jpeg_of,
    many_scans,
    mpo_of_many,
    padded,
    pages,
    png,
    rle,
    tiff,
    webp_of,
    with_chunk,
    written,
    zeros,
)

HERE = r"64x48"
NAMES = {  # what a browser may send as a file's name
    "turned about": "cat\u202egnp.exe",
    "of control characters": "a\x1b[2J\x07\r\n\x00b.png",
    "with a way out": "../../../etc/passwd.png",
    "of Windows": "C:\\Windows\\..\\a.png",
    "very long": "a" * 5000 + ".png",
    "in Markdown": "![x](http://evil/x.png)<script>",
    "of lone surrogates": "a\ud800.png",
    "of nothing": "",
    "of many marks": "e" + "\u0301" * 3000 + ".png",
    "of no width": "\u200b\u2060\ufeff",
}


def bombs() -> list[Case]:
    large = answer("picture 1[0-9]{3}x|picture [5-9][0-9]{2}x")
    return [
        Case(name, "picture", make, wanted, upload)
        for name, upload, make, wanted in (
            (
                "PNG of 4 billion pixels",
                "a.png",
                lambda: png(2**16, 2**16, zeros(2**20)),
                problem("too many pixels|million"),
            ),
            (
                "PNG of the largest size there is",
                "a.png",
                lambda: png(2**31 - 1, 2**31 - 1, zeros(9)),
                problem("too many pixels|million|not a picture"),
            ),
            ("PNG of no size", "a.png", lambda: png(0, 0, zeros(9)), PROBLEM),
            ("PNG just within the limit, with alpha", "a.png", lambda: png(6300, 6300, colour=6), large),
            ("PNG just within the limit, 16 bits", "a.png", lambda: png(6300, 6300, bits=16, colour=0), large),
            ("PNG just within the limit, 16 bits in colour", "a.png", lambda: png(6300, 6300, bits=16), large),
            (
                "PNG just within the limit, interlaced",
                "a.png",
                lambda: png(6300, 6300, zeros(6300 * 6300 * 3 + 6300 * 3), interlaced=1),
                large,
            ),
            ("PNG of a strip", "a.png", lambda: png(1_000_000, 2), problem("strip")),
            ("PNG with too many rows in its data", "a.png", lambda: png(9, 9, zeros(200_000_000)), answer("9x9")),
            ("PNG with too few rows in its data", "a.png", lambda: png(900, 900, zeros(2000)), problem("damaged")),
            (
                "PNG with a text that unpacks to 100 MB",
                "a.png",
                lambda: with_chunk(zeros(100_000_000, b"zTXt", b"a\0\0")),
                EITHER,
            ),
            (
                "PNG with a profile that unpacks to 100 MB",
                "a.png",
                lambda: with_chunk(zeros(100_000_000, b"iCCP", b"a\0\0")),
                EITHER,
            ),
            ("PNG with a million texts", "a.png", lambda: with_chunk(chunk(b"tEXt", b"a\0b") * 1_000_000), EITHER),
            ("PNG with a chunk of 4 GB", "a.png", lambda: with_chunk(chunk(b"abCd", b"x", length=2**32 - 1)), PROBLEM),
            (
                "PNG with 4 billion frames",
                "a.png",
                lambda: with_chunk(chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0))),
                EITHER,
            ),
            ("GIF with a comment of 40 MB", "a.gif", lambda: gif(2, b"x" * 40_000_000), answer("8x8.*2 frames")),
            ("GIF of 20,000 frames", "a.gif", lambda: gif(20_000), answer("8x8.*first of 20,000 frames")),
            ("GIF of a million frames", "a.gif", lambda: gif(1_000_000), problem("too many pieces")),
            (
                "GIF whose frame is larger than its screen",
                "a.gif",
                lambda: gif(2, first=(65535, 65535)),
                problem("million|too many"),
            ),
            ("GIF of the largest size", "a.gif", lambda: gif(1, size=(65535, 65535)), problem("million|too many")),
            ("JPEG of the largest size", "a.jpg", lambda: jpeg_of(65500, 65500), problem("million|too many")),
            ("JPEG of 169 million pixels that are not there", "a.jpg", lambda: jpeg_of(13000, 13000), EITHER),
            (
                "progressive JPEG of 39 million pixels that are not there",
                "a.jpg",
                lambda: jpeg_of(6300, 6300, progressive=1),
                EITHER,
            ),
            (
                "JPEG of 169 million pixels",
                "a.jpg",
                lambda: written(Image.new("RGB", (13000, 13000), "teal"), "JPEG"),
                answer("picture 542x542"),
            ),
            (
                "progressive JPEG of 39 million pixels",
                "a.jpg",
                lambda: written(Image.new("RGB", (6300, 6300), "teal"), "JPEG", progressive=True),
                large,
            ),
            ("progressive JPEG of 3,000 scans", "a.jpg", lambda: many_scans(6000, 3000), problem("scans")),
            ("JPEG with 700 comments of 64 kB", "a.jpg", lambda: padded(b"\xff\xfe", 65000, 700), answer(HERE)),
            ("JPEG with 700 EXIF segments of 64 kB", "a.jpg", lambda: padded(b"\xff\xe1", 65000, 700), EITHER),
            ("JPEG with a million tiny segments", "a.jpg", lambda: padded(b"\xff\xec", 1, 1_000_000), EITHER),
            ("JPEG whose EXIF loops", "a.jpg", exif_loop, answer(HERE)),
            ("JPEG that announces a billion views", "a.jpg", mpo_of_many, EITHER),
            (
                "TIFF in 3 million strips",
                "a.tif",
                lambda: grey_tiff(5000, 5000, 1, 3_000_000),
                problem("too many strips"),
            ),
            (
                "TIFF in 4 billion strips that are not there",
                "a.tif",
                lambda: grey_tiff(50, 50, 1, 1)[:90] + b"\xff\xff\xff\xff" + grey_tiff(50, 50, 1, 1)[94:],
                EITHER,
            ),
            (
                "TIFF that is followed by itself",
                "a.tif",
                lambda: tiff((256, 4, 1, 8), (257, 4, 1, 8), (273, 4, 1, 8), following=8),
                EITHER,
            ),
            (
                "TIFF of a billion pixels",
                "a.tif",
                lambda: grey_tiff(40_000, 40_000, 40_000, 1),
                problem("million|too many"),
            ),
            ("TIFF of 60,000 pages", "a.tif", lambda: pages(60_000), answer("more than 1,000 pages")),
            ("TIFF of 3 pages", "a.tif", lambda: pages(3), answer("first of 3 pages")),
            (
                "TIFF of floats just within the limit",
                "a.tif",
                lambda: written(Image.fromarray(np.zeros((6300, 6300), np.float32)), "TIFF", compression="tiff_lzw"),
                large,
            ),
            ("BMP in runs of one pixel", "a.bmp", lambda: rle(4800), problem("too many pieces")),
            ("small BMP in runs of one pixel", "a.bmp", lambda: rle(400), answer("400x400")),
            ("PPM in text", "a.ppm", lambda: b"P3 2300 2300 255\n" + b"1 " * (2300 * 2300 * 3), problem("written out")),
            ("PGM of odd depth", "a.pgm", lambda: b"P5 6000 6000 77\n" + bytes(36_000_000), problem("too many pieces")),
            ("PBM in text that never comes", "a.pbm", lambda: b"P1 6000 6000\n" + b"#" * 20_000_000, EITHER),
            (
                "WebP that announces the largest size",
                "a.webp",
                lambda: webp_of(16383, 16383),
                problem("million|too many|not a picture|damaged"),
            ),
            (
                "AVIF that announces the largest size",
                "a.avif",
                lambda: avif_of(65535, 65535),
                problem("million|too many|not a picture|damaged"),
            ),
        )
    ]


def strangers() -> list[Case]:
    jpg, shot = good.picture("photo.jpg"), good.picture("photo.png")
    return [
        Case(name, "picture", lambda data=data: data() if callable(data) else data, wanted, upload)
        for name, upload, data, wanted in (
            ("no picture at all", "a.png", b"", problem("is empty")),
            ("a picture with another ending", "a.png", jpg, answer(HERE)),
            ("a picture that is a zip as well", "a.jpg", jpg + good.zipped({"../evil": b"x"}), answer(HERE)),
            ("a picture after a megabyte of zeros", "a.png", bytes(2**20) + shot, PROBLEM),
            ("a drawing", "a.svg", b"<svg xmlns='x'><image href='file:///etc/passwd'/></svg>", problem("SVG")),
            (
                "a drawing that includes itself",
                "a.svg",
                b'<?xml?><!DOCTYPE x [<!ENTITY a "&a;&a;">]><svg>&a;</svg>',
                problem("SVG"),
            ),
            (
                "a page for printers",
                "a.eps",
                b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch evil)(w) file\n",
                problem("not a picture"),
            ),
            ("a Windows metafile", "a.wmf", b"\xd7\xcd\xc6\x9a" + bytes(60), problem("not a picture")),
            ("a document", "a.pdf", b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript>>>>", problem("not a picture")),
            ("a program", "a.png", b"\x7fELF" + bytes(500), problem("not a picture")),
            ("a web page", "a.jpg", b"<html><script>alert(1)</script>", problem("not a picture")),
            (
                "a TIFF of numbers that are none",
                "a.tif",
                floats([[np.nan, np.inf], [-np.inf, 1.0]] * 8),
                answer("from 1 to 1 .*NaN"),
            ),
            ("a TIFF of nothing but NaN", "a.tif", floats([[np.nan] * 8] * 8), answer("no finite number")),
            ("a TIFF of the largest floats", "a.tif", floats([[3e38, -3e38] * 4] * 8), answer("mean 12[78]")),
        )
    ]


def cases() -> list[Case]:
    found = []
    for name in good.FORMATS:
        whole = lambda name=name: good.picture(name)  # noqa: E731
        found.append(Case(f"whole {name}", "picture", whole, answer(HERE), name))
        found += truncations(name, "picture", name, whole, EITHER) + flips(name, "picture", name, whole, 4)
    found += bombs() + strangers()
    found += [
        Case(f"a picture with a name {what}", "picture", lambda: good.picture("photo.png"), answer(HERE), name)
        for what, name in NAMES.items()
    ]
    found += [
        Case(f"no picture with a name {what}", "picture", lambda: b"x", PROBLEM, name) for what, name in NAMES.items()
    ]
    return found
