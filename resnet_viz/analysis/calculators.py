"""Arithmetic of single layers: what a convolution, a pooling or a fully connected layer makes of any input."""

from dataclasses import dataclass
from math import prod

from ..problems import Problem, one_of
from .arithmetic import TIMES, side, times
from .layer_shapes import Shape, pair, windows

LIMITS = {  # the largest number that may be asked for, and why no more
    "side": (65_536, "a picture of that many pixels a side fits no computer's memory"),
    "channels": (1_000_000, "the widest layer of the paper has 2,048 channels"),
    "outputs": (1_000_000_000, "no layer is that wide"),
    "window": (65_536, "no window is larger than the picture"),
}
POOLINGS = {"max": "MaxPool2d", "average": "AvgPool2d"}


@dataclass(frozen=True)
class Result:
    """What one layer makes of its input.

    output    (channels, height, width), or (features,)
    unused    (rows, columns) at the end of the padded input that are in no window, because the floor cuts
    shared    learned numbers, each used at every position
    unshared  learned numbers if every unit had weights of its own
    macs      multiply-adds; 0 of a pooling
    lines     (quantity, the arithmetic with the numbers put in)
    code      the layer as PyTorch builds it
    """

    output: Shape
    unused: tuple[int, int]
    shared: int
    unshared: int
    macs: int
    lines: tuple[tuple[str, str], ...]
    code: str

    @property
    def units(self) -> int:
        """Numbers that the layer puts out."""
        return prod(self.output)


def sides_in(what: str, text: str, least: int = 1) -> tuple[int, int]:
    """(height, width) as a person writes them: "3", or "1 x 7" where they differ."""
    words = text.lower().replace("×", " ").replace("x", " ").replace(",", " ").split()
    if len(words) not in (1, 2) or not all(word.isdecimal() and len(word) < 10 for word in words):
        raise Problem(f"The {what} is a whole number such as 3, or height x width such as 1 x 7, not {text!r:.40}.")
    found = tuple(_checked(what, int(word), "window", least) for word in words)
    return found if len(found) == 2 else (found[0], found[0])


def _checked(what: str, value: int, limit: str, least: int = 1) -> int:
    most, reason = LIMITS[limit]
    if not least <= value <= most:
        raise Problem(f"The {what} must be from {least} to {most:,} ({reason}), not {value:,}.")
    return value


def convolution(channels: int, height: int, width: int, filters: int, kernel, stride=1, padding=0, dilation=1,
                groups: int = 1, bias: bool = True) -> Result:
    """A convolution; kernel, stride, padding and dilation are one number or (height, width)."""
    _checked("number of input channels", channels, "channels")
    _checked("number of filters", filters, "channels")
    if groups < 1 or channels % groups or filters % groups:
        raise Problem(f"{groups:,} groups do not divide {channels:,} channels and {filters:,} filters evenly; take a "
                      "number that divides both.")
    sliding, unused, written = _slide(height, width, kernel, stride, padding, dilation)
    seen = channels // groups
    weights = prod(pair(kernel)) * seen
    output = filters, *sliding
    one, plus = TIMES.join(f"{n:,}" for n in (*pair(kernel), seen)), " + 1" * bias
    units, each = prod(output), weights + bias
    lines = [
        *written,
        *([("inputs of each filter", f"{channels:,} channels / {groups:,} groups = {seen:,}")] if groups > 1 else []),
        ("units", times(*output)),
        ("parameters, shared", f"{filters:,} × ({one}{plus}) = {filters * each:,}: a filter is used at every position"),
        ("parameters, unshared", f"{units:,} × ({one}{plus}) = {units * each:,}: if each unit had a filter of its own"),
        ("multiply-adds", f"{units:,} × {one} = {units * weights:,}"),
    ]
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    code = _code("Conv2d", [channels, filters], kernel, settings, {"bias": bias})
    return Result(output, unused, filters * each, units * each, units * weights, tuple(lines), code)


