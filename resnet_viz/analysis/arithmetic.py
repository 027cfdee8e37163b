"""A layer's numbers as a person works them out by hand, with its own figures put in."""

from math import prod

from .architecture import FLOAT_BYTES, Layer

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
        found += _sides(layer)
    if layer.params:
        found.append(("parameters", _parameters(layer)))
    if layer.macs:
        found.append(("multiply-adds", _macs(layer)))
    found.append(("output of one picture", f"{times(*layer.output_shape)} numbers, {FLOAT_BYTES} bytes each: "
                  f"{size(layer.activation_bytes)}"))
    return found


def _sides(layer: Layer) -> list[tuple[str, str]]:
    """Height and width once where both are the same, as nearly always."""
    sides = zip(layer.input_shape[1:], layer.padding, layer.kernel, layer.stride, layer.output_shape[1:])
    written = [f"⌊({n:,} + 2 × {p} − {k}) / {s}⌋ + 1 = {out:,}" for n, p, k, s, out in sides]
    if written[0] == written[1]:
        return [("height and width", written[0])]
    return [("height", written[0]), ("width", written[1])]


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
