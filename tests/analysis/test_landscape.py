"""The loss over a plane: directions, points and the middle against plain torch, the order of points, the record's
readings."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from resnet_viz import checkpoints, runs
from resnet_viz.analysis import landscape, landscape_directions, landscape_work, measurement
from resnet_viz.analysis.landscape_network import Movable, folded
from resnet_viz.data import sources
from resnet_viz.data.preprocessing import Preprocessing
from resnet_viz.evaluation import evaluate
from resnet_viz.networks import zoo

from ..foreign_networks import randomised
from ..refusals import refused

LIMIT = 40


def checkpoint_of(network="resnet8", arguments=None, size=16):
    torch.manual_seed(3)
    model = randomised(zoo.build(network, arguments or {}))
    channels = next(model.parameters()).shape[1]
    recipe = Preprocessing(size, size, (0.5,) * channels, (0.25,) * channels)
    return checkpoints.Checkpoint(
        "one", network, arguments or {}, model.state_dict(), None, zoo.heads_of(network, arguments or {}), recipe
    )


@pytest.fixture(scope="module")
def work():
    return landscape_work.prepare(checkpoint_of(), "digits", 5, LIMIT, 4)


@pytest.fixture(scope="module")
def filled(work):
    return landscape_work.compute(
        work, landscape.empty(work.empty.x, work.empty.y, work.empty.recipe), lambda now: None
    )


def plainly(work, x, y):
    """The same point without any folding: a state dict moved by hand, and the evaluation that everything else uses."""
    first, second = work.directions
    state = {
        name: tensor + (x * first[name] + y * second[name] if name in first else 0)
        for name, tensor in work.checkpoint.state.items()
    }
    model = checkpoints.model(replace(work.checkpoint, state=state))
    return evaluate(model, work.images, work.labels, work.checkpoint.heads, work.checkpoint.preprocessing)


# Directions


def test_every_filter_of_a_direction_is_as_long_as_the_networks(work):
    state = work.checkpoint.state
    for direction in work.directions:
        assert set(direction) == {name for name, t in state.items() if name.endswith("weight") and t.ndim in (2, 4)}
        for name, d in direction.items():
            for filter_, weights in zip(d, state[name]):
                torch.testing.assert_close(
                    torch.linalg.vector_norm(filter_), torch.linalg.vector_norm(weights), rtol=1e-4, atol=1e-6
                )


def test_a_direction_keeps_what_was_drawn_within_a_filter(work):
    raw = landscape_directions.drawn(landscape_directions.moved(work.checkpoint.state), 4)
    for found, drawn in zip(work.directions, raw):
        ratio = found["layer1.0.conv1.weight"] / drawn["layer1.0.conv1.weight"]
        assert all(torch.allclose(filter_, filter_.flatten()[0]) for filter_ in ratio)
    assert not torch.equal(raw[0]["fc.weight"], raw[1]["fc.weight"])


def test_plain_and_residual_twins_get_one_draw():
    draws = [
        landscape_directions.drawn(landscape_directions.moved(checkpoint_of(name).state), 7)[0]
        for name in ("plain8", "resnet8")
    ]
    assert draws[0].keys() == draws[1].keys()
    assert all(torch.equal(draws[0][name], draws[1][name]) for name in draws[0])
    assert torch.initial_seed() == 3, "torch's own generator was left alone"


def test_a_filter_of_zeros_stays_where_it_is():
    weights = {"a": torch.stack([torch.zeros(3), torch.ones(3)])}
    found = landscape_directions.filter_normalised({"a": torch.ones(2, 3)}, weights)["a"]
    torch.testing.assert_close(found, weights["a"])


# Points


def test_the_middle_is_the_plain_loss(work, filled):
    measured = measurement.measure(work.checkpoint, "digits", limit=LIMIT)
    assert landscape.middle_loss(filled) == pytest.approx(measured["loss"], rel=1e-5)
    assert filled.accuracy[filled.middle] == measured["accuracy"]


def test_the_line_through_the_network_is_that_of_moved_state_dicts(work, filled):
    row = filled.middle[0]
    for column, x in enumerate(filled.x):
        found = plainly(work, x, 0.0)
        assert filled.loss[row, column] == pytest.approx(found.loss, rel=1e-4)
        assert filled.accuracy[row, column] == pytest.approx(found.accuracy)


def test_rows_are_the_second_direction(work, filled):
    assert filled.loss[0, 3] == pytest.approx(plainly(work, filled.x[3], filled.y[0]).loss, rel=1e-4)


@pytest.mark.parametrize(
    ("network", "arguments", "size", "left"),
    [
        ("resnet20", {}, 16, 0),
        ("plain8", {}, 16, 0),
        ("resnet8", {"norm": "none"}, 16, 0),
        ("resnet8", {"shortcut": "B", "conv_bias": True}, 16, 0),
        ("simple-cnn", {}, 32, 0),
        ("hw4-resnet", {}, 32, 1),
        ("grapheme-resnet", {}, 64, 0),
        ("resnet18", {"heads": [10]}, 64, 0),
        ("resnet8", {"activation": "tanh"}, 16, 0),
    ],
)
def test_folded_every_network_answers_as_before(network, arguments, size, left):
    checkpoint = checkpoint_of(network, arguments, size)
    weights = landscape_directions.moved(checkpoint.state)
    directions = tuple(
        landscape_directions.filter_normalised(d, weights) for d in landscape_directions.drawn(weights, 0)
    )
    movable = Movable(checkpoint, directions)
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in movable.network.modules()) == left
    x = torch.randn(2, checkpoint.preprocessing.channels, size, size, generator=torch.Generator().manual_seed(0))
    moved = {
        name: t + (0.2 * directions[0][name] - 0.1 * directions[1][name] if name in weights else 0)
        for name, t in checkpoint.state.items()
    }
    with torch.no_grad():
        movable.move(0.2, -0.1)
        there, here = checkpoints.model(replace(checkpoint, state=moved))(x), movable.network(x)
        scale = there.abs().max().item()
        torch.testing.assert_close(here, there, rtol=1e-4, atol=1e-4 * scale)


def test_folding_leaves_the_checkpoint_alone(work):
    before = {name: tensor.clone() for name, tensor in work.checkpoint.state.items()}
    Movable(work.checkpoint, work.directions).loss(0.5, 0.5, work.images, work.labels)
    assert all(torch.equal(before[name], tensor) for name, tensor in work.checkpoint.state.items())


def test_a_network_that_reads_an_output_twice_is_not_folded():
    """There the batch norm's input is needed as it is: the copy would answer otherwise, and is thrown away."""

    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)

        def forward(self, x):
            z = self.conv(x)
            return (z + self.bn(z)).mean((2, 3))

    model = randomised(Twice()).eval()
    network, scales = folded(model, Preprocessing(8, 8, (0.5,) * 3, (0.25,) * 3))
    assert not scales and isinstance(network.bn, torch.nn.BatchNorm2d) and network is not model


