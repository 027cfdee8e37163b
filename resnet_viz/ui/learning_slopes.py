"""A slope and its two tangents; the chain rule as numbers that flow forward, and slopes that come back."""

import numpy as np
import streamlit as st

from ..analysis import learning, learning_questions
from ..analysis import learning_words as words
from ..analysis.learning_words import short
from ..drawing import player
from .learning_scene import Scene

PLACES = np.round(np.linspace(-2, 2, 41), 10)
FIRST = 30  # x = 1, where both tangents are well in view
STAGES = ("w", "x", "y", "z", "z, and back to y", "back to x", "back to w")
CHAIN_CODE = """import torch

w = torch.tensor({w:g}, dtype=torch.float64, requires_grad=True)
x = w ** 2
y = 2 * x ** 3
z = 4 * y ** 2
x.retain_grad(), y.retain_grad()  # kept, so that they can be looked at
z.backward()
print(z.item(), y.grad.item(), x.grad.item(), w.grad.item())"""


def tangents() -> Scene:
    """y = x^2 with the tangents at x and at -x, from left to right."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        h = st.select_slider("And a line through x and x + h, h "
                             "=", (2.0, 1.0, 0.5, 0.25, 0.1, 0.01), 1.0, key="h", bind="query-params",
                             width=300)
    return Scene(
        player.film(_curves(h), [words.tangent_said(float(x)) for x in PLACES],
                    [f"x = {short(float(x))}" for x in PLACES], FIRST, 120,
                    "Place on x"),
        ["The slope of a curve at a point is that of the line that touches it there. On y = x² it is 2x: steep far "
         "out, flat at the bottom.",
         "The line through two points of the curve (dashed) comes to the tangent as they move together: make h "
         "smaller.",
         "The slope's sign says which way is up. The two tangents have opposite signs, so that **minus the slope** "
         "points to the bottom "
         "from both sides: this is all that gradient descent knows."],
        lambda frame: words.tangent_formula(float(PLACES[frame]), h),
        "import torch\n\nx = torch.tensor(1.0, requires_grad=True)\n(x ** 2).backward()\nprint(x.grad)  # tensor(2.)",
        [{"x": float(x), "y": float(x * x), "slope": float(2 * x), "slope of the line to x + "
            "h": learning.secant_slope(float(x), h)}
         for x in PLACES],
        lambda frame: learning_questions.of_slope(float(PLACES[frame])),
    )


def _curves(h: float) -> list[dict]:
    fine = np.linspace(-2.6, 2.6, 131)
    pieces, dots = [], []
    for x in PLACES.tolist():
        lines = [learning.tangent(x), learning.tangent(-x)]
        drawn = [{"from": list(line[:2]), "to": list(line[2:]), "colour": colour, "dashed": False}
                 for line, colour in zip(lines, (player.VERMILLION, player.GREEN))]
        slope = learning.secant_slope(x, h)
        ends = [[at, x * x + slope * (at - x)] for at in (x - 0.5, x + h + 0.5)]
        pieces.append([*drawn, {"from": ends[0], "to": ends[1], "colour": player.ORANGE, "dashed": True}])
        dots.append([{"at": [-x, x * x], "colour": player.GREEN, "text": f"slope {short(-2 * x, 3)}"},
                     {"at": [x + h, (x + h) ** 2], "colour": player.ORANGE, "text": ""},
                     {"at": [x, x * x], "colour": player.VERMILLION, "text": f"slope {short(2 * x, 3)}"}])
    slopes = player.lines("The slope at each x", "A straight line: the slope of x² is 2x.",
                          [player.line("2x", PLACES, 2 * PLACES, player.VERMILLION, grows=True)],
                          (-2.6, 2.6), (-4.4, 4.4), ("x", "slope"),
                          cursor=PLACES)
    curve = player.lines("y = x², its tangents at x and −x, and a line through two points",
                         "A parabola with two tangents that lean against each other.",
                         [player.line("", fine, fine**2, player.BLUE)], (-2.6, 2.6), (-1.2, 6.2), ("x", "y"),
                         pieces=pieces, dots=dots,
                         ratio=0.62, place="wide")
    return [curve, slopes]


def chain() -> Scene:
    """x = w^2, y = 2x^3, z = 4y^2 for any w."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        w = st.number_input("w", -3.0, 3.0, 1.0, 0.1, key="w", bind="query-params", width=150,
                            help="Any number from −3 to 3")
    found = learning.chain(w)
    nodes = [{"rule": rule, "value": value, "slope": slope, "back": back} for rule, value, slope, back in (
        ("w", found.w, "dz/dw", found.dz_dw), ("x = w²", found.x, "dz/dx", found.dz_dx),
        ("y = 2x³", found.y, "dz/dy", found.dz_dy),
        ("z = 4y²", found.z, "dz/dz", 1.0))]
    links = [{"rule": rule, "slope": slope} for rule, slope in (
        ("dx/dw = 2w", found.dx_dw), ("dy/dx = 6x²", found.dy_dx), ("dz/dy = 8y", found.dz_dy))]
    alt = (f"w = {short(w)} gives z = {short(found.z)}; back through three links comes "
           f"dz/dw = {short(found.dz_dw)}.")
    return Scene(
        player.film([player.graph("Numbers forward, slopes "
                                  "back", alt, nodes, links)], [words.chain_said(found, i) for i in range(7)],
                    list(STAGES), 6, 1_400, "Stage"),
        ["Each link knows only its own slope. Going back from z, every link **multiplies** what arrives by its slope: "
         "that is the chain rule, "
         "and backpropagation is nothing else.",
         "Forward every number is kept, because the links need them again on the way back. This is why training takes "
         "more memory than "
         "answering.",
         "A product of many slopes can die or explode. With w = 0.5 the three slopes are small, and almost nothing "
         "reaches w; with w = 2 they "
         "explode. A deep network is a chain of this kind with dozens of links."],
        lambda frame: words.chain_formula(found),
        CHAIN_CODE.format(w=w),
        [{"quantity": name, "value": getattr(found, name.replace("/", "_"))}
         for name in ("w", "x", "y", "z", "dx/dw", "dy/dx", "dz/dy", "dz/dx", "dz/dw")],
        lambda frame: learning_questions.of_chain(w),
    )
