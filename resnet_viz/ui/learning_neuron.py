"""A neuron and a layer: the last layer of the current checkpoint adds up what it thinks of the picture in view."""

import numpy as np
import streamlit as st

from ..analysis import learning_neuron, learning_ways_questions
from ..analysis.learning_neuron import Layer
from ..analysis.learning_words import short
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from ..drawing import player
from . import state
from .learning_scene import Scene
from .page import NothingYet, plain
from .pictures import NamedPicture, choose_picture

CODE = """import torch
from torch import nn

layer = nn.Linear({inputs}, {size})     # {size:,} neurons on the same {inputs:,} inputs
logits = layer(features)          # features @ layer.weight.T + layer.bias
probabilities = logits.softmax(dim=1)
one = torch.relu(features @ layer.weight[0] + layer.bias[0])  # a neuron inside a network has an activation"""


def scene() -> Scene:
    checkpoint, key = state.current_checkpoint(), state.current_key()
    picture = choose_picture("learning")
    if picture is None:
        raise NothingYet("There is no picture here yet: drop one above.")
    layer = _layer(key, picture.key, checkpoint, picture)
    neuron = layer.names.index(st.selectbox("Neuron", layer.names, key="neuron", bind="query-params", width=240,
                                            help=f"The {len(layer.names)} loudest of the layer's {layer.size:,}"))
    added = learning_neuron.add_up(layer, neuron)
    moments = len(added.totals)
    return Scene(
        player.film(_panels(layer, neuron, added),
                    [learning_neuron.said(layer, neuron, added, i) for i in range(moments)],
                    [f"{i} of {moments - 1} added" for i in range(moments)], moments - 1, 350, "Added"),
        _story(checkpoint, layer, neuron),
        lambda frame: learning_neuron.formula(layer, neuron, added),
        CODE.format(inputs=len(layer.inputs), size=layer.size),
        [{"input": i} | {"value": float(layer.inputs[i])} | {f"weight, "
            f"{name}": float(layer.weights[k, i]) for k, name in enumerate(layer.names)}
         for i in range(len(layer.inputs))],
        lambda frame: learning_ways_questions.of_neuron([plain(name) for name in layer.names], layer.products, layer.biases),
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _layer(checkpoint_key: str, picture_key: str, _checkpoint: Checkpoint, _picture: NamedPicture) -> Layer:
    tensor = see(_picture.image, _checkpoint.preprocessing).tensor
    with state.model_of(_checkpoint) as model:
        return learning_neuron.last_layer(model, tensor if tensor.dim() == 4 else tensor[None], _checkpoint.classes)


def _panels(layer: Layer, neuron: int, added) -> list[dict]:
    moments, parts = len(added.totals), len(added.parts)
    shown = [np.where(np.arange(parts) < moment, added.parts, 0.0) for moment in range(moments)]
    loudest = layer.names[int(layer.logits.argmax())]
    return [
        player.bars(f"What {layer.names[neuron]} adds up: weight × "
                    f"input", f"{parts} parts that add up to {short(layer.logits[neuron])}.",
                    learning_neuron.part_names(layer, added), shown, list(range(-1, parts)), place="wide"),
        player.bars("The layer: all neurons on the same "
                    "inputs", f"At the end {loudest} is the loudest.", layer.names, added.totals,
                    [neuron] * moments),
    ]


def _story(checkpoint: Checkpoint, layer: Layer, neuron: int) -> list[str]:
    name = plain(layer.names[neuron])
    signs = layer.products[neuron]
    return [
        "A **neuron** multiplies every input by a weight of its own, adds the products and a bias, and passes the sum "
        "through an activation. A "
        "**layer** is many neurons on the same inputs, each with its own weights.",
        f"These are neurons of the last layer of {plain(checkpoint.name)}: {layer.size:,} of them, one a class, on "
        f"{len(layer.inputs):,} inputs. Each input "
        "is the mean of one feature map, and comes out of a ReLU: it says how much of something the picture has, and "
        "is never negative.",
        f"So the weights decide what counts **for** {name} and what against it: here {int((signs > 0).sum()):,} "
        f"products speak for it and "
        f"{int((signs < 0).sum()):,} against, and together with the bias they come to {short(layer.logits[neuron])}.",
        "Nobody chose these weights. They were learned from mistakes, one small step after another: see *A mistake*.",
    ]