def test_a_loss_that_is_no_number_is_an_answer(work):
    broken = {name: t / 0 if name == "fc.weight" else t for name, t in work.checkpoint.state.items()}
    found = landscape_work.prepare(replace(work.checkpoint, state=broken), "digits", 3, 10)
    done = landscape_work.compute(found, found.empty, lambda now: None)
    assert done.complete and not done.finite.any()
    assert landscape.hollows(done) == 0 and landscape.share_below(done, 2.3) == 0


# The order, stopping and going on


def fill(target, values, points):
    order = []
    for _ in range(points):
        place = landscape.next_point(target, np.zeros_like(target.done))
        order.append(place)
        landscape.with_point(target, place, float(values[place]), 0.5)
    return order


def nothing_yet(grid=21):
    axis = landscape.axis(grid)
    return landscape.empty(axis, axis, {"heads": [10]})


def test_the_lines_come_first_then_a_coarse_grid_then_what_is_steep():
    target = nothing_yet()
    values = np.where(target.x[None, :] > 0.55, 50.0, 1.0) * np.ones((21, 1))  # a plain of height 1, and a wall
    order = fill(target, values, 21 * 21)
    assert (
        order[0] == (10, 10)
        and {row for row, _ in order[:21]} == {10}
        and {column for _, column in order[21:41]} == {10}
    )
    coarse = {0, 2, 6, 10, 14, 18, 20}
    assert all(row in coarse and column in coarse for row, column in order[41 : 41 + 7 * 7 - 13])
    refined = order[41 + 36 :]
    columns = np.array([column for _, column in refined])
    steep = (columns >= 13) & (columns <= 18)  # the wall is between 15 and 16
    assert steep[:60].mean() > 0.9 and steep[-200:].mean() < 0.15
    assert len(set(order)) == 441 and landscape.next_point(target, np.zeros_like(target.done)) is None


