"""Pictures read from their files in every epoch: the same lessons, whoever decodes them, and continued bit for bit."""

import dataclasses
import shutil
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torchvision.transforms import v2

from resnet_viz import checkpoints, runs
from resnet_viz.data import folders, streaming
from resnet_viz.problems import Problem
from resnet_viz.training import batches, process
from resnet_viz.training.__main__ import run_here
from resnet_viz.training.work import prepare

from .conftest import TINY, train_here

COUNT = {"train": 20, "test": 5}  # of each class


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for split, count in COUNT.items():
        for label in ("cats", "dogs"):
            (path / split / label).mkdir(parents=True)
            for index in range(count):
                size = (random.integers(30, 60), random.integers(30, 60), 3)
                Image.fromarray(random.integers(0, 256, size, dtype=np.uint8)).save(path / split / label / f"{index:02d}.png")
    return path


@pytest.fixture
def config(data, monkeypatch):
    monkeypatch.setattr(streaming, "RESIDENT_BYTES", 1000)
    return dataclasses.replace(TINY, data=str(data), size=16, batch_size=8, train_limit=None, flip=0.5, crop_padding=0, crop_area=0.3, threads=2)


def test_small_folders_stay_in_memory(data):
    assert streaming.load(str(data), "train", 16, 1) is None and streaming.load("digits", "train", None, 1) is None
    work = prepare(dataclasses.replace(TINY, data=str(data), size=16, train_limit=None))
    assert isinstance(work.train.images, torch.Tensor) and work.notes == ()


def test_a_streamed_run_trains_and_says_so(config, tmp_path):
    run = tmp_path / "run"
    process.create(config, run)
    assert run_here(run) == "finished"
    assert any("2 workers read them from their files" in note for note in runs.read_status(run)["notes"])
    splits = {row["split"] for row in runs.read_lines(run / "metrics.jsonl")}
    assert splits == {"train", "val", "test"}
    preprocessing = checkpoints.read(run / "last.safetensors").preprocessing
    assert (preprocessing.size, preprocessing.resize) == (16, 18), "as 224 of 256"


@pytest.mark.hard
def test_stopped_in_the_middle_it_goes_on_bit_for_bit(config, tmp_path):
    config = dataclasses.replace(config, mixup=0.2)
    train_here(config, tmp_path / "whole")
    assert train_here(config, tmp_path / "run", stop_at=3) == "stopped"
    train_here(config, tmp_path / "run")
    ours, theirs = (load_file(tmp_path / name / "last.safetensors") for name in ("run", "whole"))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_workers_give_what_is_decoded_here(config):
    work = prepare(config)
    plan, parts = batches.plan(work, 3), [torch.tensor([5, 1, 9]), torch.tensor([2, 0])]
    here = [batches.batch(work, samples, plan).pictures for samples in parts]
    batches.expect(work, parts, plan)
    state = torch.get_rng_state()
    ahead = [batches.batch(work, samples, plan).pictures for samples in parts]
    assert all(torch.equal(a, b) for a, b in zip(here, ahead)) and torch.equal(torch.get_rng_state(), state)
    assert not work.train.images._expected
    other = batches.batch(work, parts[0], batches.plan(work, 4)).pictures
    assert not torch.equal(other, here[0]), "another epoch, other windows"


def test_a_window_is_cut_from_the_whole_picture(config):
    work = prepare(dataclasses.replace(config, flip=0.0))
    images, windows = work.train.images, batches.plan(work, 0).windows
    picture = folders.open_picture(images.path, images.files[4])
    left, top, width, height = (windows[4] * torch.tensor([picture.width, picture.height] * 2)).round().int().tolist()
    expected = picture.crop((left, top, left + width, top + height)).resize((16, 16), Image.Resampling.BILINEAR)
    found = images.windows(torch.tensor([4]), windows)[0].permute(1, 2, 0).numpy()
    assert np.abs(found.astype(int) - np.asarray(expected).astype(int)).max() <= 1
    assert width * height < picture.width * picture.height


def test_an_evaluation_sees_the_middle(config):
    images = prepare(config).test.images
    recipe = v2.Compose([v2.Resize(18), v2.CenterCrop(16), v2.PILToTensor()])
    for index in (0, 7):
        assert torch.equal(images[index:index + 1][0], recipe(Image.open(images.path / images.files[index])))


def test_a_zip_is_streamed_as_its_folder_is(config, data, tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for path in sorted(data.rglob("*.png")):
            archive.write(path, path.relative_to(data))
    zipped = prepare(dataclasses.replace(config, data=str(tmp_path / "data.zip")))
    plain = prepare(config)
    plan = batches.plan(plain, 0)
    batches.expect(zipped, [torch.arange(8)], plan)
    assert torch.equal(zipped.train.images.windows(torch.arange(8), plan.windows), plain.train.images.windows(torch.arange(8), plan.windows))


def test_what_is_no_picture_is_named_and_left_out(config, data, tmp_path):
    for source in data.rglob("*.png"):
        target = tmp_path / "data" / source.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    (tmp_path / "data" / "train" / "cats" / "05.png").write_bytes(b"no picture")
    work = prepare(dataclasses.replace(config, data=str(tmp_path / "data")))
    assert "1 of 40 pictures could not be read and was left out: cats/05.png" in work.notes
    assert len(work.train) + len(work.val) == 39


def test_one_that_breaks_off_is_named_and_another_of_its_class_is_seen(config, data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    for torn in ("07", "08"):
        _tear(tmp_path / "data" / "train" / "dogs" / f"{torn}.png")
    config = dataclasses.replace(config, data=str(tmp_path / "data"), val_fraction=0.0, normalisation="half", flip=0.0, crop_area=1.0)
    work = prepare(config)
    files, plan = work.train.images.files, batches.plan(work, 0)
    index, other = files.index("train/dogs/07.png"), files.index("train/dogs/06.png")
    seen = batches.batch(work, torch.tensor([index, other]), plan)
    assert torch.equal(seen.pictures[0], seen.pictures[1]) and seen.labels[0, 0] == seen.labels[1, 0]
    process.create(config, tmp_path / "run")
    assert run_here(tmp_path / "run") == "finished", "workers skip it, too"
    (said,) = [note for note in runs.read_status(tmp_path / "run")["notes"] if "broke off" in note]
    assert said.startswith("2 pictures broke off in the middle and were skipped")
    assert "train/dogs/07.png" in said and "train/dogs/08.png" in said


def test_a_class_of_nothing_but_torn_pictures_stops_the_run(config, data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    for torn in (tmp_path / "data" / "train" / "dogs").iterdir():
        _tear(torn)
    run = tmp_path / "run"
    process.create(dataclasses.replace(config, data=str(tmp_path / "data"), normalisation="half"), run)
    with pytest.raises(Problem, match=r"^None of the pictures in train/dogs can be decoded; replace them and continue the run\.$"):
        run_here(run)


def _tear(path) -> None:
    path.write_bytes(path.read_bytes()[:300])  # begins well, ends too early


def test_test_pictures_are_seen_in_the_same_way_however_few(config, monkeypatch):
    monkeypatch.setattr(streaming, "RESIDENT_BYTES", 20 * 16 * 16 * 3)  # more than the test pictures fill
    work = prepare(config)
    assert work.test.images.resize == work.preprocessing.resize == 18 and len(work.notes) == 1
