"""A layer added up by hand is the network's own answer."""

import numpy as np
import pytest
import torch

from resnet_viz.analysis import learning_neuron
from resnet_viz.networks import zoo


@pytest.fixture(scope="module")
def asked():
    torch.manual_seed(0)
    model = zoo.build("resnet8", {"heads": (12,)}).eval()
    picture = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        return model, picture, model(picture)[0].double().numpy()


def test_the_loudest_neurons_add_up_to_the_networks_logits(asked):
    model, picture, logits = asked
    names = [f"class {i}" for i in range(12)]
    layer = learning_neuron.last_layer(model, picture, names)
    loudest = np.argsort(-logits)[: learning_neuron.MOST]
    assert layer.names == tuple(names[i] for i in loudest) and layer.size == 12
    np.testing.assert_allclose(layer.logits, logits[loudest], atol=1e-5)
    assert learning_neuron.last_layer(model, picture, None).names[0] == f"neuron {loudest[0]}"


@pytest.mark.parametrize("neuron", [0, 9])
def test_every_moment_is_the_sum_of_what_was_added(asked, neuron):
    model, picture, logits = asked
    layer = learning_neuron.last_layer(model, picture, None)
    added = learning_neuron.add_up(layer, neuron)
    np.testing.assert_allclose(added.totals[-1], layer.logits, atol=1e-9)
    np.testing.assert_allclose(np.cumsum(added.parts), added.totals[1:, neuron], atol=1e-9)
    alone = np.abs(added.parts[: learning_neuron.ONE_BY_ONE])
    assert (np.diff(alone) <= 0).all() and alone[0] == np.abs(layer.products[neuron]).max()
    names = learning_neuron.part_names(layer, added)
    assert len(names) == len(added.parts) and names[-2:] == ["50 others", "bias"]
    said = [learning_neuron.said(layer, neuron, added, moment) for moment in range(len(added.totals))]
    assert len(set(said)) == len(said) and ("it is the loudest" in said[-1]) == (neuron == 0)


def test_a_layer_with_few_inputs_has_no_rest():
    layer = learning_neuron.Layer(("a", "b"), np.array([1.0, 2.0]), np.array([[3.0, -1.0], [0.0, 1.0]]), np.array([0.5, 0.0]), 2)
    added = learning_neuron.add_up(layer, 0)
    assert learning_neuron.part_names(layer, added) == ["input 0", "input 1", "bias"]
    assert added.totals.tolist() == [[0, 0], [3, 0], [1, 2], [1.5, 2]]
    assert r"3 \cdot 1 + (-1) \cdot 2 + \dots + 0.5 = 1.5" in learning_neuron.formula(layer, 0, added)[1]