def test_points_at_work_are_not_given_twice():
    target = nothing_yet(5)
    taken, places = np.zeros((5, 5), bool), []
    while (place := landscape.next_point(target, taken)) is not None:
        taken[place] = True
        places.append(place)
    assert len(places) == len(set(places)) == 25


def test_stopped_it_keeps_what_it_has_and_goes_on(work, filled, monkeypatch):
    monkeypatch.setattr(landscape_work, "SAVE_S", 0.004)

    class Enough(Exception):
        pass

    def stop(done, total, text):
        if done >= 4:
            raise Enough

    begun, saved = landscape.empty(work.empty.x, work.empty.y, work.empty.recipe), []
    with pytest.raises(Enough):
        landscape_work.compute(work, begun, saved.append, stop, threads=1)
    assert 4 <= saved[-1].done.sum() < 25 and saved[-1].recipe["seconds"] > 0
    known = saved[-1].done.copy()
    np.testing.assert_array_equal(saved[-1].loss[known], filled.loss[known])
    again = landscape_work.compute(work, landscape_work.continued(work, saved[-1]), saved.append)
    assert again.complete and again.recipe["seconds"] >= saved[0].recipe["seconds"]
    np.testing.assert_allclose(again.loss, filled.loss, rtol=1e-6)


def test_what_goes_wrong_in_a_thread_is_told(work, monkeypatch):
    monkeypatch.setattr(Movable, "loss", lambda *rest: 1 / torch.ones(2).view(3))
    with pytest.raises(RuntimeError, match="shape"):
        landscape_work.compute(work, landscape.empty(work.empty.x, work.empty.y, work.empty.recipe), lambda now: None)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"weights": "0"}, "weights"),
        ({"pictures": "0"}, "pictures"),
        ({"seed": 9}, "seed"),
        ({"plane": "path"}, "plane"),
    ],
)
def test_another_landscape_is_not_gone_on_with(work, change, word):
    with refused(f"its {word} differs"):
        landscape_work.continued(work, landscape.with_recipe(work.empty, **change))


def test_arguments_that_make_no_sense():
    for grid in (1, 2, 20, 203):
        with refused("odd number from 3 to 201"):
            landscape.check_grid(grid)
    with refused("--limit"):
        landscape_work.prepare(checkpoint_of(), "digits", limit=0)
    with refused("choose one of: random, path"):
        landscape_work.prepare(checkpoint_of(), "digits", plane="straight")
    with refused("without its run"):
        landscape_work.prepare(checkpoint_of(), "digits", plane="path")


