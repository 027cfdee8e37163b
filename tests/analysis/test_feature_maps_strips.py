"""The strips of a whole network against one layer at a time, and the model left as it was found."""

import numpy as np
import pytest
import torch

from resnet_viz.analysis import feature_maps, feature_maps_strips
from resnet_viz.analysis.architecture import summary
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return zoo.build("resnet8").eval()


def picture(size=32, channels=3):
    return torch.randn(1, channels, size, size, generator=torch.Generator().manual_seed(1))


def test_a_strip_says_what_the_layer_alone_says(model):
    layers = [layer.name for layer in summary("resnet8", {}, 32).layers]
    found = feature_maps_strips.strips(model, picture(), layers)
    assert [strip.layer for strip in found.strips] == layers
    largest = []
    for strip in found.strips:
        whole = feature_maps.feature_maps(model, picture(), strip.layer)
        assert strip.shape == whole.maps.shape and np.array_equal(strip.dead, whole.dead)
        for name in ("mean", "maximum", "variance"):
            assert np.allclose(getattr(strip, name), getattr(whole, name), atol=1e-5)
        assert np.allclose(strip.maps, whole.maps[strip.channels], atol=1e-6)
        assert strip.limit == pytest.approx(np.abs(whole.maps).max())
        assert strip.lowest == pytest.approx(whole.maps.min())
        largest.append(strip.limit)
    assert found.limit == max(largest)


@pytest.mark.parametrize("by", feature_maps.ORDERS)
def test_the_first_in_every_order_are_kept(model, by):
    found = feature_maps_strips.strips(model, picture(), ["layer3.0.act2", "fc"])
    whole = feature_maps.feature_maps(model, picture(), "layer3.0.act2")
    maps, numbers = found.strips
    assert maps.channels[maps.first(by, 5)].tolist() == feature_maps.order(whole, by)[:5].tolist()
    assert len(maps.first(by, 64)) == feature_maps_strips.KEPT < len(maps.channels) < 64
    assert len(numbers.first(by, 64)) == 10


def test_large_maps_are_kept_as_means_of_blocks(model):
    (strip,) = feature_maps_strips.strips(model, picture(130), ["conv1"]).strips
    whole = torch.from_numpy(feature_maps.feature_maps(model, picture(130), "conv1").maps[strip.channels])
    assert strip.shape == (16, 130, 130) and strip.maps.shape[1:] == (43, 43)
    assert np.allclose(strip.maps, torch.nn.functional.avg_pool2d(whole[None], 3)[0], atol=1e-5)
    assert np.allclose(strip.limits, whole.abs().amax((1, 2)))


def test_the_whole_networks_limit_counts_layers_that_are_not_shown(model):
    every = feature_maps_strips.strips(model, picture(), [layer.name for layer in summary("resnet8", {}, 32).layers])
    assert feature_maps_strips.strips(model, picture(), ["act1"]).limit == every.limit > every.strips[2].limit


@pytest.mark.parametrize(("network", "size", "expected"), [
    ("resnet8", 32, ["act1", "layer1.0.act2", "layer2.0.act2", "layer3.0.act2", "fc"]),
    ("hw4-resnet", 32, ["dropout", "layer1.0.add", "layer1.1.add", "widen2"]),
    ("resnet50", 224, ["maxpool", "layer1.0.act3", "layer1.1.act3"]),
])
def test_a_short_look_stops_at_the_end_of_every_block(network, size, expected):
    names = [layer.name for layer in feature_maps_strips.ends(summary(network, {}, size))]
    assert names[:len(expected)] == expected and names[-1] == "fc"


def test_a_network_without_blocks_is_shown_whole():
    table = summary("simple-cnn", {}, 32)
    assert feature_maps_strips.ends(table) == table.layers


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_as_found(fails):
    model = zoo.build("resnet8").train()
    model.layer1.eval()
    modes, state = [m.training for m in model.modules()], {name: t.clone() for name, t in model.state_dict().items()}
    random = torch.get_rng_state()
    if fails:
        with pytest.raises(RuntimeError):
            feature_maps_strips.strips(model, picture(channels=5), ["act1"])
    else:
        feature_maps_strips.strips(model, picture(), ["act1"])
    assert [m.training for m in model.modules()] == modes and not any(m._forward_hooks for m in model.modules())
    assert all(torch.equal(t, model.state_dict()[name]) for name, t in state.items())
    assert torch.equal(random, torch.get_rng_state())


def test_an_unknown_layer_is_one_sentence(model):
    with pytest.raises(Problem, match="Unknown layer 'layer9'"):
        feature_maps_strips.strips(model, picture(), ["layer9"])


def test_numbers_that_are_none_leave_the_others_readable():
    model = zoo.build("resnet8")
    with torch.no_grad():
        model.fc.weight[3] = float("nan")
    found = feature_maps_strips.strips(model, picture(), ["act1", "fc"])
    assert np.isfinite(found.limit) and np.isfinite(found.strips[0].limit) and np.isnan(found.strips[1].mean).sum() == 1
