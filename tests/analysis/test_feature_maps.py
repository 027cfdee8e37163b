"""Feature maps against plain forward passes, and the model left as it was found."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resnet_viz.analysis import feature_maps
from resnet_viz.analysis.architecture import summary
from resnet_viz.networks import zoo
from resnet_viz.networks.resnet import ACTIVATIONS
from resnet_viz.problems import Problem


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = zoo.build("resnet8")
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # statistics that evaluation mode must use
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return model.eval()


@pytest.fixture
def picture():
    return torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_maps_of_the_first_layers_by_hand(model, picture):
    conv = F.conv2d(picture, model.conv1.weight, padding=1)
    bn = model.bn1
    norm = F.batch_norm(conv, bn.running_mean, bn.running_var, bn.weight, bn.bias, False, 0, bn.eps)
    for layer, expected in (("conv1", conv), ("bn1", norm), ("act1", norm.clamp(min=0))):
        maps = feature_maps.feature_maps(model, picture, layer).maps
        assert np.allclose(maps, expected[0].detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("network", ["resnet8", "plain8", "simple-cnn", "hw4-resnet", "grapheme-resnet"])
def test_every_layer_has_the_shape_of_the_table(network, picture):
    model = zoo.build(network).eval()
    picture = picture[:, :zoo.channels_of(network, {})]
    for row in summary(network, {}, 32).layers:
        maps = feature_maps.feature_maps(model, picture, row.name).maps
        assert maps.shape == (row.output_shape + (1, 1))[:3]


def test_the_last_layer_gives_the_networks_answer(model, picture):
    with torch.no_grad():
        logits = model(picture)[0]
    assert np.allclose(feature_maps.feature_maps(model, picture, "fc").maps[:, 0, 0], logits.numpy(), atol=1e-6)


def test_a_later_layer_that_works_in_place_does_not_change_the_maps(picture):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True)).eval()
    assert feature_maps.feature_maps(model, picture, "0").maps.min() < 0


def test_the_model_is_left_as_found(model, picture):
    model.train()
    model.layer1.eval()  # a mixture: every module gets its own mode back
    modes = [module.training for module in model.modules()]
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    random = torch.get_rng_state()
    feature_maps.feature_maps(model, picture, "layer2.0.add")
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in state.items())
    assert torch.equal(random, torch.get_rng_state())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_the_model_is_left_as_found_after_a_failure(model):
    model.train()
    with pytest.raises(RuntimeError):
        feature_maps.feature_maps(model, torch.zeros(1, 5, 32, 32), "act1")  # five channels do not fit
    assert model.training and not any(module._forward_hooks for module in model.modules())


def test_an_unknown_layer_is_one_sentence(model, picture):
    with pytest.raises(Problem, match="Unknown layer 'layer9'"):
        feature_maps.feature_maps(model, picture, "layer9")


def test_statistics_and_dead_channels(model, picture):
    with torch.no_grad():
        model.bn1.weight[3], model.bn1.bias[3] = 0, -1  # silenced by the ReLU that follows
    seen = feature_maps.feature_maps(model, picture, "act1")
    reference = torch.from_numpy(seen.maps)
    assert np.allclose(seen.mean, reference.mean((1, 2)), atol=1e-5)
    assert np.array_equal(seen.maximum, reference.amax((1, 2)))
    assert np.allclose(seen.variance, reference.var((1, 2), correction=0), atol=1e-5)
    assert np.flatnonzero(seen.dead).tolist() == [3]
    assert "1 dead" in feature_maps.describe(seen, "a cat")
    assert feature_maps.zeros(seen) == pytest.approx((reference == 0).double().mean().item())


@pytest.mark.parametrize(("by", "column"), [("mean", "mean"), ("maximum", "maximum"), ("variance", "variance")])
def test_orders_put_the_largest_first(model, picture, by, column):
    seen = feature_maps.feature_maps(model, picture, "act1")
    places = feature_maps.order(seen, by)
    assert sorted(places) == list(range(16))
    assert np.all(np.diff(getattr(seen, column)[places]) <= 0)
    assert feature_maps.order(seen, "channel").tolist() == list(range(16))
    assert len(feature_maps.rows(seen)) == 16


LAYERS = ["conv1", "bn1", "act1", "layer2.0.conv1", "layer2.0.add", "layer2.0.bn2", "layer3.0.conv2"]


@pytest.mark.parametrize("layer", LAYERS)
def test_the_largest_number_is_made_of_its_terms(model, picture, layer):
    seen = feature_maps.feature_maps(model, picture, layer)
    spot, terms = seen.spot, seen.spot.terms
    assert seen.maps[spot.channel, spot.row, spot.column] == seen.maps.max() == pytest.approx(spot.value)
    made = {
        "conv": lambda t: t["bias"] + t["for"] + t["against"],
        "bn": lambda t: t["gamma"] * (t["x"] - t["mean"]) / (t["var"] + t["eps"]) ** 0.5 + t["beta"],
        "act": lambda t: max(0, t["x"]),
        "add": lambda t: t["residual"] + t["shortcut"],
    }
    assert made[layer.split(".")[-1].rstrip("0123456789")](terms) == pytest.approx(spot.value, rel=1e-4)


@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "elu", "tanh", "sigmoid"])
def test_the_largest_number_of_any_activation(activation, picture):
    model = zoo.build("resnet8", {"activation": activation})
    spot = feature_maps.feature_maps(model, picture, "act1").spot
    assert ACTIVATIONS[activation]()(torch.tensor(spot.terms["x"])).item() == \
        pytest.approx(spot.value, rel=1e-5)


def test_a_grouped_filter_is_made_of_its_own_groups_channels():
    torch.manual_seed(1)
    conv = nn.Conv2d(6, 9, 3, padding=1, groups=3)
    for _ in range(10):
        spot = feature_maps.feature_maps(nn.Sequential(conv), torch.randn(1, 6, 5, 5), "0").spot
        assert spot.terms["bias"] + spot.terms["for"] + spot.terms["against"] == pytest.approx(spot.value, rel=1e-4)


def test_layers_without_terms_still_have_a_spot(model, picture):
    spot = feature_maps.feature_maps(model, picture, "fc").spot
    assert spot.terms == {} and (spot.row, spot.column) == (0, 0)
