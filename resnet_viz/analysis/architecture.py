"""What a network is made of: every layer's shapes, parameters and multiply-adds, without allocating a weight.

torch's own meta kernels would do, but their first call loads more than a second of Python. So every leaf module gets
a `forward` that only works out its output shape; the network's own forward does the wiring.
"""

from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from math import prod

import torch
from torch import nn

from ..networks import zoo
from ..networks.resnet import ACTIVATIONS, NORMS
from ..problems import Problem, one_of
from . import picture_fit, receptive_field
from .layer_shapes import Shape, macs, output_shape, pair

FLOAT_BYTES = 4  # activations are counted as float32
MAX_SIZE = 4096  # pixels a side: ResNet-152 turns one such picture into 99 GiB of activations
LIMITS = {
    "input_size": (MAX_SIZE, "what the layers make of a larger picture fits no computer's memory"),
    "in_channels": (1_024, "pictures have 1, 3 or a few"),
    "heads": (1_000_000, "no data set has more classes"),
    "depths": (1_000, "the deepest ResNet of the paper has 200 blocks in a stage"),
    "widths": (65_536, "the widest layer of the paper has 2,048 channels"),
    "stem_width": (65_536, "the paper's stem has 64 filters"),
    "expansion": (64, "the paper's bottlenecks put out four times their width"),
}


@dataclass(frozen=True)
class Layer:
    """One call of a leaf module, or several folded into one. Shapes are without the batch.

    macs                     of convolutions and linear layers only; a bias adds none
    activation_bytes         float32 output of one picture
    kernel, stride, padding, dilation   (height, width), where there are any
    groups                   of a convolution: parts that do not see each other
    code                     the module as PyTorch prints it; "" where several layers are folded
    inputs                   numbers of the layers whose outputs it takes, -1 the picture; () where several are folded
    receptive_field, jump    (height, width) that one unit sees, and between neighbours, in pixels of the picture; of
                             the last layer where several are folded
    """

    name: str
    kind: str
    input_shape: Shape
    output_shape: Shape
    weight_shape: Shape | None
    params: int
    macs: int
    activation_bytes: int
    kernel: Shape | None = None
    stride: Shape | None = None
    padding: Shape | None = None
    dilation: Shape | None = None
    groups: int | None = None
    code: str = ""
    inputs: tuple[int, ...] = ()
    receptive_field: Shape | None = None
    jump: Shape | None = None


@dataclass(frozen=True)
class Summary:
    """A network's leaf calls in forward order and their totals.

    totals      params, trainable_params, macs, weights_bytes, buffers_bytes
    containers  class names of the modules that only hold others, e.g. {"layer1.0": "Bottleneck"}
    """

    network: str
    input_shape: Shape
    layers: tuple[Layer, ...]
    totals: dict[str, int]
    containers: dict[str, str]


def _geometry(module: nn.Module) -> dict[str, Shape]:
    keys = ("kernel_size", "stride", "padding", "dilation") if hasattr(module, "kernel_size") else ("stride",)
    return {key.removesuffix("_size"): pair(getattr(module, key)) for key in keys if hasattr(module, key)}


def _layer(name: str, module: nn.Module, input_shape: Shape, output: Shape, inputs: tuple[int, ...]) -> Layer:
    weight = getattr(module, "weight", None)
    return Layer(
        name=name,
        kind=type(module).__name__,
        input_shape=input_shape,
        output_shape=output,
        weight_shape=None if weight is None else tuple(weight.shape),
        params=sum(p.numel() for p in module.parameters()),
        macs=macs(module, output),
        activation_bytes=FLOAT_BYTES * prod(output),
        **_geometry(module),
        groups=getattr(module, "groups", None),
        code=str(module),
        inputs=inputs,
    )


def _source(x: torch.Tensor) -> int:
    """The number of the layer that put x out; flattening makes a view, whose base it did put out."""
    return (x if x._base is None else x._base).layer


def _call(layers: list[Layer], name: str, module: nn.Module, *inputs: torch.Tensor) -> torch.Tensor:
    """What a leaf's forward becomes: one more layer in the list, and an empty tensor of the right shape."""
    shapes = tuple(tuple(x.shape[1:]) for x in inputs)
    output = output_shape(module, *shapes)
    result = torch.empty((1, *output), device="meta")
    result.layer = len(layers)
    layers.append(_layer(name, module, shapes[0], output, tuple(_source(x) for x in inputs)))
    return result


