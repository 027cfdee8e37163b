"""A model is left as it was found by everything that is done with it: also after an exception, and with two sessions at once.

As found: each module's mode, hooks and attributes; each parameter's value, gradient and requires_grad; buffers; the random
numbers of the process; whether gradients are recorded. An entry point that is not in CALLS fails the first test.
"""

import dataclasses
import importlib
import inspect
import pkgutil
import random
import threading
from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from resnet_viz import analysis, checkpoints, familiarity
from resnet_viz.analysis import architecture, attributions, receptive_field
from resnet_viz.as_found import HOOKS
from resnet_viz.data.preprocessing import Preprocessing, normalise
from resnet_viz.networks import zoo
from resnet_viz.ui import state

from ..foreign_networks import randomised

SIZE = 32
RECIPE = Preprocessing(SIZE, SIZE, (0.5,) * 3, (0.25,) * 3)
HEADS, LAYER, BLOCK, CLASS = (10,), "layer2.0.conv2", "layer2.0", 3
INPUTS = torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
IMAGES = torch.randint(0, 256, (4, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
PHOTO = Image.fromarray(IMAGES[0].permute(1, 2, 0).numpy())
HEAT = np.arange(SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)
LAYERS = architecture.summary("resnet8", None, SIZE).layers
FIELD = next(field for layer, field in zip(LAYERS, receptive_field.fields(LAYERS)) if layer.name == LAYER)
MANY = torch.randint(0, 256, (40, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def whole() -> nn.Module:
    torch.manual_seed(0)
    return randomised(zoo.build("resnet8"))


CHECKPOINT = checkpoints.Checkpoint("one", "resnet8", {}, whole().state_dict(), None, HEADS, RECIPE)
FAMILIAR = familiarity.fit(whole(), RECIPE, MANY, MANY, MANY)


def operated(module, model):
    with module.operated(model, {BLOCK: 0.5}), torch.no_grad():
        return model(INPUTS)


def saved(module, model):
    return module.count_saved(model.eval(), lambda: model(INPUTS).sum())


CALLS = {  # module and function of analysis -> what is done with the model; given the module, the model and a progress function
    "attribution_sanity.twin": lambda m, model, p: m.twin(model),
    "attribution_sanity.deletion": lambda m, model, p: m.deletion(model, INPUTS, {"map": HEAT}, CLASS, HEADS, p),
    "attribution_sanity.gap": lambda m, model, p: m.gap(model, INPUTS, HEAT, CLASS),
    "attributions.anatomy": lambda m, model, p: m.anatomy(model, INPUTS),
    "attributions.speed": lambda m, model, p: type(m.speed(model, INPUTS)),
    "attributions.attribute": lambda m, model, p: m.attribute(model, INPUTS, "gradcam", CLASS, None, p),
    "attributions.gradcams": lambda m, model, p: m.gradcams(model, torch.cat([INPUTS, INPUTS]), [CLASS, 0], None, p),
    "batch_norm.norms": lambda m, model, p: list(m.norms(model)),
    "batch_norm.channel_of": lambda m, model, p: m.channel_of(model),
    "batch_norm.in_evaluation": lambda m, model, p: m.in_evaluation(model, INPUTS, HEADS),
    "batch_norm.wobble": lambda m, model, p: m.wobble(model, INPUTS, normalise(IMAGES, RECIPE), HEADS, 3, 2),
    "batch_norm.arriving": lambda m, model, p: m.arriving(model, normalise(IMAGES, RECIPE), "layer2.0.bn1", 1, 2),
    "channels.with_more": lambda m, model, p: m.with_more(None, model, IMAGES, RECIPE, LAYER),
    "channels.module_of": lambda m, model, p: type(m.module_of(model, LAYER)),
    "channels.strongest": lambda m, model, p: m.strongest(model, IMAGES, RECIPE, LAYER, 2, p),
    "channels.best_patches": lambda m, model, p: m.best_patches(model, IMAGES, RECIPE, LAYER, 1, FIELD, 2, p),
    "dreams.dreams": lambda m, model, p: m.dreams(model, RECIPE, LAYER, [0, 5], steps=3, progress=p),
    "errors.ask": lambda m, model, p: m.ask(model, IMAGES, RECIPE),
    "feature_maps.feature_maps": lambda m, model, p: m.feature_maps(model, INPUTS, LAYER),
    "feature_maps_strips.strips": lambda m, model, p: m.strips(model, INPUTS, [LAYER, "fc"]),
    "gradients.weights_of": lambda m, model, p: list(m.weights_of(model)),
    "gradients.norms": lambda m, model, p: m.norms(model),
    "gradients.copies": lambda m, model, p: m.copies(model),
    "gradients.update_ratios": lambda m, model, p: m.update_ratios(model, m.copies(model)),
    "landscape_network.folded": lambda m, model, p: m.folded(model, RECIPE)[1],
    "learning_neuron.last_layer": lambda m, model, p: m.last_layer(model, INPUTS, None),
    "operations_network.convolutions": lambda m, model, p: list(m.convolutions(model)),
    "operations_network.input_of": lambda m, model, p: m.input_of(model, INPUTS, LAYER),
    "operations_network.one_of_modules": lambda m, model, p: type(m.one_of_modules(model, LAYER)),
    "picture_fit.where_it_ends": lambda m, model, p: m.where_it_ends(LAYERS, model, (3, 1, 1)),
    "predictions.predict": lambda m, model, p: m.predict(model.eval(), CHECKPOINT, [PHOTO]),
    "predictions.predict_pixels": lambda m, model, p: m.predict_pixels(model.eval(), CHECKPOINT, np.asarray(PHOTO), FAMILIAR),
    "predictions.answers": lambda m, model, p: m.answers(model.eval(), CHECKPOINT, [PHOTO], FAMILIAR),
    "residual_block.kinds": lambda m, model, p: m.kinds(model),
    "residual_block.passed": lambda m, model, p: m.walk(m.passed(model, INPUTS, BLOCK), 20),
    "residual_block.telling_channel": lambda m, model, p: m.telling_channel(model, BLOCK),
    "residual_block.answers": lambda m, model, p: m.answers(model, INPUTS, HEADS, BLOCK),
    "residual_block_gradients.passages": lambda m, model, p: m.passages(model, INPUTS, CLASS),
    "residual_view.blocks": lambda m, model, p: m.blocks(model),
    "residual_view.shares": lambda m, model, p: m.shares(model, INPUTS),
    "residual_view.parts": lambda m, model, p: m.parts(model, INPUTS, BLOCK),
    "resource_steps.count_saved": lambda m, model, p: saved(m, model),
    "surgery.blocks": lambda m, model, p: m.blocks(model),
    "surgery.way_around": lambda m, model, p: m.way_around(model, BLOCK),
    "surgery.operated": lambda m, model, p: operated(m, model),
    "surgery.answers": lambda m, model, p: m.answers(model, IMAGES, RECIPE, HEADS, {BLOCK: 0.0}),
    "surgery.each_alone": lambda m, model, p: m.each_alone(model, IMAGES, RECIPE, HEADS),
    "variance_shift.measure": lambda m, model, p: list(m.measure(model, torch.cat([INPUTS] * 4), torch.zeros(4), (0.0, 0.5))),
}
METHODS = {f"attributions.attribute {name}": lambda m, model, p, name=name: m.attribute(model, INPUTS, name, CLASS, None, p)
           for name in attributions.METHODS}
ASK_FOR_EVALUATION = ("predictions.", "resource_steps.")  # they say that the model comes in evaluation mode, as model_of gives it
BEHIND = {"attribution_methods"}  # reached through attributions.attribute only


@cache
def entry_points() -> list[str]:
    """Every public function of analysis that takes a `model`."""
    found = []
    for part in pkgutil.iter_modules(analysis.__path__):
        module = importlib.import_module(f"{analysis.__name__}.{part.name}")
        found += [f"{part.name}.{name}" for name, function in vars(module).items()
                  if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
                  and part.name not in BEHIND | {"as_found"} and "model" in inspect.signature(function).parameters]
    return found


def test_every_entry_point_is_held_to_it():
    assert sorted(set(entry_points()) - set(CALLS)) == [] and len(entry_points()) > 25


PRESENT = {name: call for name, call in {**CALLS, **METHODS}.items() if name.partition(" ")[0] in entry_points()}


def do(name: str, model: nn.Module, progress=None):
    module = importlib.import_module(f"{analysis.__name__}.{name.partition('.')[0]}")
    return PRESENT[name](module, model, progress)


def a_used_model(name: str) -> nn.Module:
    """Modes that differ, a hook of somebody else, a gradient, a weight that wants none."""
    model = whole().requires_grad_(True)
    model(INPUTS).sum().backward()
    model.fc.weight.grad = None
    model.conv1.weight.requires_grad_(False)
    if not name.startswith(ASK_FOR_EVALUATION):
        model.train()
        model.layer2.eval()
    model.layer1[0].register_forward_hook(lambda module, inputs, output: None)
    model.layer3.register_forward_pre_hook(lambda module, inputs: None)
    return model


def as_it_is(model: nn.Module) -> dict:
    """All that has to be as before, comparable; tensors by their bytes."""
    def number(tensor):
        return None if tensor is None else (id(tensor), tensor.detach().numpy().tobytes())
    return {
        "modes": [module.training for module in model.modules()],
        "hooks": [[list(getattr(module, kind).values()) for kind in HOOKS] for module in model.modules()],
        "attributes": [set(vars(module)) for module in model.modules()],
        "weights": [(number(p), number(p.grad), p.requires_grad) for p in model.parameters()],
        "buffers": [number(buffer) for buffer in model.buffers()],
        "random": (torch.get_rng_state().tolist(), random.getstate(), str(np.random.get_state())),
        "recording": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
    }


@pytest.mark.parametrize("harm", [
    lambda model: model.layer2.train(), lambda model: model.fc.register_forward_hook(print), lambda model: setattr(model.fc, "x", 1),
    lambda model: model.bn1.running_mean.add_(1), lambda model: model.layer1[0].conv1.weight.data.mul_(1.001),
    lambda model: model.layer1[0].conv1.weight.grad.zero_(), lambda model: model.conv1.weight.requires_grad_(True),
    lambda model: torch.rand(1), lambda model: np.random.rand(), lambda model: random.random()])
def test_the_comparison_sees_every_harm(harm):
    model = a_used_model("")
    before = as_it_is(model)
    harm(model)
    assert as_it_is(model) != before


class Boom(Exception):
    """What a broken layer, or a person who stops the work, raises."""


@pytest.mark.parametrize("name", PRESENT)
def test_as_found_afterwards(name):
    model = a_used_model(name)
    before = as_it_is(model)
    do(name, model)
    assert as_it_is(model) == before


@pytest.mark.parametrize("name", PRESENT)
def test_as_found_after_an_exception_in_any_pass(name):
    """The first convolution breaks: in the first call of it, and in the last of those that a whole run has."""
    model, calls, broken = a_used_model(name), [0], [None]

    def break_down(module, inputs):
        calls[0] += 1
        if calls[0] == broken[0]:
            raise Boom
    model.conv1.register_forward_pre_hook(break_down)
    do(name, model)  # some things are found once a model, so that a second run has fewer passes
    calls[0] = 0
    do(name, model)
    for at in {1, calls[0]} if calls[0] else ():
        calls[0], broken[0] = 0, at
        before = as_it_is(model)
        with pytest.raises(Boom):
            do(name, model)
        assert as_it_is(model) == before


@pytest.mark.parametrize("name", [name for name in PRESENT if name in METHODS or "progress" in inspect.signature(
    getattr(importlib.import_module(f"{analysis.__name__}.{name.split('.')[0]}"), name.split(".")[1].split()[0])).parameters])
def test_as_found_after_it_was_stopped(name):
    model = a_used_model(name)
    before = as_it_is(model)

    def stop(*_):
        raise Boom
    with pytest.raises(Boom):
        do(name, model, stop)
    assert as_it_is(model) == before


def plain(value):
    """A result as nested lists of numbers and texts."""
    if isinstance(value, nn.Module):
        value = value.state_dict()
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, dict):
        return [[str(key), plain(one)] for key, one in value.items()]
    if isinstance(value, list | tuple | set):
        return [plain(one) for one in value]
    return value if isinstance(value, int | float | str | None) else str(value)


def test_two_sessions_at_once():
    """Two threads do everything with the one shared network, in opposite orders: the answers are those of one alone."""
    names = [name for name in PRESENT if name not in METHODS or "gradcam" in name]
    with state.model_of(CHECKPOINT) as model:
        before = as_it_is(model)
        alone = {name: plain(do(name, model)) for name in names}
    answers, failed = {0: {}, 1: {}}, []

    def session(number: int) -> None:
        try:
            for name in names if number else reversed(names):
                with state.model_of(CHECKPOINT) as model:
                    answers[number][name] = plain(do(name, model))
        except Exception as error:  # a thread's own would only be printed
            failed.append(error)
    threads = [threading.Thread(target=session, args=(number,)) for number in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for name in names:
        for number in answers:
            assert str(answers[number][name]) == str(alone[name]), name  # as text, NaN is equal to NaN
    with state.model_of(CHECKPOINT) as model:
        assert as_it_is(model) == before
