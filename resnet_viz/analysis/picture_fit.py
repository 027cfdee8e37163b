"""Where in a network a picture of the wrong size comes to its end."""

from math import prod

from torch import nn

from ..problems import Problem
from .layer_shapes import output_shape


def where_it_ends(layers, model: nn.Module, picture: tuple[int, int, int]) -> str:
    """One sentence: the first layer that cannot take what the layers before it make of the picture.

    layers   of the same network for a picture that fits, as in Summary
    model    that network, for the settings of its layers
    picture  channels, height, width of the one that does not fit; "" where nothing stops it
    """
    shapes = []
    for layer in layers:
        inputs = [shapes[i] if i >= 0 else picture for i in layer.inputs]
        if layer.kind == "Linear":
            inputs = [(prod(shape),) for shape in inputs]  # flattened on the way
        try:
            shapes.append(output_shape(model.get_submodule(layer.name), *inputs))
        except Problem as problem:
            if layer.kind == "Linear":
                return f"At {layer.name} {inputs[0][0]:,} numbers would arrive instead of {layer.input_shape[0]:,}."
            return f"At {layer.name} the size would reach 0: {problem}"
    return ""
