"""Folders and zips of pictures: what is read, what is refused, and in which words."""

import io
import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from resnet_viz.data import archives, folders
from resnet_viz.data.sources import load
from resnet_viz.problems import Problem


def picture(seed: int = 0, size: tuple[int, int] = (8, 8), mode: str = "RGB", kind: str = "PNG", **options) -> bytes:
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    values = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return encoded(Image.fromarray(values), kind, **options)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixels(data: bytes) -> np.ndarray:
    array = np.asarray(Image.open(io.BytesIO(data)))
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def animals(**kwargs) -> dict[str, bytes]:
    return {f"{split}/{name}/{number}.png": picture(seed, **kwargs) for seed, (split, name, number) in enumerate(
        (split, name, number) for split in ("train", "test") for name in ("dog", "cat") for number in range(3))}


def as_folder(path: Path, files: dict[str, bytes]) -> str:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return str(path)


def as_zip(path: Path, files: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return str(path)


@pytest.fixture(params=["folder", "zip", "enclosed folder", "enclosed zip"])
def write(request, tmp_path):
    """A function that writes files in one of the four ways and gives the path to load."""
    def write(files: dict[str, bytes]) -> str:
        if request.param.startswith("enclosed"):
            files = {"pets/" + name: data for name, data in files.items()}
        return (as_zip(tmp_path / "set.zip", files) if request.param.endswith("zip")
                else as_folder(tmp_path / "set", files))
    return write


def test_pictures_arrive_bit_for_bit_with_their_labels(write):
    files = animals()
    clutter = {"train/cat/notes.txt": b"x", "train/.DS_Store": b"x", "__MACOSX/train/cat/0.png": b"x"}
    read = load(write({**files, **clutter}), "train")
    assert read.classes == ("cat", "dog") and read.heads == (2,) and read.name == "set" and read.notes == ()
    wanted = sorted((name.split("/")[1], pixels(data).tobytes()) for name, data in files.items() if "train" in name)
    got = [(read.classes[k], image.numpy().tobytes()) for image, k in zip(read.images, read.labels[:, 0])]
    assert sorted(got) == wanted
    assert read.images.shape == (6, 3, 8, 8) and read.labels.shape == (6, 1)


def test_grey_pictures_stay_grey_until_one_is_in_colour(tmp_path):
    files = animals(mode="L")
    assert load(as_folder(tmp_path / "grey", files), "train").images.shape == (6, 1, 8, 8)
    files["train/dog/9.png"] = colour = picture(99)
    read = load(as_folder(tmp_path / "mixed", files), "train").images
    assert read.shape == (7, 3, 8, 8)
    assert np.array_equal(read[-1], pixels(colour))
    assert all(np.array_equal(read[0, c], pixels(files["train/cat/0.png"])[0]) for c in range(3))


def test_unequal_sizes_are_brought_to_one(tmp_path):
    files = animals(size=(40, 30)) | {"train/cat/7.png": picture(7, (30, 50)), "train/cat/8.jpg":
                                      picture(8, (200, 100), kind="JPEG")}
    path = as_folder(tmp_path / "set", files)
    assert load(path, "train").images.shape == (8, 3, 30, 30)           # the most common shorter side
    read = load(path, "train", size=16).images
    assert read.shape == (8, 3, 16, 16)
    image = Image.open(io.BytesIO(files["train/cat/0.png"])).resize((21, 16), Image.Resampling.BILINEAR)
    assert np.array_equal(read[0].permute(1, 2, 0), np.asarray(image.crop((2, 0, 18, 16))))
    large = as_folder(tmp_path / "large", animals(size=(300, 300)))
    assert load(large, "test").images.shape[2:] == (224, 224)


def test_odd_but_valid_pictures_are_read_right(tmp_path):
    sixteen = Image.fromarray(np.full((8, 8), 257 * 100, np.uint16))
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 3                        # turned by half
    half = Image.fromarray(np.repeat(np.array([[0] * 4 + [255] * 4], np.uint8), 8, 0)).convert("RGB")
    files = animals() | {
        "train/cat/a.png": encoded(sixteen), "train/cat/b.png": encoded(clear),
        "train/cat/c.jpg": encoded(half, "JPEG", exif=exif, quality=95), "train/cat/d.png": encoded(half.convert("P")),
        "train/cat/e.jpg": encoded(half.convert("CMYK"), "JPEG", quality=95),
        "train/cat/f.png": encoded(half.convert("1"))}
    read = load(as_folder(tmp_path / "set", files), "train")
    grey16, on_white, turned, palette, cmyk, bits = read.images[3:9].float()
    assert (grey16 == 100).all() and (on_white == 255).all()
    assert turned[:, :, :4].mean() > 250 and turned[:, :, 4:].mean() < 5
    assert palette[:, :, :4].max() == 0 and palette[:, :, 4:].min() == 255 and torch.equal(bits, palette)
    assert cmyk[:, :, :4].mean() < 10 and cmyk[:, :, 4:].mean() > 245 and read.notes == ()


def test_unreadable_pictures_are_named_and_left_out(write):
    files = animals() | {"train/cat/1.png": picture(1)[:60]}
    read = load(write(files), "train")
    assert len(read.images) == len(read.labels) == 5 and read.labels[:, 0].tolist() == [0, 0, 1, 1, 1]
    assert read.notes == ("1 of 6 pictures could not be read and was left out: cat/1.png",)
    files |= {"train/dog/0.png": b"", "train/dog/1.png": b"hello"}
    assert load(write(files), "train").notes[0] == (
        "3 of 6 pictures could not be read and were left out: cat/1.png, dog/0.png, dog/1.png")
    files = {name: data if name.startswith("test") else b"" for name, data in files.items()}
    with pytest.raises(Problem, match="None of the 6 pictures"):
        load(write(files), "train")


def test_a_picture_with_too_many_pixels_is_never_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "MAX_PIXELS", 1000)
    path = as_folder(tmp_path / "set", animals() | {"train/cat/0.png": picture(0, (40, 40))})
    decoded, load_pixels = [], ImageFile.ImageFile.load
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: decoded.append(image.size) or load_pixels(image))
    assert load(path, "train").notes == ("1 of 6 pictures could not be read and was left out: cat/0.png",)
    assert set(decoded) == {(8, 8)}


