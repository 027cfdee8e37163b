"""What autograd keeps of a forward pass for the backward pass, worked out from shapes alone: one rule a kind of layer.

Every leaf module gets a `forward` that makes an empty tensor of the right shape and type on the meta device and notes
what its backward formula needs (torch's derivatives.yaml). Storages are compared as autograd's own would be: what two
layers keep is counted once, parameters and batch norm's running averages are not counted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from ..networks import zoo
from ..networks.resnet import Add, PadShortcut
from ..problems import one_of
from .layer_shapes import output_shape

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}  # of autocast's forward pass
COPY = "16-bit copy of the weight"
LOSS = "loss"  # stands for the name and the kind of what comes after the last layer


@dataclass(frozen=True)
class Saved:
    """One tensor that one call keeps, or that it keeps nothing.

    per_picture, fixed  bytes that grow with the batch, and bytes that do not; both 0 where somebody keeps it already
    shared_with         name of the layer that keeps the same storage, else None
    """

    layer: str
    kind: str
    what: str
    per_picture: int
    fixed: int
    shared_with: str | None = None


@dataclass
class Walk:
    """The way of one picture through a network: what has been kept so far, and the largest output."""

    precision: str
    device: str
    saved: list[Saved] = field(default_factory=list)
    largest_output: int = 0  # bytes of the largest output of a layer
    tensors: int = 0  # of trainable parameters
    one_value: bool = False  # whether a batch norm sees a single value of each channel of one picture
    _keepers: dict[int, str] = field(default_factory=dict)  # storage -> the layer that keeps it
    _alive: list[Tensor] = field(default_factory=list)  # so that no storage takes a dead one's place

    def keep(self, layer: str, kind: str, what: str, tensor: Tensor, fixed: bool = False) -> None:
        storage = tensor.untyped_storage()
        keeper = self._keepers.get(storage._cdata)
        self._keepers.setdefault(storage._cdata, layer)
        self._alive.append(tensor)
        bytes_ = storage.nbytes() if keeper is None else 0
        self.saved.append(Saved(layer, kind, what, 0 if fixed else bytes_, bytes_ if fixed else 0, keeper))


@dataclass(frozen=True)
class Call:
    """One call of a leaf module: what a rule needs to say what is kept, and to make the output."""

    walk: Walk
    name: str
    module: nn.Module
    inputs: tuple[Tensor, ...]

    def keep(self, what: str, tensor: Tensor, fixed: bool = False) -> None:
        self.walk.keep(self.name, type(self.module).__name__, what, tensor, fixed)

    def output(self, dtype: torch.dtype | None = None) -> Tensor:
        shape = output_shape(self.module, *(tuple(x.shape[1:]) for x in self.inputs))
        return empty((1, *shape), dtype or self.inputs[0].dtype)


def empty(shape, dtype: torch.dtype) -> Tensor:
    return torch.empty(tuple(shape), dtype=dtype, device="meta")


# The rules: what a call keeps, and what it puts out

def _weighted(call: Call) -> Tensor:
    """Convolution and linear layer: autocast casts input and weight, and the casts are what is kept."""
    dtype = PRECISIONS[call.walk.precision]
    x = call.inputs[0]
    call.keep("its input", x if x.dtype == dtype else empty(x.shape, dtype))
    if dtype != torch.float32:
        call.keep(COPY, empty(call.module.weight.shape, dtype), fixed=True)
    return call.output(dtype)


def _batch_norm(call: Call) -> Tensor:
    x = call.inputs[0]
    call.walk.one_value |= x.shape[2:].numel() == 1
    call.keep("its input", x)
    for what in ("mean of each channel", "1 / standard deviation of each channel"):
        call.keep(what, empty(x.shape[1:2], torch.float32), fixed=True)
    return call.output()


def _output(call: Call) -> Tensor:
    output = call.output()
    call.keep("its output", output)
    return output


def _input(call: Call) -> Tensor:
    call.keep("its input", call.inputs[0])
    return call.output()


def _max_pool(call: Call) -> Tensor:
    call.keep("its input", call.inputs[0])
    output = call.output()
    call.keep("places of the maxima, 8 bytes each", empty(output.shape, torch.int64))
    return output


def _dropout(call: Call) -> Tensor:
    """On CUDA one byte a number; on the CPU the factor 0 or 1 / (1 - p) itself. Without dropping, nothing happens."""
    x = call.inputs[0]
    if call.module.p == 0:
        return x
    shape = (*x.shape[:2], *(1 for _ in x.shape[2:])) if isinstance(call.module, nn.Dropout2d) else x.shape
    on_gpu = call.walk.device == "cuda" and not isinstance(call.module, nn.Dropout2d)
    call.keep("which numbers were dropped", empty(shape, torch.bool if on_gpu else x.dtype))
    return call.output()


def _nothing(call: Call) -> Tensor:
    """A row all the same: that a residual addition is free is worth a line."""
    call.walk.saved.append(Saved(call.name, type(call.module).__name__, "nothing", 0, 0))
    return call.output()


@dataclass(frozen=True)
class Rule:
    """What a kind of layer keeps, in words, and why its gradient needs that."""

    make: Callable[[Call], Tensor]
    keeps: str
    why: str


_WEIGHTED = Rule(_weighted, "its input; with 16 bits also a 16-bit copy of its weight",
                 "the weight's gradient is made of the input, the input's of the weight")
_RESULT = "its slope can be read off its output"
RULES: dict[type[nn.Module], Rule] = {
    nn.Conv2d: _WEIGHTED,
    nn.Linear: _WEIGHTED,
    nn.BatchNorm2d: Rule(_batch_norm, "its input, and mean and 1 / standard deviation of each channel (32 bits)",
                         "it normalises the input once more in the backward pass; its output is not needed"),
    nn.ReLU: Rule(_output, "its output", f"{_RESULT}: 0 or more; the next convolution keeps the same numbers"),
    nn.Sigmoid: Rule(_output, "its output", f"{_RESULT}: y (1 − y)"),
    nn.Tanh: Rule(_output, "its output", f"{_RESULT}: 1 − y²"),
    nn.LeakyReLU: Rule(_input, "its input", "its slope depends on the sign of the input; one map more than ReLU"),
    nn.ELU: Rule(_input, "its input", "its slope is 1 or e^x; one map more than ReLU"),
    nn.MaxPool2d: Rule(_max_pool, "its input, and the place of each maximum (64-bit whole numbers)",
                       "the gradient goes to the place where the maximum was"),
    nn.AvgPool2d: Rule(_input, "its input", "only its shape is used, but PyTorch keeps it whole"),
    nn.AdaptiveAvgPool2d: Rule(_nothing, "nothing", "every pixel gets the same share: the shape is enough"),
    nn.Flatten: Rule(_nothing, "nothing", "the same numbers in another shape"),
    nn.Dropout: Rule(_dropout, "which numbers were dropped", "their gradient is 0"),
    nn.Dropout2d: Rule(_dropout, "which channels were dropped", "their gradient is 0"),
    Add: Rule(_nothing, "nothing", "both sides get the gradient as it is: a residual addition is free"),
    PadShortcut: Rule(_nothing, "nothing", "the gradient goes back to the pixels that were taken"),
}
LOSS_RULE = ("log-probabilities (32 bits), labels and one number a head",
             "the gradient of the cross entropy is softmax minus label")


def walk(network: str, arguments: dict, size: int, precision: str = "fp32", device: str = "cpu") -> Walk:
    """What a training step of a network keeps for a square picture of `size` pixels a side, in forward order.

    precision  a key of PRECISIONS; "bf16" and "fp16" are autocast: weights stay float32
    device     "cuda" or "cpu"; only dropout differs
    Raises a Problem where the picture does not fit the network.
    """
    found = Walk(one_of("precision", precision, PRECISIONS), device)
    model = zoo.build(network, arguments, device="meta")
    found.tensors = sum(p.requires_grad for p in model.parameters())
    for name, module in model.named_modules():
        if not list(module.children()) and not isinstance(module, nn.Identity):
            module.forward = partial(_forward, found, name, module)
    model(empty((1, zoo.channels_of(network, arguments), size, size), torch.float32))
    for number, classes in enumerate(zoo.heads_of(network, arguments)):
        found.keep(f"{LOSS} {number}", LOSS, "log-probabilities", empty((1, classes), torch.float32))
        found.keep(f"{LOSS} {number}", LOSS, "label", empty((1,), torch.int64))
        found.keep(f"{LOSS} {number}", LOSS, "sum of the weights", empty((), torch.float32), fixed=True)
    return found


def _forward(found: Walk, name: str, module: nn.Module, *inputs: Tensor) -> Tensor:
    """What a leaf's forward becomes; a kind without a rule is a bug to mend here."""
    if type(module) not in RULES:
        raise TypeError(f"{type(module).__name__} has no rule; add one to RULES in saved_tensors.py")
    output = RULES[type(module)].make(Call(found, name, module, inputs))
    found.largest_output = max(found.largest_output, output.numel() * output.element_size())
    return output


def by_kind(saved: list[Saved]) -> list[dict]:
    """One row for each kind of layer that is called: what it keeps and why, how many calls, and the bytes."""
    rows: dict[str, dict] = {}
    words = {kind.__name__: (rule.keeps, rule.why) for kind, rule in RULES.items()} | {LOSS: LOSS_RULE}
    for one in saved:
        keeps, why = words[one.kind]
        row = rows.setdefault(one.kind, {"kind": one.kind, "calls": set(), "keeps": keeps, "why": why,
                                         "per_picture_bytes": 0, "fixed_bytes": 0, "shared": 0})
        row["calls"].add(one.layer)
        row["per_picture_bytes"] += one.per_picture
        row["fixed_bytes"] += one.fixed
        row["shared"] += one.shared_with is not None
    return [row | {"calls": len(row["calls"])} for row in rows.values()]
