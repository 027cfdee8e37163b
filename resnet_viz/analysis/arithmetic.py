"""A layer's numbers as a person works them out by hand, with its own figures put in."""

from math import prod

from .architecture import FLOAT_BYTES, Layer, Summary, fold

MIB = 2**20
TIMES = " × "


def times(*factors: int) -> str:
    """The product written out, e.g. "64 × 3 × 7 × 7 = 9,408"."""
    return f"{TIMES.join(f'{n:,}' for n in factors)} = {prod(factors):,}"


def size(bytes_: int) -> str:
    """Bytes in the unit that leaves one to four digits before the point; MiB = 2^20 bytes."""
    for unit, divisor in (("GiB", 2**30), ("MiB", MIB), ("KiB", 2**10)):
        if bytes_ >= divisor:
            return f"{bytes_ / divisor:,.4g} {unit}"
    return f"{bytes_:,} bytes"


def lines(layer: Layer) -> list[tuple[str, str]]:
    """(quantity, arithmetic) for everything the table says of one leaf layer."""
    found = []
    if layer.kernel and len(layer.input_shape) == 3:
        found += [*_sides(layer), ("sees of the picture", _field(layer))]
    if layer.kind == "Conv2d" and layer.weight_shape[1] < layer.input_shape[0]:
        found.append(("inputs of each filter", _groups(layer)))
    if layer.params:
        found.append(("parameters", _parameters(layer)))
    if layer.macs:
        found.append(("multiply-adds", _macs(layer)))
    found.append(("output of one picture", f"{times(*layer.output_shape)} numbers, {FLOAT_BYTES} bytes each: "
                  f"{size(layer.activation_bytes)}"))
    return found


def side(n: int, kernel: int, stride: int, padding: int, dilation: int, out: int) -> str:
    """Positions of a window along one side; the dilation only where there is one."""
    if dilation == 1:
        return f"⌊({n:,} + 2 × {padding} − {kernel}) / {stride}⌋ + 1 = {out:,}"
    return f"⌊({n:,} + 2 × {padding} − {dilation} × ({kernel} − 1) − 1) / {stride}⌋ + 1 = {out:,}"


def _sides(layer: Layer) -> list[tuple[str, str]]:
    """Height and width once where both are the same, as nearly always."""
    sides = zip(layer.input_shape[1:], layer.kernel, layer.stride, layer.padding, layer.dilation or (1, 1),
                layer.output_shape[1:])
    written = [side(*numbers) for numbers in sides]
    if written[0] == written[1]:
        return [("height and width", written[0])]
    return [("height", written[0]), ("width", written[1])]


def _field(layer: Layer) -> str:
    """Araujo et al. 2019, equation 2, along one side: what the layer before sees, and (kernel − 1) jumps more."""
    kernel, stride, dilation = layer.kernel[0], layer.stride[0], (layer.dilation or (1,))[0]
    jump = layer.jump[0] // stride
    before = layer.receptive_field[0] - dilation * (kernel - 1) * jump
    spread = f"{dilation} × ({kernel} − 1)" if dilation > 1 else f"({kernel} − 1)"
    return (f"{before:,} + {spread} × {jump:,} = {layer.receptive_field[0]:,} pixels a side, padding included; "
            f"neighbours are {jump:,} × {stride} = {layer.jump[0]:,} apart")


def _groups(layer: Layer) -> str:
    """ResNeXt's 3x3: the channels are parted, and a filter sees those of its own group only."""
    seen, channels = layer.weight_shape[1], layer.input_shape[0]
    return f"{channels:,} channels / {channels // seen:,} groups = {seen:,}"


def _parameters(layer: Layer) -> str:
    weights = prod(layer.weight_shape)
    if len(layer.weight_shape) == 1:
        return f"{times(2, weights)}: a scale γ and a shift β for each channel"
    if layer.params == weights:
        return times(*layer.weight_shape)
    biases = layer.params - weights
    return f"{TIMES.join(f'{n:,}' for n in layer.weight_shape)} + {biases:,} biases = {layer.params:,}"


def _macs(layer: Layer) -> str:
    """One filter's weights, once for every number of the output."""
    outputs, weights = prod(layer.output_shape), prod(layer.weight_shape[1:])
    return f"{times(outputs, weights)}: every number of the output takes one filter of {weights:,} weights"


def findings(summary: Summary) -> list[str]:
    """What the table says, in sentences with its own numbers: the picture's way, and where weights and work sit."""
    stages = fold(summary, "stage")
    shapes = [summary.input_shape, *(stage.output_shape for stage in stages)]
    maps = [shape for shape in dict.fromkeys(shapes) if len(shape) == 3 and shape[1:] != (1, 1)]
    way = " → ".join(" × ".join(f"{n:,}" for n in shape) for shape in maps)
    found = [f"The picture's way (channels × height × width): {way}. "
             "Where the maps become smaller, their number grows."]
    for what, key in (("weights", "params"), ("multiply-adds", "macs")):
        most = max(stages, key=lambda stage: getattr(stage, key))
        share = getattr(most, key) / summary.totals[key]
        found.append(f"Most {what} are in {most.name}: {getattr(most, key):,} of {summary.totals[key]:,}, {share:.0%}.")
    adds = sum(layer.kind == "Add" for layer in summary.layers)
    if adds:
        projections = sum(".downsample" in layer.name and layer.kind in ("Conv2d", "PadShortcut")
                          for layer in summary.layers)
        found.append(f"{adds} residual additions: in {adds - projections} the shortcut is x itself, "
                     f"in {projections} x must first be brought to a new shape.")
    return found