def test_val_and_test_stand_for_each_other_and_a_note_says_so(tmp_path):
    files = {name.replace("test/", "val/"): data for name, data in animals().items()}
    path = as_folder(tmp_path / "set", files)
    read = load(path, "test")
    assert torch.equal(read.images, load(path, "val").images) and load(path, "val").notes == ()
    assert read.notes == ("set has no test/ folder; its val/ pictures stand for it",)
    other = as_folder(tmp_path / "other", animals())
    assert load(other, "val").notes == ("other has no val/ folder; its test/ pictures stand for it",)
    with pytest.raises(Problem, match=r"no pictures in train/, only in test/"):
        load(as_folder(tmp_path / "few", {n: d for n, d in animals().items() if n.startswith("test")}), "train")


def test_the_classes_are_those_of_train(tmp_path):
    files = animals()
    path = as_folder(tmp_path / "less", {n: d for n, d in files.items() if n.split("/")[:2] != ["test", "cat"]})
    read = load(path, "test")
    assert read.classes == ("cat", "dog") and set(read.labels[:, 0].tolist()) == {1}
    with pytest.raises(Problem, match="test/ of more has the class owl, which train/ lacks"):
        load(as_folder(tmp_path / "more", files | {"test/owl/0.png": picture()}), "test")


@pytest.mark.parametrize("files, words", [
    ({}, "holds no pictures in train/<class>/.*it is empty"),
    ({"training/cat/0.png": b"", "images/0.png": b""}, "found only images/, training/"),
    ({"train/0.png": b""}, "holds no pictures"),
    ({"train/cat/0.png": picture(), "test/cat/0.png": picture()}, r"only one class \(cat\)"),
])
def test_what_is_no_data_set_is_told_in_a_sentence(tmp_path, files, words):
    (tmp_path / "set").mkdir()
    with pytest.raises(Problem, match=words):
        load(as_folder(tmp_path / "set", files), "train")
    with pytest.raises(Problem, match=words):
        load(as_zip(tmp_path / "set.zip", files), "train")


def test_not_a_zip(tmp_path):
    (tmp_path / "set.zip").write_bytes(b"hello")
    with pytest.raises(Problem, match="set.zip is neither a folder nor a readable zip"):
        load(str(tmp_path / "set.zip"), "train")
    whole = Path(as_zip(tmp_path / "cut.zip", animals()))
    whole.write_bytes(whole.read_bytes()[:300])
    with pytest.raises(Problem, match="neither"):
        load(str(whole), "train")


