"""Attribution maps against Captum called directly on torchvision's networks with the same weights, and their laws."""

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from resnet_viz.analysis import attributions
from resnet_viz.analysis.attribution_costs import passes
from resnet_viz.analysis.attribution_methods import patches_of
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

from ..foreign_networks import randomised
from .attribution_references import REFERENCES, with_relus_of_their_own

SIZE = 48
TARGET = 7


def twins(name: str):
    """(ours, torchvision's) with the same weights, and batch-norm statistics as training would leave them."""
    torch.manual_seed(0)
    theirs = randomised(getattr(torchvision.models, name)(num_classes=10))
    ours = zoo.build(name, {"heads": [10]})
    ours.load_state_dict(theirs.state_dict())
    return ours.eval().requires_grad_(False), with_relus_of_their_own(theirs)


@pytest.fixture(scope="module")
def resnet18():
    return twins("resnet18")


@pytest.fixture(scope="module")
def picture():
    return torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(3))


def the_same(ours: np.ndarray, theirs: torch.Tensor) -> bool:
    theirs = theirs.detach().sum(1)[0].numpy()
    assert theirs.any() and ours.dtype == np.float32
    return np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max() + 2e-6  # of logits near 1, in other batches


def test_the_command_lines_methods():
    known = ("saliency input-x-gradient integrated-gradients smoothgrad guided-backprop deconvolution deeplift "
             "gradient-shap occlusion feature-ablation gradcam guided-gradcam layer-conductance").split()
    from resnet_viz.analysis.attribution_methods import FUNCTIONS

    assert list(attributions.METHODS) == list(FUNCTIONS) == list(REFERENCES) == known


@pytest.mark.short(8)
@pytest.mark.parametrize("method", attributions.METHODS)
def test_maps_are_captums_on_torchvisions_resnet18(resnet18, picture, method):
    ours, theirs = resnet18
    expected = REFERENCES[method](theirs, picture.clone().requires_grad_(), TARGET, theirs.layer4)
    assert the_same(attributions.attribute(ours, picture, method, TARGET), expected)


@pytest.mark.short(1)
@pytest.mark.parametrize("method", ["saliency", "deeplift", "guided-gradcam", "layer-conductance"])
def test_maps_are_captums_on_torchvisions_resnet50_at_a_layer(picture, method):
    ours, theirs = twins("resnet50")
    expected = REFERENCES[method](theirs, picture.clone().requires_grad_(), 6, theirs.layer2[1])
    assert the_same(attributions.attribute(ours, picture, method, 6, "layer2.1"), expected)


def test_many_grad_cams_at_once_are_those_one_by_one(resnet18, monkeypatch):
    pictures = torch.randn(5, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(4))
    monkeypatch.setattr(attributions, "batch_of", lambda height, width: 2)
    told = []
    together = attributions.gradcams(resnet18[0], pictures, [0, 1, 9, 3, 3],
                                     progress=lambda *args: told.append(args[:2]))
    alone = [attributions.attribute(resnet18[0], pictures[i:i + 1], "gradcam", [0, 1, 9, 3, 3][i]) for i in range(5)]
    assert together.shape == (5, SIZE, SIZE) and told == [(0, 5), (2, 5), (4, 5)]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert attributions.gradcams(resnet18[0], pictures[:0], []).shape == (0, SIZE, SIZE)


@pytest.mark.parametrize("method", [name for name, method in attributions.METHODS.items() if not method.signed])
def test_unsigned_maps_have_nothing_below_zero(resnet18, picture, method):
    assert attributions.attribute(resnet18[0], picture, method, TARGET).min() >= 0


# What a network cannot bear


def test_torchvisions_own_blocks_are_refused_where_they_lie(picture):
    theirs = torchvision.models.resnet18(num_classes=10).eval()
    why = attributions.reasons(attributions.anatomy(theirs, picture))
    assert set(why) == {"guided-backprop", "deconvolution", "deeplift", "guided-gradcam"}
    assert "DeepLift needs a module of its own for every call of an activation; here relu answers" in why["deeplift"]
    with pytest.raises(Problem, match="Choose another method"):
        attributions.attribute(theirs, picture, "deeplift", 0)
    assert attributions.attribute(theirs, picture, "gradcam", 0).shape == (SIZE, SIZE)


def test_guided_methods_need_a_relu(picture):
    model = zoo.build("resnet8", {"activation": "tanh"}).eval()
    why = attributions.reasons(attributions.anatomy(model, picture))
    assert set(why) == {"guided-backprop", "deconvolution", "guided-gradcam"}
    assert why["guided-backprop"].endswith("this network has Tanh.")
    assert attributions.attribute(model, picture, "deeplift", 0).any()


