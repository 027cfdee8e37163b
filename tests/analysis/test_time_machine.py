"""A run as a film: what lies in its files, frame by frame, and what is said of it, against NumPy by hand."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save

from resnet_viz import checkpoints, runs
from resnet_viz.analysis import feature_maps, fixed_pictures, pinned_maps, time_machine
from resnet_viz.data.preprocessing import Preprocessing
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem
from resnet_viz.training import work
from resnet_viz.training.config import Config

MOMENTS = [(0, 0), (1, 0), (2, 0), (4, 0), (8, 1), (16, 2), (24, 3)]  # (step, epoch)


def write_snapshot(run, step, epoch, confusion=True):
    torch.manual_seed(step)
    tensors = {
        "conv1.weight": torch.randn(4, 3, 3, 3).half(),
        "layer1.0.conv1.weight": torch.randn(4, 5, 3, 3).half(),
        "probabilities": torch.rand(10, 10).softmax(1),
    }
    if confusion:
        tensors["confusion"] = torch.randint(0, 9, (10, 10))
    header = {"step": step, "epoch": epoch, "images": 10 * step, "lr": 0.1 / (1 + epoch)}
    path = run / "snapshots" / f"{step:08d}.safetensors"
    runs.write_atomic(path, save(tensors, metadata={key: str(value) for key, value in header.items()}))
    return path


@pytest.fixture
def run(tmp_path):
    for step, epoch in MOMENTS:
        write_snapshot(tmp_path / "run", step, epoch)
    return tmp_path / "run"


def test_every_frame_is_a_snapshot(run):
    film = time_machine.film(run)
    assert (film.step.tolist(), film.epoch.tolist(), film.taken) == (
        [s for s, _ in MOMENTS],
        [e for _, e in MOMENTS],
        7,
    )
    assert film.images.tolist() == [10 * step for step, _ in MOMENTS]
    assert film.lr[-1] == pytest.approx(0.025)
    last = load_file(run / "snapshots" / "00000024.safetensors")
    assert np.array_equal(film.kernels["conv1"][-1], last["conv1.weight"].float().numpy())
    assert np.array_equal(film.probabilities[-1], last["probabilities"].numpy())
    assert np.array_equal(time_machine.film(run, classes=4).probabilities, film.probabilities[:, :, :4])
    assert film.val_images[-1] == int(last["confusion"].sum())
    assert time_machine.accuracy(film)[-1] == pytest.approx(
        float(last["confusion"].diagonal().sum() / last["confusion"].sum())
    )


def test_too_many_frames_are_thinned_and_counted(run, monkeypatch):
    monkeypatch.setattr(time_machine, "MOST_FRAMES", 5)
    film = time_machine.film(run)
    assert len(film) == 5 and film.taken == 7
    assert film.step[0] == 0 and film.step[-1] == 24
    assert len(time_machine.film(run, frame_bytes=2 * 2**20 - 4096)) == 3  # six MiB for frames of almost two


@pytest.mark.parametrize("limit", [2, 3, 7, 50])
def test_thinning_keeps_both_ends_and_the_first_epoch(limit):
    epochs = np.array([0] * 10 + list(range(1, 500)))
    kept = time_machine.thinned(epochs, limit)
    assert len(kept) == limit and kept[0] == 0 and kept[-1] == len(epochs) - 1
    assert (np.diff(kept) > 0).all()
    if limit >= 20:
        assert kept[:10].tolist() == list(range(10))
        assert np.ptp(np.diff(kept[10:])) <= 1, "the rest evenly"


def test_what_no_film_can_be_made_of_is_said(run, tmp_path):
    with pytest.raises(Problem, match="no snapshot yet"):
        time_machine.film(tmp_path / "nothing")
    write_snapshot(run, 32, 4, confusion=False)
    with pytest.raises(Problem, match="not all of one network"):
        time_machine.film(run)


def test_without_held_out_pictures_there_is_no_confusion(tmp_path):
    write_snapshot(tmp_path, 0, 0, confusion=False)
    film = time_machine.film(tmp_path)
    assert film.confusion is None and time_machine.accuracy(film) is None
    assert not any(
        "held-out" in line
        for line in time_machine.story(film, "conv1", time_machine.movement(film.kernels["conv1"]), None, 0)
    )


@pytest.mark.parametrize("layer, filter_, size", [("conv1", 0, (7, 4, 3, 3, 3)), ("layer1.0.conv1", 2, (7, 5, 3, 3))])
def test_kernels_are_ranked_by_how_far_they_moved(run, layer, filter_, size):
    film = time_machine.film(run)
    weights = time_machine.shown(film.kernels[layer], filter_)
    assert weights.shape == size
    moved = time_machine.movement(weights)
    flat = weights.reshape(*size[:2], -1).astype(float)
    away = np.sqrt(((flat[3] - flat[0]) ** 2).sum(-1)) / np.sqrt((flat[0] ** 2).sum(-1))
    assert np.allclose(moved.relative[3], away) and not moved.relative[0].any()
    order = time_machine.most_moved(moved.relative)
    assert (np.diff(moved.relative[-1][order]) <= 0).all() and sorted(order) == list(range(size[1]))
    rows = time_machine.rows(film, moved, 3)
    assert [row["moved"] for row in rows] == pytest.approx(sorted(away, reverse=True))
    assert f"number {order[0]} most" in time_machine.describe(film, layer, moved)


def test_half_of_the_way(run):
    film = time_machine.film(run)
    first = np.random.default_rng(0).normal(size=(1, 4, 3, 3, 3))
    fractions = np.array([0, 0.1, 0.3, 0.49, 0.51, 0.7, 1]).reshape(-1, 1, 1, 1, 1)
    assert time_machine.halfway(film, time_machine.movement(first * (1 + fractions))) == 4
    assert time_machine.halfway(film, time_machine.movement(np.repeat(first, 7, axis=0))) is None


def test_when_an_answer_stays(run):
    answers = np.array([[0, 1, 2], [1, 1, 2], [0, 2, 2], [0, 1, 2]])
    film = time_machine.film(run)
    film = type(film)(**{**film.__dict__, "probabilities": np.eye(3, dtype=np.float32)[answers]})
    assert time_machine.settled(film).tolist() == [2, 3, 0]
    assert time_machine.right(film, np.array([0, 1, 1])).tolist() == [2, 1, 1, 2]


def test_losses_at_a_frame_are_those_of_the_rows_up_to_it(run):
    film = time_machine.film(run)
    steps = np.arange(1.0, 25)
    metrics = {
        "train": {"step": steps, "loss": steps * 2},
        "val": {"step": np.array([8.0, 16]), "loss": np.array([3.0, 2]), "accuracy": np.array([0.5, 0.6])},
    }
    found = time_machine.losses(film, metrics)
    assert np.isnan(found["train"][0]) and found["train"][1] == 2
    assert found["train"][5] == pytest.approx(2 * np.mean(range(7, 17)))
    assert found["val"][4:6].tolist() == [3, 2] and np.isnan(found["val"][6]) and found["accuracy"][5] == 0.6


def test_a_step_between_two_frames_stands_between_them(run):
    film = time_machine.film(run)
    assert time_machine.places(film, np.array([0, 3, 8, 12, 24, 99])).tolist() == [0, 2.5, 4, 4.5, 6, 6]
    assert [time_machine.frame_at(film, step) for step in (0, 3, 13, 500, None)] == [0, 2, 5, 6, 6]


# Feature maps


def picture(size=32):
    return torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(1))


def test_maps_from_kernels_alone_are_those_of_the_network():
    torch.manual_seed(0)
    arguments = {"stem": "imagenet", "stem_width": 8}
    model = zoo.build("resnet8", arguments).eval()
    name, module = pinned_maps.first_convolution("resnet8", arguments)
    channels = np.array([3, 0, 7])
    found = pinned_maps.from_kernels(
        model.conv1.weight.detach().numpy()[None], module, picture(), np.array([0]), channels
    )
    assert name == "conv1" and (found.of, found.shrunk) == (8, 1)
    assert np.allclose(found.maps[0], feature_maps.feature_maps(model, picture(), "conv1").maps[channels], atol=1e-5)


def test_large_maps_become_means_of_blocks():
    model = zoo.build("resnet8")
    _, module = pinned_maps.first_convolution("resnet8", {})
    weights = model.conv1.weight.detach().numpy()
    found = pinned_maps.from_kernels(weights[None], module, picture(70), np.array([0]), np.arange(16))
    whole = feature_maps.feature_maps(model, picture(70), "conv1").maps
    assert found.shrunk == 3 and found.maps.shape == (1, 16, 23, 23)
    assert np.allclose(found.maps[0, 5, 1, 2], whole[5, 3:6, 6:9].mean(), atol=1e-5)


def test_deeper_maps_come_from_the_weights_of_every_epoch(written_run, bare_run):
    found = pinned_maps.from_weights(written_run, "layer2.0.conv1", checkpoints.read, picture())
    assert found.moments.tolist() == [0, 1, 2]
    checkpoint = checkpoints.read(written_run / "weights" / "0002.safetensors")
    seen = feature_maps.feature_maps(checkpoints.model(checkpoint), picture(), "layer2.0.conv1")
    assert np.allclose(found.maps[-1], seen.maps[found.channels], atol=1e-5)
    assert (np.diff(seen.variance[found.channels]) <= 0).all()
    assert pinned_maps.moment_of_frames(found, np.array([0, 0, 1, 1, 2, 5])).tolist() == [0, 0, 1, 1, 2, 2]
    assert pinned_maps.from_weights(bare_run, "layer2.0.conv1", checkpoints.read, picture()) is None


# The ten pictures


def test_the_fixed_pictures_are_those_that_training_asks(tmp_path):
    prepared = work.prepare(Config(network="resnet8", data="digits", device="cpu"))
    header = {**prepared.header(), "preprocessing": Preprocessing(8, 8, (0.5,) * 3, (0.5,) * 3).to_dict()}
    checkpoints.write(tmp_path / "initial.safetensors", prepared.model.state_dict(), header)
    found = fixed_pictures.fixed_pictures(tmp_path, checkpoints.read(tmp_path / "initial.safetensors"))
    assert np.array_equal(found.labels, prepared.fixed.labels[:, 0].numpy())
    assert np.array_equal(found.images, prepared.fixed.images.permute(0, 2, 3, 1).numpy())
    images = torch.randint(0, 255, (10, 1, 4, 4), dtype=torch.uint8)
    runs.write_atomic(tmp_path / fixed_pictures.FILE, save({"images": images, "labels": torch.arange(10)[:, None] % 3}))
    kept = fixed_pictures.fixed_pictures(tmp_path, checkpoints.read(tmp_path / "initial.safetensors"))
    assert kept.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    assert np.array_equal(kept.images[..., 1], images[:, 0].numpy())


def test_of_pictures_that_are_not_here_the_classes_are_known():
    run = checkpoints.BUNDLED / "resnet20-cifar10-jpeg"
    found = fixed_pictures.fixed_pictures(run, checkpoints.read(run / "best.safetensors"))
    film = time_machine.film(run)
    assert found.images is None and time_machine.right(film, found.labels)[-1] >= 9  # by chance it would be one