# The training path


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A run of four epochs whose weights wander at random; (checkpoint, moments as flat arrays)."""
    run = tmp_path_factory.mktemp("runs") / "walked"
    generator, state = torch.Generator().manual_seed(0), randomised(zoo.build("resnet8")).state_dict()
    header = {
        "network": "resnet8",
        "arguments": {},
        "preprocessing": Preprocessing(16, 16, (0.5,) * 3, (0.25,) * 3).to_dict(),
    }
    runs.write_config(
        run, {"network": "resnet8", "data": "/home/me/secret.zip", "epochs": 4, "lr": 0.1, "train_limit": None}
    )
    checkpoints.write(run / "initial.safetensors", state, header)
    for epoch in range(1, 5):
        state = {
            name: t + 0.1 * torch.randn(t.shape, generator=generator) if t.ndim > 1 else t for name, t in state.items()
        }
        checkpoints.write(run / "weights" / f"{epoch:04d}.safetensors", state, {**header, "epoch": epoch})
    checkpoints.write(run / "last.safetensors", state, {**header, "epoch": 4})
    return checkpoints.read(run / "last.safetensors")


def test_the_plane_of_a_path_is_that_of_principal_components(walked):
    epochs, states = landscape_work.moments(walked)
    assert epochs == [0, 1, 2, 3, 4]
    found = landscape_directions.path_plane(walked.state, states)
    names = [name for name, t in walked.state.items() if t.ndim > 1]
    differences = np.stack(
        [np.concatenate([(s[n] - walked.state[n]).numpy().ravel() for n in names]) for s in states]
    ).astype(float)
    reference = PCA(2).fit(differences)
    for direction, component, share in zip(
        found.directions, reference.components_, reference.explained_variance_ratio_
    ):
        flat = np.concatenate([direction[name].numpy().ravel() for name in names])
        assert abs(flat @ component) == pytest.approx(1, abs=1e-5) and np.linalg.norm(flat) == pytest.approx(
            1, abs=1e-5
        )
    np.testing.assert_allclose(found.explained, reference.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(
        np.abs(found.points), np.abs(differences @ reference.components_.T), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(found.left**2 + (found.points**2).sum(1), (differences**2).sum(1), rtol=1e-6, atol=1e-6)
    assert found.points[0, 0] < 0 and found.points[np.abs(found.points[:, 1]).argmax(), 1] > 0
    assert np.abs(found.points[-1]).max() < 1e-6, "it ends at the network"


def test_the_path_lies_on_its_grid_and_a_moment_has_its_weights(walked):
    work = landscape_work.prepare(walked, "digits", 7, 10, plane="path")
    path = work.empty.path
    for axis, points in ((work.empty.x, path.x), (work.empty.y, path.y)):
        assert axis[0] < points.min() and points.max() < axis[-1] and 0.0 in axis and len(axis) == 7
    assert work.empty.recipe["trained"] == {"data": "secret", "epochs": 4, "lr": 0.1}, "no folder of anybody's travels"
    assert plainly(work, 0.0, 0.0).loss == pytest.approx(
        measurement.measure(walked, "digits", limit=10)["loss"], rel=1e-6
    )


def test_a_run_without_weights_has_no_path(walked, tmp_path):
    bare = replace(walked, run=tmp_path)
    with refused("keep_weights=true"):
        landscape_work.moments(bare)
    epochs, states = landscape_work.moments(walked)
    with refused("hardly differ"):
        landscape_directions.path_plane(walked.state, [walked.state] * 3)
    with refused("three moments"):
        landscape_directions.path_plane(walked.state, states[:2])


@pytest.mark.parametrize(
    "points", [np.array([-3.0, 0.0]), np.array([-0.5, 0.5]), np.array([0.0, 7.0]), np.array([2.0, 5.0]), np.zeros(3)]
)
@pytest.mark.parametrize("grid", [3, 5, 21, 51])
def test_an_axis_holds_all_points_and_the_network(points, grid):
    axis = landscape.axis(grid, points)
    assert len(axis) == grid and 0.0 in axis and np.allclose(np.diff(axis), axis[1] - axis[0])
    assert axis[0] <= points.min() and points.max() <= axis[-1]


# Readings


def test_readings_of_a_bowl_and_of_two():
    axis = landscape.axis(9)
    x, y = np.meshgrid(axis, axis)

    def made(values):
        return landscape.Landscape(axis, axis, values, values * 0, np.ones((9, 9), bool), {"heads": [10, 4]})

    bowl = made(x**2 + 2 * y**2)
    assert landscape.middle_loss(bowl) == 0 and landscape.hollows(bowl) == 1
    assert landscape.guessing(bowl) == pytest.approx(np.log(10) + np.log(4))
    assert landscape.share_below(bowl, 0.2) == pytest.approx(((x**2 + 2 * y**2) < 0.2).mean())
    np.testing.assert_array_equal(landscape.slices(bowl)["y"], 2 * axis**2)
    assert landscape.hollows(made((x**2 - 0.25) ** 2 + y**2)) == 2


def test_pictures_are_those_of_evaluate(work):
    pictures = sources.load("digits", "test")
    assert len(work.images) == LIMIT < len(pictures.images) and work.empty.recipe["data"] == "digits"
