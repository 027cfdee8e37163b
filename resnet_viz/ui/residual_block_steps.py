"""A walk through a residual block as its component in the browser reads it: windows, maps, kernels, numbers."""

import base64
import hashlib
import json

import numpy as np

from ..analysis import residual_block_words as words
from ..analysis.residual_block import Step, Walk
from ..drawing.colours import DIVERGING
from .walls import png

PALETTE = ["#{:02X}{:02X}{:02X}".format(*colour) for colour in DIVERGING[::3]]
TITLES = {"batch norm": "batch norm", "nothing": "nothing", "input": "x"}


def described(found: Walk, skip: bool, at: int, picture: str, pixels: np.ndarray) -> dict:
    """What residual_block.js reads: every step with its whole map, in plain values.

    skip     whether x is added; at: the place, in reading order
    picture  its name, and pixels uint8 [H, W, 3], as the network reads it
    """
    limit = _limit(found.residual, found.shortcut, found.total, found.end)
    end = found.end if skip else found.without
    data = {
        "title": f"{found.block}, channel {found.channel}",
        "rows": found.total.shape[0],
        "columns": found.total.shape[1],
        "skip": skip,
        "activation": found.activation,
        "palette": PALETTE,
        "picture": {
            "name": picture,
            "src": f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}",
            "alt": f"{picture}, as the network reads it",
        },
        "overview": {
            name: _map(values, limit)
            | {"alt": f"{name} of channel {found.channel}, from {values.min():.3g} to {values.max():.3g}"}
            for name, values in (
                ("F(x)", found.residual),
                ("x", found.shortcut),
                (f"after {found.activation}" if found.activation else "H(x)", end),
            )
        },
        "layers": _way(found.layers, "F", limit, found.activation),
        "around_title": f"x: {words.WAYS[found.way].split(',')[0]}" + ("" if skip else "; switched off"),
        "around": _way(found.around, "x", limit, found.activation),
        "sum_title": "H(x) = F(x) + x" if skip else "H(x) = F(x) alone",
        "end": _end(found, skip, limit),
    }
    digest = hashlib.sha256(json.dumps(data, allow_nan=False).encode()).hexdigest()[:16]
    return {**data, "digest": digest, "at": at}


def _way(steps: tuple[Step, ...], role: str, limit: float, activation: str) -> list[dict]:
    found = []
    for i, step in enumerate(steps):
        last = i == len(steps) - 1
        one = _map(step.map, limit if last else None) | {
            "title": _title(step, activation),
            "note": _note(step),
            "kind": step.kind,
            "name": _activation_name(activation) if step.kind == "activation" else step.name,
            "scale": step.scale,
            "sign": None if i == 0 else "×" if step.conv else "→",
            "role": role if last else None,
        }
        if step.conv:
            conv = step.conv
            one["conv"] = {
                "size": len(conv.kernel),
                "kernel": _plain(conv.kernel),
                "share": _plain(conv.share),
                "others": conv.others,
                "bias": conv.bias,
                "source": conv.source,
                "limit": _limit(conv.kernel),
            }
        if step.norm:
            n = step.norm
            one["norm"] = {
                "mean": n.mean,
                "deviation": float(np.sqrt(n.variance + n.eps)),
                "scale": n.scale,
                "shift": n.shift,
            }
        found.append(one)
    return found


def _note(step: Step) -> str:
    name = "" if step.name.startswith(("x", "downsample")) else f"{step.name}, "
    return f"{name}channel {step.channel}"


def _title(step: Step, activation: str) -> str:
    if step.conv:
        stride = f", /{step.conv.stride}" if step.conv.stride > 1 else ""
        return f"{len(step.conv.kernel)} × {len(step.conv.kernel)}{stride}"
    if step.kind == "padding":
        return "thinned" if step.map.any() else "zeros"
    return _activation_name(activation) if step.kind == "activation" else TITLES[step.kind]


def _activation_name(activation: str) -> str:
    return activation or "ReLU"  # a block that ends with its sum has one inside all the same


def _end(found: Walk, skip: bool, limit: float) -> list[dict]:
    def card(title, values, sign, role, kind="sum"):
        return _map(values, limit) | {
            "title": title,
            "note": f"channel {found.channel}",
            "kind": kind,
            "name": found.activation,
            "scale": 1,
            "sign": sign,
            "role": role,
        }

    total = found.total if skip else found.residual
    cards = [card("F(x)", found.residual, None, None)]
    cards += (
        [card("x", found.shortcut, "+", None), card("H(x)", total, "=", "sum")]
        if skip
        else [card("H(x)", total, "=", "sum")]
    )
    if found.activation:
        cards.append(card(found.activation, found.after if skip else found.without, "→", "after", "activation"))
    return cards


def _map(values: np.ndarray, limit: float | None) -> dict:
    return {
        "rows": values.shape[0],
        "columns": values.shape[1],
        "values": _plain(values),
        "limit": limit or _limit(values),
    }


def _plain(values: np.ndarray) -> list[float]:
    return [float(f"{value:.4g}") for value in values.ravel().tolist()]


def _limit(*arrays: np.ndarray) -> float:
    """The end of the colours: the largest number, and a quarter more, so that dark cells stay readable."""
    return 1.25 * max(float(np.abs(a).max()) for a in arrays) or 1.0