def _walk(model: nn.Module, channels: int, size: int) -> tuple[Layer, ...]:
    """The leaf calls of one picture's way through a model on the meta device, whose leaves lose their own forward."""
    layers: list[Layer] = []
    for name, module in model.named_modules():
        if not list(module.children()) and not isinstance(module, nn.Identity):
            module.forward = partial(_call, layers, name, module)
    picture = torch.empty((1, channels, size, size), device="meta")
    picture.layer = -1
    model(picture)
    seen = receptive_field.fields(layers)
    return tuple(replace(layer, receptive_field=tuple(side.size for side in sides),
                         jump=tuple(side.jump for side in sides)) for layer, sides in zip(layers, seen))


def _check(arguments: dict, size: int) -> None:
    """Refuse absurd sizes before torch does, in words of its own; wrong types are zoo.build's to refuse."""
    for key, value in {**arguments, "input_size": size}.items():
        if key in LIMITS:
            limit, reason = LIMITS[key]
            for number in value if isinstance(value, list | tuple) else [value]:
                if type(number) is int and not 1 <= number <= limit:
                    what = key.replace("_", " ")
                    raise Problem(f"The {what} must be between 1 and {limit:,} ({reason}), not {number:,}.")


def _check_fit(network: str, arguments: dict | None, model: nn.Module, channels: int, size: int) -> None:
    """A Problem that names the layer where a picture comes to its end, of networks that take a few sizes only."""
    low, high = (None if network == zoo.CUSTOM else zoo.find(network).sizes) or (1, size)
    if not low <= size <= high:
        layers = _walk(zoo.build(network, arguments, device="meta"), channels, low)
        end = picture_fit.where_it_ends(layers, model, (channels, size, size))
        raise Problem(f"{network} takes pictures of {low} to {high} pixels a side, not {size} x {size}. {end}".strip())


def summary(network: str, arguments: dict | None, input_size: int) -> Summary:
    """Every layer of a network of the zoo for one square picture of `input_size` pixels a side.

    arguments   as in zoo.build, e.g. {"heads": [10], "stem": "cifar"}
    Raises a Problem where the picture does not fit the network, or is absurdly large.
    """
    _check(arguments or {}, input_size)
    model = zoo.build(network, arguments, device="meta")
    channels = zoo.channels_of(network, arguments or {})
    _check_fit(network, arguments, model, channels, input_size)
    layers = _walk(model, channels, input_size)
    parameters, buffers = list(model.parameters()), list(model.buffers())
    totals = {
        "params": sum(p.numel() for p in parameters),
        "trainable_params": sum(p.numel() for p in parameters if p.requires_grad),
        "macs": sum(layer.macs for layer in layers),
        "weights_bytes": sum(p.numel() * p.element_size() for p in parameters),
        "buffers_bytes": sum(b.numel() * b.element_size() for b in buffers),
    }
    containers = {name: type(m).__name__ for name, m in model.named_modules() if name and list(m.children())}
    return Summary(network, (channels, input_size, input_size), layers, totals, containers)


def _block_of(name: str, containers: dict[str, str]) -> str | None:
    """The block a layer is in: the first module around it that is more than a list of others."""
    parts = name.split(".")
    paths = (".".join(parts[:n]) for n in range(1, len(parts)))
    return next((path for path in paths if containers[path] != "Sequential"), None)


def _stage_of(name: str, containers: dict[str, str]) -> str | None:
    return name.split(".")[0] if "." in name else None


FOLDS = {"stage": _stage_of, "block": _block_of, "layer": lambda name, containers: name}


def fold(summary: Summary, level: str) -> tuple[Layer, ...]:
    """The layers of each stage or block added up, in forward order; what is in none is the stem or the head.

    A network without blocks stays as it is. Weight shape and geometry of several layers together are None.
    """
    group_of = FOLDS[one_of("fold", level, FOLDS)]
    if not summary.containers:
        return summary.layers
    groups = [(name, list(layers))
              for name, layers in groupby(summary.layers, key=lambda layer: group_of(layer.name, summary.containers))]
    rows = []
    for index, (name, layers) in enumerate(groups):
        ends = {0: "stem", len(groups) - 1: "head"}
        rows.append(_together(name or ends.get(index, layers[0].name), layers, summary.containers))
    return tuple(rows)