def pooling(kind: str, channels: int, height: int, width: int, kernel, stride=None, padding=0, dilation=1) -> Result:
    """A pooling, "max" or "average"; a stride of None is the kernel's size, as in PyTorch."""
    name = POOLINGS[one_of("pooling", kind, POOLINGS)]
    _checked("number of input channels", channels, "channels")
    stride = kernel if stride is None else stride
    if kind == "average" and pair(dilation) != (1, 1):
        raise Problem("An average pooling has no dilation; set it to 1.")
    for p, k in zip(pair(padding), pair(kernel)):
        if 2 * p > k:
            raise Problem(f"A padding of {p:,} is more than half the window of {k:,}: some windows would hold padding "
                          "alone, which PyTorch refuses; lower the padding or enlarge the window.")
    sliding, unused, written = _slide(height, width, kernel, stride, padding, dilation)
    output, size = (channels, *sliding), prod(pair(kernel))
    work = {"max": ("comparisons", size - 1), "average": ("additions", size - 1)}[kind]
    lines = [*written, ("units", times(*output)),
             ("parameters", "0: there is nothing to learn, each channel is pooled by itself"),
             (work[0], f"{prod(output):,} × ({TIMES.join(map(str, pair(kernel)))} − 1) = {prod(output) * work[1]:,}")]
    code = _code(name, [], kernel, {"stride": stride, "padding": padding, "dilation": dilation}, {}, own_stride=kernel)
    return Result(output, unused, 0, 0, 0, tuple(lines), code)


def linear(inputs: int, outputs: int, bias: bool = True) -> Result:
    """A fully connected layer: every output sees every input, so no weight is shared."""
    _checked("number of inputs", inputs, "outputs")
    _checked("number of outputs", outputs, "outputs")
    params = outputs * (inputs + bias)
    lines = (("units", f"{outputs:,}"),
             ("parameters", f"{outputs:,} × ({inputs:,}{' + 1' * bias}) = {params:,}: every weight is used once, none "
                            "is shared"),
             ("multiply-adds", times(outputs, inputs)))
    return Result((outputs,), (0, 0), params, params, outputs * inputs, lines,
                  f"nn.Linear({inputs}, {outputs}{'' if bias else ', bias=False'})")


def _slide(height: int, width: int, kernel, stride, padding, dilation):
    """((height, width) of the output, (rows, columns) unused, lines) of a window that slides over a padded input."""
    down, across = zip((height, width), pair(kernel), pair(stride), pair(padding), pair(dilation))
    if down == across:
        output, unused, lines = _along("height and width", "rows and columns", *down)
        return (output, output), (unused, unused), lines
    (rows, unused_rows, above), (columns, unused_columns, below) = (
        _along("height", "rows", *down), _along("width", "columns", *across))
    return (rows, columns), (unused_rows, unused_columns), above + below


def _along(what: str, ends: str, n: int, k: int, s: int, p: int, d: int) -> tuple[int, int, list[tuple[str, str]]]:
    """(positions, pixels unused at the end, lines) along one side, or along both where they are alike."""
    _checked(what, n, "side")
    reach, padded = d * (k - 1) + 1, n + 2 * p
    if reach > padded:
        wide = f"{k:,} with dilation {d:,}, which reaches over {reach:,}," if d > 1 else f"{k:,}"
        raise Problem(f"A kernel of {wide} is larger than the padded {what} of {padded:,}; enlarge the padding or the "
                      "picture.")
    positions, unused = windows(n, k, s, p, d), (padded - reach) % s
    found = [(what, side(n, k, s, p, d, positions))]
    if unused:
        real = max(unused - p, 0)
        whose = {0: "padding only", unused: "of the picture itself"}.get(real, f"{real} of them of the picture")
        last = f"the last {unused:,}" if unused > 1 else "the last"
        found.append((f"{ends} in no window", f"{last} of {padded:,}, {whose}: the floor cuts"))
    if s > reach:
        found.append((f"{ends} skipped",
                      f"{s - reach} between any two windows: the stride is {s}, a window spans {reach}"))
    return positions, unused, found


def _code(name: str, first: list[int], kernel, settings: dict, flags: dict, own_stride=None) -> str:
    """The module as a person writes it: only what differs from PyTorch's own settings."""
    own = {"stride": own_stride or 1, "padding": 0, "dilation": 1, "groups": 1}
    words = [str(n) for n in first] + [_plain(kernel)]
    words += [f"{key}={_plain(value)}" for key, value in settings.items() if pair(value) != pair(own[key])]
    words += [f"{key}={value}" for key, value in flags.items() if not value]
    return f"nn.{name}({', '.join(words)})"


def _plain(value) -> str:
    sides = pair(value)
    return str(sides[0] if sides[0] == sides[1] else sides)
