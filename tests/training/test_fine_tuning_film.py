"""A small fine-tuning watched: what is frozen stays bit by bit, what learns moves as torch's own optimiser moves it."""

import pytest
import torch
from torch.nn import functional as F

from resnet_viz import checkpoints
from resnet_viz.analysis import data_fine_tuning_words as words
from resnet_viz.data import sources
from resnet_viz.data.preprocessing import Preprocessing
from resnet_viz.networks import zoo
from resnet_viz.training import fine_tuning_film as film

from ..foreign_networks import randomised


@pytest.fixture(scope="module")
def checkpoint():
    torch.manual_seed(0)
    model = randomised(zoo.build("resnet8", {"heads": [4]}))
    return checkpoints.Checkpoint("one", "resnet8", {"heads": [4]}, model.state_dict(), None, (4,), Preprocessing(32, 32, (0.5,) * 3, (0.25,) * 3))


@pytest.fixture(scope="module")
def tuned(checkpoint):
    return {way: film.tune(checkpoint, way, 0) for way in film.WAYS}


def test_only_the_last_layer_moves_where_only_it_learns(tuned):
    everything, head, scratch = tuned.values()
    assert head.layers[-1] == "fc" and head.moved[-1][-1] > 0
    assert all(value == 0 for frame in head.moved for value in frame[:-1])
    assert min(everything.moved[-1]) > 0 and min(scratch.moved[-1]) > 0
    assert set(everything.moved[0]) == {0.0}, "at step 0 nothing has moved"
    for one in tuned.values():
        assert len(one.moved) == len(one.accuracy) == len(film.frames()) and len(one.losses) == film.STEPS
        assert one.new == 64 * 10 + 10 and one.accuracy[-1] > one.accuracy[0] + 0.2


def test_it_is_the_fine_tuning_that_the_shown_code_does(checkpoint, tuned, tmp_path):
    """The shown lines with a plain loop after them give the same losses and the same way of the last layer."""
    torch.save(checkpoint.state, tmp_path / "weights.pth")
    digits = sources.fit(sources.load("digits", "train"), 3, 8)
    images, labels = (digits.images.float() / 255 - 0.5) / 0.25, digits.labels[:, 0]
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0)).repeat(2)
    for way in film.WAYS[:2]:
        space = {"model": zoo.build("resnet8", {"heads": [4]})}
        code = words.code(way).replace("weights.pth", str(tmp_path / "weights.pth"))
        lines = code.split("optimiser =")
        exec(lines[0], space)  # noqa: S102
        with torch.random.fork_rng():
            torch.manual_seed(0)
            twin = zoo.build("resnet8", {"heads": [10]})  # its last layer draws what the film's drew
        space["model"].fc.load_state_dict(twin.fc.state_dict())
        exec("import torch\noptimiser =" + lines[1], space)  # noqa: S102
        model, losses, begun = space["model"], [], twin.fc.weight.detach().clone()
        for step in range(film.STEPS):
            batch = order[step * film.BATCH:(step + 1) * film.BATCH]
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            space["optimiser"].zero_grad()
            loss.backward()
            space["optimiser"].step()
            losses.append(loss.item())
        assert losses[:10] == pytest.approx(tuned[way].losses[:10], rel=1e-3)
        moved = float((model.fc.weight.detach() - begun).norm() / begun.norm())
        assert moved == pytest.approx(tuned[way].moved[-1][-1], rel=0.05)


def test_the_process_s_random_numbers_and_the_checkpoint_stay(checkpoint):
    threads, state, weights = torch.get_num_threads(), torch.get_rng_state(), {name: tensor.clone() for name, tensor in checkpoint.state.items()}
    film.tune(checkpoint, film.WAYS[1], 3)
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads
    assert all(torch.equal(tensor, weights[name]) for name, tensor in checkpoint.state.items())


def test_words_say_what_moved(tuned):
    steps = film.frames()
    assert "nothing has moved" in words.said(tuned, film.WAYS[0], 0, steps)
    assert f"the other {len(tuned[film.WAYS[1]].layers) - 1} layers did not move at all" in words.said(tuned, film.WAYS[1], 5, steps)
    assert words.features(tuned[film.WAYS[0]]) == 64
    assert "650 weights that begin by chance" in words.story(tuned, "one")[0]
    assert [row["layer"] for row in words.rows(tuned, steps)] == list(tuned[film.WAYS[0]].layers)
    names, values = words.grouped(("conv1", "layer1.0.conv1", "layer1.0.conv2", "fc"), ((1.0, 2.0, 4.0, 8.0),), 3)
    assert names == ["conv1", "layer1", "fc"] and values == [[1.0, 3.0, 8.0]]