def _together(name: str, layers: list[Layer], containers: dict[str, str]) -> Layer:
    if len(layers) == 1:
        return replace(layers[0], name=name)
    blocks = dict.fromkeys(filter(None, (_block_of(layer.name, containers) for layer in layers)))
    kinds = dict.fromkeys(containers[block] for block in blocks) or dict.fromkeys(layer.kind for layer in layers)
    return Layer(
        name=name,
        kind=(f"{len(blocks)} x " if len(blocks) > 1 else "") + " + ".join(kinds),
        input_shape=layers[0].input_shape,
        output_shape=layers[-1].output_shape,
        weight_shape=None,
        params=sum(layer.params for layer in layers),
        macs=sum(layer.macs for layer in layers),
        activation_bytes=sum(layer.activation_bytes for layer in layers),
        receptive_field=layers[-1].receptive_field,
        jump=layers[-1].jump,
    )


@dataclass(frozen=True)
class Repeat:
    """Blocks that follow one another in a stage and are the same but for their weights.

    first, names  paths of the first and of all, e.g. "layer1.1"
    count         how many
    """

    first: str
    names: tuple[str, ...]
    count: int


def repeats(summary: Summary) -> tuple[Repeat, ...]:
    """Every block of a network once, in forward order; () of a network without blocks.

    Blocks are equal when their layers have the same kinds, geometry, shapes and parameters, one by one.
    """
    blocks = [(name, [_looks(layer) for layer in layers])
              for name, layers in groupby(summary.layers, key=lambda layer: _block_of(layer.name, summary.containers))
              if name]
    runs = groupby(blocks, key=lambda block: (block[0].rpartition(".")[0], block[1]))
    found = [tuple(name for name, _ in run) for _, run in runs]
    return tuple(Repeat(names[0], names, len(names)) for names in found)


def _looks(layer: Layer) -> tuple:
    return (layer.kind, layer.input_shape, layer.output_shape, layer.weight_shape, layer.params, layer.kernel,
            layer.stride, layer.padding, layer.dilation, layer.groups)


def choices(network: str) -> dict[str, tuple]:
    """What can be chosen when a network of the zoo is built: argument -> its values, the network's own first."""
    spec = getattr(zoo.build(network, device="meta"), "spec", None)
    if spec is None:
        return {}
    options = {"activation": tuple(ACTIVATIONS), "norm": tuple(NORMS), "stem": ("imagenet", "cifar"),
               "conv_bias": (False, True)}
    if spec.shortcut is not None:
        options["shortcut"] = ("A", "B")
    if spec.block == "bottleneck":
        options["variant"] = ("v1.5", "v1")
    return {key: tuple(sorted(values, key=lambda value: value != getattr(spec, key)))
            for key, values in options.items()}


def heads_in(text: str) -> list[int]:
    """Classes of each classifier as a person writes them: "10", or "168, 11, 7"."""
    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() and len(word) < 10 for word in words):
        raise Problem(f"The classes of the heads are whole numbers such as 10 or 168,11,7, not {text!r:.60}.")
    return [int(word) for word in words]


OPTIONS = ("variant", "shortcut", "stem", "activation", "norm", "in_channels")  # of the command `summary`, as they are


def command(network: str, arguments: dict, input_size: int) -> str | None:
    """The command line of this table; None where the network has arguments that the command has no option for."""
    words = ["python -m resnet_viz summary", network]
    for key, value in arguments.items():
        if key == "heads":
            words.append(f"--num-classes {value[0]}" if len(value) == 1 else f"--heads {','.join(map(str, value))}")
        elif key == "conv_bias":
            words += ["--conv-bias"] if value else []
        elif key in OPTIONS and value is not None:
            words.append(f"--{key.replace('_', '-')} {value}")
        else:
            return None
    return " ".join([*words, f"--input-size {input_size}"]) if network in zoo.NETWORKS else None


JSON_KEYS = ("name", "kind", "input_shape", "output_shape", "weight_shape", "params", "macs", "activation_bytes")


def to_json(summary: Summary) -> dict:
    """The document that the command line's `summary --json` prints."""
    return {
        "network": summary.network,
        "input_shape": list(summary.input_shape),
        "layers": [{key: _plain(getattr(layer, key)) for key in JSON_KEYS} for layer in summary.layers],
        "totals": dict(summary.totals),
    }


def _plain(value):
    return list(value) if isinstance(value, tuple) else value
