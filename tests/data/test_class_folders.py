"""ImageNet's val/ into class folders, on made-up trees with made-up classes: moved, linked, taken up, refused."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from resnet_viz.__main__ import main
from resnet_viz.data import class_folders, sources
from resnet_viz.problems import Problem

CLASSES = ("n10000001", "n10000002", "n20000000")  # of no WordNet
TRUTH = {f"ILSVRC2012_val_{i:08d}": CLASSES[i * 7 % 3] for i in range(1, 13)}


def write_table(path, truth=TRUTH, head="ImageId,PredictionString"):
    boxes = " 10 20 30 40"
    lines = [f"{name},{class_}{boxes}{f' {class_}{boxes}' * (i % 3)} " for i, (name, class_) in enumerate(truth.items())]
    path.write_text("\n".join([head, *reversed(lines)]) + "\n")


@pytest.fixture
def archive(tmp_path):
    """As the real one unpacks: the pictures of val/ in one folder, train/ in class folders, the table at the top."""
    rng, top = np.random.default_rng(0), tmp_path / "imagenet"
    inside = top / "ILSVRC" / "Data" / "CLS-LOC"
    (inside / "val").mkdir(parents=True)
    for name in TRUTH:
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(inside / "val" / f"{name}.JPEG")
    for class_ in CLASSES:
        (inside / "train" / class_).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(inside / "train" / class_ / f"{class_}_1.JPEG")
    write_table(top / class_folders.TABLE)
    return top


def val_of(archive):
    return archive / "ILSVRC" / "Data" / "CLS-LOC" / "val"


def tree(folder) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


SORTED = {f"{class_}/{name}.JPEG" for name, class_ in TRUTH.items()}


def test_every_picture_comes_into_the_folder_of_its_class_with_its_bytes(archive, capsys):
    before = {path.name: path.read_bytes() for path in val_of(archive).iterdir()}
    assert main(["sort-val", str(archive), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["classes"], said["pictures"], said["done"], said["already"]) == (3, 12, 12, 0)
    assert tree(val_of(archive)) == SORTED
    assert {path.name: path.read_bytes() for path in val_of(archive).rglob("*.JPEG")} == before
    read = sources.load(str(val_of(archive).parent), "val")
    assert read.classes == CLASSES and read.labels[:, 0].bincount().tolist() == [4, 4, 4]


def test_a_second_call_finds_the_work_done_and_an_interrupted_one_is_taken_up(archive, monkeypatch, capsys):
    place, table = class_folders.find(archive), class_folders.read_table(archive / class_folders.TABLE)
    rename, moves = os.rename, []

    def until_the_disk_fails(source, target):
        if len(moves) == 5:
            raise OSError(5, "Input/output error")
        moves.append(source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", until_the_disk_fails)
    with pytest.raises(Problem, match=r"Input/output error\); 5 were, the others are where they were"):
        class_folders.sort(place, table)
    monkeypatch.setattr(os, "rename", rename)
    assert len(tree(val_of(archive))) == 12
    found = class_folders.sort(place, table)
    assert (found.done, found.already, found.complete) == (7, 5, True)
    assert main(["sort-val", str(archive)]) == 0
    assert capsys.readouterr().out == f"{val_of(archive)}: 12 pictures in 3 classes; 0 moved now, 12 were there before.\n"
    assert tree(val_of(archive)) == SORTED


def test_links_leave_the_archive_as_it_is(archive, tmp_path, capsys):
    before, out = tree(archive), tmp_path / "out"
    for already in (0, 12):
        assert main(["sort-val", str(archive), "--link", str(out), "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["done"], said["already"], said["linked"]) == (12 - already, already, True)
    assert tree(archive) == before and tree(out / "val") == SORTED
    for split, count in (("train", 3), ("val", 12)):
        assert len(sources.load(str(out), split).labels) == count
    class_folders.sort(class_folders.find(archive), TRUTH)
    shutil.rmtree(out)
    again = class_folders.link(class_folders.find(archive), TRUTH, out)
    assert again.complete and all(path.exists() for path in (out / "val").rglob("*.JPEG")), "of a sorted archive, too"
    with pytest.raises(Problem, match="the archive itself"):
        class_folders.link(class_folders.find(archive), TRUTH, val_of(archive).parent)


def test_what_is_missing_twice_elsewhere_or_unknown_is_said_and_left_alone(archive, capsys):
    val, names = val_of(archive), list(TRUTH)
    (val / f"{names[0]}.JPEG").unlink()
    for name, class_ in ((names[1], TRUTH[names[1]]), (names[2], next(c for c in CLASSES if c != TRUTH[names[2]]))):
        (val / class_).mkdir(exist_ok=True)
        (shutil.copy if name == names[1] else shutil.move)(val / f"{name}.JPEG", val / class_ / f"{name}.JPEG")
    Image.new("RGB", (8, 8)).save(val / "another.JPEG")
    assert main(["sort-val", str(archive)]) == 1
    said = capsys.readouterr().out
    assert "9 moved now, 1 were there before" in said
    assert f"1 missing: take them from the archive again: {names[0]}." in said
    assert f"1 in the folder of another class, and left there: {names[2]}." in said
    assert f"1 both in val/ and in their class folder, and left alone: {names[1]}." in said
    assert "1 pictures are not in the table" in said and (val / "another.JPEG").exists()


@pytest.mark.parametrize("line", ["../evil,n10000001 1 2 3 4", "/etc/passwd,n10000001 1 2 3 4", "a/b,n10000001 1 2 3 4",
                                  "a,../../n10000001 1 2 3 4", "a,n1000000 1 2 3 4", "a,n10000001/.. 1 2 3 4", "a,", "a", ",",
                                  "a,n10000001 1 2 3 4 n10000002 1 2 3 4", "a\\b,n10000001 1 2 3 4", "..,n10000001 1 2 3 4",
                                  "ILSVRC2012_val_00000001,n99999999 1 2 3 4", "a,n10000001 1 2 3 4,b"])
def test_a_table_with_a_hostile_line_moves_nothing_and_is_one_sentence(archive, capsys, line):
    before = tree(archive)
    with open(archive / class_folders.TABLE, "a") as file:
        file.write(line + "\n")
    assert main(["sort-val", str(archive)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("Line 14 of LOC_val_solution.csv") and said.err.count("\n") == 1
    assert tree(archive) == before


def test_links_in_the_archive_are_not_followed(archive, tmp_path, capsys):
    outside = tmp_path / "outside"
    outside.mkdir()
    (val_of(archive) / CLASSES[1]).symlink_to(outside)
    assert main(["sort-val", str(archive)]) == 2
    assert "is a link" in capsys.readouterr().err and not list(outside.iterdir())
    (val_of(archive) / CLASSES[1]).unlink()
    picture = val_of(archive) / f"{next(iter(TRUTH))}.JPEG"
    picture.rename(outside / picture.name)
    picture.symlink_to(outside / picture.name)
    assert main(["sort-val", str(archive)]) == 2
    assert len(tree(val_of(archive))) == 12 and picture.is_symlink()


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"ImageId,PredictionString\n", b"\xff\xfe\x00", b"ImageId\n"])
def test_what_is_no_table_of_imagenet(archive, capsys, content):
    (archive / class_folders.TABLE).write_bytes(content)
    assert main(["sort-val", str(archive)]) == 2
    assert class_folders.TABLE in capsys.readouterr().err


def test_folders_that_are_no_archive(archive, tmp_path, capsys):
    for arguments in ([str(tmp_path / "none")], [str(tmp_path)], [str(archive), "--table", str(tmp_path / "no.csv")]):
        assert main(["sort-val", *arguments]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "give the" in said or "name it with --table" in said
    (archive / "ILSVRC").rename(tmp_path / "moved")
    (tmp_path / "moved" / "Data" / "CLS-LOC" / "val").rename(archive / "val")
    assert class_folders.find(archive) == class_folders.Place(archive / "val", None), "val/ directly in the folder"


def test_a_class_folder_that_is_a_file_is_one_sentence(archive, capsys):
    (val_of(archive) / CLASSES[0]).write_text("in the way")
    assert main(["sort-val", str(archive)]) == 2
    assert "give the command again" in capsys.readouterr().err
