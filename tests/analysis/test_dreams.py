"""Pictures made for a channel: waves against a plain sum of cosines, what pleases a known channel, what fails and says so."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from resnet_viz import checkpoints
from resnet_viz.analysis import channels, dreams, feature_maps
from resnet_viz.data import examples
from resnet_viz.data.preprocessing import Preprocessing, normalise
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

from ..foreign_networks import randomised

GREY = Preprocessing(16, 16, (0.5,), (0.25,))
COLOUR = Preprocessing(16, 16, (0.5, 0.4, 0.3), (0.2, 0.3, 0.2))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return randomised(zoo.build("resnet8"))


@pytest.mark.parametrize(("down", "right"), [(0, 1), (3, 2), (15, 4)])
def test_one_frequency_is_one_wave(down, right):
    spectrum = torch.zeros(1, 1, 16, 9, 2)
    spectrum[0, 0, down, right, 0] = 1.0
    y, x = np.mgrid[:16, :16]
    cycles = np.hypot(down - 16 * (down > 8), right) / 16  # a pixel
    wave = 2 * np.cos(2 * np.pi * (down * y + right * x) / 16) / 16 / cycles / 4
    found = dreams.picture_of(spectrum, GREY)[0, 0].numpy()
    assert found == pytest.approx(1 / (1 + np.exp(-wave)), abs=1e-5)


def test_nothing_at_all_frequencies_is_grey_and_all_colours_can_be_made():
    assert (dreams.picture_of(torch.zeros(2, 3, 16, 9, 2), COLOUR) == 0.5).all()
    for wanted in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)):
        network = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False))
        network[0].weight.data[:] = (2 * torch.tensor(wanted, dtype=torch.float32) - 1).reshape(1, 3, 1, 1)
        made, = dreams.dreams(network, COLOUR, "0", [0])
        means = made.pixels.mean(axis=(0, 1))
        assert min(means[np.array(wanted) == 1]) > max(means[np.array(wanted) == 0])


def test_an_edge_filter_gets_its_edges():
    """A filter that takes what is left from what is right is pleased by upright stripes."""
    network = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, bias=False))
    network[0].weight.data[0, 0] = torch.tensor([[-1.0, 0, 1], [-1, 0, 1], [-1, 0, 1]])
    pixels = dreams.dreams(network, GREY, "0", [0])[0].pixels[..., 0].astype(float)
    across, along = np.abs(np.diff(pixels, axis=1)).mean(), np.abs(np.diff(pixels, axis=0)).mean()
    assert across > 1.5 * along


@pytest.mark.parametrize("goal", dreams.GOALS)
@pytest.mark.parametrize("layer", ["layer1.0.add", "fc"])
def test_its_numbers_are_what_the_layer_answers_to_it(model, goal, layer):
    for made in dreams.dreams(model, COLOUR, layer, [1, 4], goal, steps=60):
        pixels = torch.from_numpy(made.pixels).permute(2, 0, 1)[None]
        maps = feature_maps.feature_maps(model, normalise(pixels, COLOUR), layer).maps[made.channel]
        assert made.value == pytest.approx(maps.max(), rel=1e-4)
        grown = np.where(maps > 0, maps, 0.1 * maps).mean() if goal == "everywhere" else maps[maps.shape[0] // 2, maps.shape[1] // 2]
        assert made.trace[-1] == pytest.approx(grown, rel=1e-4, abs=1e-4) and made.trace[-1] > made.trace[0]
        assert made.reached


def test_a_channel_alone_gets_the_picture_it_gets_among_others(model):
    together = dreams.dreams(model, COLOUR, "layer2.0.add", [3, 0, 7], steps=12)
    alone, = dreams.dreams(model, COLOUR, "layer2.0.add", [7], steps=12)
    assert together[2].channel == 7
    assert np.abs(together[2].pixels.astype(int) - alone.pixels).max() <= 1
    again, = dreams.dreams(model, COLOUR, "layer2.0.add", [7], steps=12, seed=1)
    assert np.abs(again.pixels.astype(int) - alone.pixels).mean() > 1


def test_what_failed_says_so(model):
    dead = nn.Sequential(nn.Conv2d(3, 1, 1), nn.ReLU())
    dead[0].bias.data[:] = -100
    made, = dreams.dreams(dead, COLOUR, "1", [0], steps=3)
    assert not made.reached and dreams.is_grey(made) and made.value == 0
    assert "no gradient reached" in dreams.failure(made, 1.0)
    before, = dreams.dreams(dead, COLOUR, "0", [0])  # before the ReLU the same channel has its picture
    assert before.reached and not dreams.is_grey(before)
    assert "stayed grey" in dreams.failure(replace(made, reached=True), None)
    assert "with 2," in dreams.failure(replace(before, value=2.0), 3.0)
    with pytest.raises(Problem, match="Unknown goal"):
        dreams.dreams(model, COLOUR, "fc", [0], "somewhere")


def test_the_model_and_the_random_numbers_are_left_as_found_also_when_stopped(model):
    def stop(done, total):
        raise InterruptedError

    model.train()
    state, modes = torch.get_rng_state(), [module.training for module in model.modules()]
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    try:
        with pytest.raises(InterruptedError):
            dreams.dreams(model, COLOUR, "fc", [0], progress=stop)
        assert [module.training for module in model.modules()] == modes and not model.fc._forward_hooks
        assert torch.equal(torch.get_rng_state(), state)
        assert all(parameter.grad is None for parameter in model.parameters())
        assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())
    finally:
        model.eval()


@pytest.fixture(scope="module")
def trained():
    checkpoint = checkpoints.read(checkpoints.find("resnet20-cifar10-jpeg"))
    return checkpoints.model(checkpoint), checkpoint


@pytest.mark.parametrize("goal", dreams.GOALS)
def test_it_pleases_a_trained_channel_more_than_any_square_of_the_photographs(trained, goal):
    model, checkpoint = trained
    squares = torch.cat([channels.squares(examples.read(example), 32) for example in examples.examples()])
    for made in dreams.dreams(model, checkpoint.preprocessing, "layer1.2.add", [2, 7], goal, steps=60):
        tensor = normalise(squares, checkpoint.preprocessing)
        maps = np.stack([feature_maps.feature_maps(model, one[None], "layer1.2.add").maps[made.channel] for one in tensor[::8]])
        real = np.where(maps > 0, maps, 0.1 * maps).mean(axis=(1, 2)) if goal == "everywhere" else maps[:, 16, 16]
        assert made.trace[-1] > real.max()


def test_the_trained_network_knows_its_own_pictures(trained):
    """What is made for a class of the bundled network is answered with that class."""
    model, checkpoint = trained
    made = dreams.dreams(model, checkpoint.preprocessing, "fc", [2, 6], steps=40)
    pixels = torch.from_numpy(np.stack([one.pixels for one in made])).permute(0, 3, 1, 2)
    with torch.no_grad():
        answers = model(normalise(pixels, checkpoint.preprocessing)).softmax(dim=1)
    assert answers.argmax(dim=1).tolist() == [2, 6] and answers.amax(dim=1).min() > 0.95