@pytest.mark.parametrize(("name", "layer", "shape"), [
    ("resnet20", "layer3", (8, 8)), ("plain8", "layer3", (8, 8)), ("simple-cnn", "pool2", (8, 8)),
    ("hw4-resnet", "layer4", (4, 4)), ("grapheme-resnet", "layer4", (3, 3)), ("resnet18-cifar", "layer4", (4, 4))])
def test_every_method_or_a_reason_on_every_kind_of_network(name, layer, shape):
    torch.manual_seed(0)
    model, entry = randomised(zoo.build(name)), zoo.find(name)
    picture = torch.randn(1, entry.in_channels, entry.input_size, entry.input_size)
    found = attributions.anatomy(model, picture)
    assert (attributions.default_layer(found), found.layers[layer]) == (layer, shape)
    assert attributions.reasons(found) == {}
    for method in ("saliency", "deeplift", "guided-gradcam", "feature-ablation"):
        heat = attributions.attribute(model, picture, method, sum(entry.heads) - 1)
        assert heat.shape == picture.shape[2:] and np.isfinite(heat).all()


def test_wrong_requests_are_one_sentence(resnet18, picture):
    for arguments, words in ((("cam", 0), "Unknown method"), (("saliency", 10), "no class 10"),
                             (("saliency", -1), "no class -1"), (("gradcam", 0, "fc"), "Unknown layer")):
        with pytest.raises(Problem, match=words):
            attributions.attribute(resnet18[0], picture, *arguments)
    with pytest.raises(Problem, match="Give 1 normalised"):
        attributions.attribute(resnet18[0], picture.repeat(2, 1, 1, 1), "saliency", 0)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 10))
    with pytest.raises(Problem, match="more than one pixel"):
        attributions.attribute(flat, picture, "gradcam", 0)


# Cost, progress, stop; the model as found


@pytest.mark.parametrize("method", attributions.METHODS)
def test_the_cost_that_is_announced_is_what_goes_through(resnet18, picture, method):
    sizes, told = [], []
    handle = resnet18[0].conv1.register_forward_hook(lambda m, i, o: sizes.append(len(o)))
    try:
        attributions.attribute(resnet18[0], picture, method, TARGET, progress=lambda *args: told.append(args[:2]))
    finally:
        handle.remove()
    announced, looked = passes(method, SIZE, SIZE), attributions.METHODS[method]
    expected = announced if method != "feature-ablation" else 2 + int(patches_of(picture).max())  # as many as SLIC finds
    through = sum(sizes) - (looked.one_relu or looked.of_layer)  # one picture shows what the network is made of
    assert told[-1] == (announced, announced) and abs(through - expected) <= max(4, 0.1 * expected)


class Stopped(Exception):
    pass


def state_of(model: nn.Module):
    modules = [(module.training, set(vars(module)), len(module._forward_hooks), len(module._forward_pre_hooks),
                len(module._backward_hooks), len(module._backward_pre_hooks)) for module in model.modules()]
    weights = [(tensor.clone(), tensor.requires_grad, tensor.grad)
               for tensor in model.state_dict(keep_vars=True).values()]
    return modules, weights, torch.get_rng_state(), np.random.get_state()[1].copy()


def assert_as_found(model, before):
    modules, weights, dice, numpy_dice = state_of(model)
    assert modules == before[0]
    assert all(torch.equal(now[0], then[0]) and now[1:] == then[1:] for now, then in zip(weights, before[1]))
    assert torch.equal(dice, before[2]) and np.array_equal(numpy_dice, before[3])


@pytest.mark.parametrize("method", attributions.METHODS)
def test_the_model_and_the_dice_are_left_as_found(method):
    model = zoo.build("resnet8").train()
    model.layer1.register_forward_hook(lambda module, inputs, output: None)
    picture = torch.randn(1, 3, 32, 32)
    before = state_of(model)
    attributions.attribute(model, picture, method, 1)
    assert_as_found(model, before)
    assert picture.grad is None and not picture.requires_grad

    def breaks(module, inputs):
        raise Stopped
    handle = model.fc.register_forward_pre_hook(breaks)
    before = state_of(model)
    with pytest.raises(Stopped):
        attributions.attribute(model, picture, method, 1)
    assert_as_found(model, before)
    handle.remove()


def test_work_can_be_stopped(resnet18, picture):
    before = state_of(resnet18[0])

    def progress(done, total, text):
        if done:
            raise Stopped
    with pytest.raises(Stopped):
        attributions.attribute(resnet18[0], picture, "occlusion", 0, progress=progress)
    assert_as_found(resnet18[0], before)


def test_inside_inference_mode_too(resnet18, picture):
    expected = attributions.attribute(resnet18[0], picture, "saliency", TARGET)
    with torch.inference_mode():
        heat = attributions.attribute(resnet18[0], picture * 1, "saliency", TARGET)
    np.testing.assert_array_equal(heat, expected)
