"""What travels to the time machine's component: the run's own numbers, and words for what is missing or left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnet_viz import checkpoints, runs
from resnet_viz.analysis import fixed_pictures, pinned_maps, time_machine
from resnet_viz.analysis.fixed_pictures import FixedPictures
from resnet_viz.data.preprocessing import see
from resnet_viz.drawing.curves import downsample
from resnet_viz.ui import time_machine_frames as frames
from resnet_viz.ui.pictures import NamedPicture

from ..drawing.test_time_machine import unpacked

RUN = checkpoints.BUNDLED / "resnet20-stem7-shapes"
PICTURE = NamedPicture(
    "Stripes", Image.fromarray(np.tile(np.array([0, 255] * 40, np.uint8)[:, None], (80, 1, 3))), "", "stripes"
)


@pytest.fixture(scope="module")
def reel():
    checkpoint = checkpoints.read(RUN / "best.safetensors")
    film = time_machine.film(RUN)
    weights = film.kernels["conv1"]
    moved = time_machine.movement(weights)
    order = time_machine.most_moved(moved.relative)
    ordered = time_machine.Movement(moved.relative[:, order], moved.cosine[:, order], moved.whole)
    return frames.Reel(
        RUN,
        film,
        checkpoint,
        fixed_pictures.fixed_pictures(RUN, checkpoint),
        runs.Metrics(RUN).refresh(),
        "conv1",
        0,
        order,
        weights[:, order],
        ordered,
        moved,
        "stamp",
        "kernel",
        "epochs",
    )


def first_maps(reel):
    _, module = pinned_maps.first_convolution(reel.checkpoint.network, reel.checkpoint.arguments)
    tensor = see(PICTURE.image, reel.checkpoint.preprocessing).tensor
    return pinned_maps.from_kernels(reel.film.kernels["conv1"], module, tensor, reel.film.step, reel.numbers)


def sent(reel, maps=None):
    data = frames.payload(reel, maps, "conv1", PICTURE if maps is not None else None)
    return *unpacked(data), len(data)


def test_every_frame_travels_in_bounded_bytes(reel):
    head, arrays, size = sent(reel, first_maps(reel))
    assert size < time_machine.MOST_BYTES + 2**19
    weights = arrays["kernels"] * (np.abs(reel.weights).max() / 32767)
    assert np.allclose(weights, reel.weights, atol=1e-5) and head["numbers"] == reel.numbers.tolist()
    assert np.array_equal(arrays["probabilities"], reel.film.probabilities)
    assert np.array_equal(arrays["confusion"], reel.film.confusion)
    assert np.array_equal(arrays["pictures"], reel.fixed.images)
    assert head["labels"] == list(reel.checkpoint.classes) == head["bars"]
    assert head["notes"]["thinned"].startswith("Every snapshot") and not head["notes"]["answers"]
    assert head["first"] == 0 and head["step"][-1] == 4752


def test_the_loss_stands_where_its_step_is(reel):
    _, arrays, _ = sent(reel)
    train, film = reel.metrics["train"], reel.film
    kept = downsample(train["step"], train["loss"], 800)
    assert np.allclose(arrays["loss_y"], train["loss"][kept])
    assert np.allclose(arrays["loss_x"], np.interp(train["step"][kept], film.step, range(len(film))), atol=1e-4)
    assert arrays["loss_x"][-1] <= len(film) - 1
    assert arrays["accuracy"][-1] == pytest.approx(time_machine.accuracy(film)[-1])


def test_maps_go_with_the_kernels_above_them(reel):
    head, arrays, _ = sent(reel, first_maps(reel))
    assert head["channels"] == reel.numbers[:16].tolist() and head["maps_are_kernels"]
    assert arrays["map_of"].tolist() == list(range(26)) and arrays["maps"].shape == (26, 16, 32, 32)
    assert "16 of 64 maps: the filters that stand first above" in head["notes"]["maps"]
    assert arrays["pinned"].shape == (64, 64, 3)


def test_deeper_maps_change_with_the_epochs_only(reel):
    maps = replace(first_maps(reel), maps=first_maps(reel).maps[:3], moments=np.array([0, 1, 9]))
    head, arrays, _ = sent(reel, maps)
    assert not head["maps_are_kernels"] and head["map_moments"] == [
        "before training",
        "the end of epoch 1",
        "the end of epoch 9",
    ]
    assert "change at the end of each epoch" in head["notes"]["maps"]
    assert arrays["map_of"].tolist() == np.searchsorted([1, 9], reel.film.epoch, side="right").tolist()


def test_what_is_missing_or_left_out_is_said(reel):
    film = replace(reel.film, confusion=None, taken=900)
    head, arrays, _ = sent(replace(reel, film=film, fixed=FixedPictures(None, None), metrics={}))
    notes = head["notes"]
    assert notes["thinned"].startswith("26 of the 900 snapshots are shown")
    assert "held out" in notes["confusion"] and "not kept" in notes["answers"] and "Choose a picture" in notes["maps"]
    assert head["labels"] is None and not {"confusion", "pictures", "maps"} & set(arrays)
    assert len(arrays["loss_x"]) == 0 and np.isnan(arrays["train"]).all()


def test_of_many_classes_those_that_matter_have_bars(reel):
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(300, 0.01), size=(26, 10)).astype(np.float32)
    labels = np.arange(290, 300)
    names = tuple(f"class {i}" for i in range(300))
    bars, shares = frames._bars(probabilities, names, labels, 300)
    assert len(bars) == 20 and {names[i] for i in labels} <= set(bars)
    assert np.array_equal(shares, probabilities[:, :, [names.index(name) for name in bars]])


def test_the_time_line_counts_in_epochs_steps_or_images(reel):
    assert frames.ticks(reel.film, "epochs")[:3] == [(0, "start"), (10, "1"), (11, "2")]
    assert frames.ticks(reel.film, "steps")[-1] == (25, "4,752")
    assert frames.ticks(reel.film, "images")[1] == (1, "64")


def test_the_reel_knows_whose_kernels_it_shows(reel):
    assert reel.reads_pictures and not replace(reel, layer="layer1.0.conv1").reads_pictures
    assert isinstance(reel.run, Path)