def linked(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize("member, words", [
    ("../../evil.png", "points outside"), ("train/cat/../../../evil.png", "points outside"),
    ("/etc/evil.png", "points outside"), ("C:/evil.png", "points outside"),
    ("train\\..\\..\\evil.png", "points outside"),
    (linked("train/cat/link.png"), "symbolic link")])
def test_unsafe_zips_are_refused_and_nothing_is_written(tmp_path, member, words):
    path = as_zip(tmp_path / "set.zip", animals())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, picture())
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Problem, match=f"set.zip was not read.*{words}"):
        load(path, "train")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_decompression_bomb_is_refused_by_its_declared_size(tmp_path, monkeypatch):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in animals().items():
            archive.writestr(name, data)
        archive.writestr("train/cat/9.bmp", bytes(archives.MAX_FILE_BYTES + 1))
    assert path.stat().st_size < 100_000
    with pytest.raises(Problem, match="unpacks to 67,108,865 bytes"):
        load(str(path), "train")
    monkeypatch.setattr(archives, "MAX_ZIP_BYTES", 1000)
    with pytest.raises(Problem, match="more than the 1,000 bytes allowed"):
        load(as_zip(tmp_path / "many.zip", animals()), "train")


def test_a_member_that_lies_about_its_bytes_is_left_out(tmp_path):
    path = Path(as_zip(tmp_path / "set.zip", animals()))
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 5] ^= 255            # in the first member: its CRC is wrong now
    path.write_bytes(data)
    assert load(str(path), "train").notes[0].startswith("1 of 6 pictures could not be read and was left out: dog/0.png")


def test_too_many_bytes_are_refused_before_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "MAX_BYTES", 6 * 8 * 8 * 3)
    path = as_folder(tmp_path / "set", animals())
    assert len(load(path, "train").images) == len(load(path, "train", size=9).images) == 6
    path = as_folder(tmp_path / "unequal", animals() | {"train/cat/0.png": picture(0, (8, 10))})
    with pytest.raises(Problem, match=r"6 pictures of 9 x 9.*a size of at most 8"):
        load(path, "train", size=9)


def test_links_are_followed_to_a_class_but_never_in_a_circle(tmp_path):
    as_folder(tmp_path / "real", animals())
    (tmp_path / "set" / "train").mkdir(parents=True)
    for name in ("cat", "dog"):
        os.symlink(tmp_path / "real" / "train" / name, tmp_path / "set" / "train" / name)
    os.symlink(tmp_path / "set", tmp_path / "real" / "train" / "cat" / "loop")
    assert len(load(str(tmp_path / "set"), "train").images) == 6


# ---------------------------------------------------------------- labels.csv

def lettered() -> dict[str, bytes]:
    return {f"{split}/{number}.png": picture(number) for split in ("train", "test") for number in range(4)}


ROWS = [("0", "10", "a"), ("1", "9", "b"), ("2", "10", "b"), ("3", "2", "a")]


def test_several_labels_come_from_a_table(write):
    lines = [f"{split}/{n}.png,{r},{v}\n" for split in ("train", "test") for n, r, v in ROWS]
    table = "file,root,vowel\n" + "".join(lines)
    read = load(write(lettered() | {"labels.csv": table.encode()}), "train")
    assert read.heads == (3, 2) and read.classes == ("2", "9", "10", "a", "b")      # numbers sort as numbers
    assert read.labels.tolist() == [[2, 0], [1, 1], [2, 1], [0, 0]]
    assert np.array_equal(read.images[2], pixels(lettered()["train/2.png"]))


def test_a_table_may_lie_inside_each_split(write):
    table = ("\ufefffile, root, vowel\r\n" + "".join(f"{n}.png, {r}, {v}\r\n" for n, r, v in ROWS)).encode()
    read = load(write(lettered() | {"train/labels.csv": table, "test/labels.csv": table}), "test")
    assert read.heads == (3, 2) and read.labels.tolist() == [[2, 0], [1, 1], [2, 1], [0, 0]]


@pytest.mark.parametrize("table, words", [
    (b"name,root\n", "must be file, then one column"), (b"", "must be file"), (b"file\n", "must be file"),
    (b"file,root\ntrain/0.png\n", "Line 2 of labels.csv needs 2 values"),
    (b"file,root\ntrain/0.png,a\ntrain/9.png,b\n", "Line 3 of labels.csv names 'train/9.png', which is no picture"),
    (b"file,root\n../../etc/passwd,a\n", "is no picture"), (b"\xff\xfe\x00", "not a readable table")])
def test_a_wrong_table_is_told_by_line(write, table, words):
    with pytest.raises(Problem, match=words):
        load(write(lettered() | {"labels.csv": table}), "train")


def test_progress_ends_at_the_whole(tmp_path):
    calls = []
    load(as_folder(tmp_path / "set", animals()), "train", progress=lambda *call: calls.append(call))
    assert calls[-1] == (6, 6, "reading set") and all(0 <= done <= total for done, total, _ in calls)


def test_small_pictures_of_one_size_stay_small_whatever_size_is_asked_for(tmp_path):
    path = as_folder(tmp_path / "set", animals())
    assert torch.equal(load(path, "train", size=64).images, load(path, "train").images)
    assert load(path, "train", size=5).images.shape[-1] == 5
