"""The numbers that the operations start with: the course's own matrices where it prints them.

Source A is the slides, E the lab; what neither prints is said to be ours.
"""

from dataclasses import dataclass

from .operations import Setting

SLIDES = "5 1 2 4 3 / 1 3 2 4 4 / 6 3 2 1 2 / 0 6 2 4 1 / 3 4 1 2 1"
SLIDES_KERNEL = "1 1 1 / 0 0 1 / 1 1 0"
LAB = "1 1 1 0 0 / 0 1 1 1 0 / 0 0 1 1 1 / 0 0 1 1 0 / 0 1 1 0 0"
SLIDES_POOLING = ("2 8 2 4 2 4 4 2 / 6 4 0 6 0 2 10 0 / 4 8 6 2 4 2 10 8 / 2 2 8 4 8 2 2 8 / 4 10 8 2 4 0 10 0 / "
                  "2 4 8 2 6 10 2 8 / 4 2 6 8 2 4 6 2 / 10 12 2 4 4 2 2 6")
LAB_POOLING = "3 3 2 1 0 / 0 0 1 3 1 / 3 1 2 2 3 / 2 0 0 2 2 / 2 0 0 0 1"
LAB_FLATTEN = "1 1 0 / 4 2 1 / 0 2 1"


@dataclass(frozen=True)
class Example:
    """What the fields of an operation hold at first; `note` says whose numbers they are, where that needs a word."""

    input: str
    setting: Setting = Setting()
    weights: str = ""
    note: str = ""


EXAMPLES: dict[str, dict[str, Example]] = {
    "convolution": {
        "the slides' matrix": Example(SLIDES, weights=SLIDES_KERNEL),
        "the lab's matrix, stride 2": Example(
            LAB, Setting(stride=2, padding=1), "1 0 1 / 0 1 0 / 1 0 1",
            "The lab prints this input, padding 1 and stride 2, but no kernel; this kernel is ours."),
        "a column that is left over": Example(
            "1 2 0 1 3 2 / 0 1 2 3 1 0 / 2 2 1 0 1 1 / 3 0 1 2 2 0 / 1 1 0 2 3 1 / 2 0 1 1 0 2", Setting(stride=2),
            "0 1 0 / 1 −4 1 / 0 1 0", "Six columns, windows of three, steps of two: the last row and column are in no "
                                      "window."),
        "an edge": Example(
            "0 0 0 9 9 9 / 0 0 0 9 9 9 / 0 0 0 9 9 9 / 0 0 0 9 9 9 / 0 0 0 9 9 9", weights="−1 0 1 / −2 0 2 / −1 0 1",
            note="The kernel of Sobel: it answers where left and right differ, and is silent where they are alike."),
    },
    "max pooling": {
        "the slides' matrix": Example(SLIDES_POOLING, Setting(size=2, stride=2)),
        "the lab's matrix": Example(LAB_POOLING, Setting(size=3, stride=1)),
        "as in ResNet: 3 × 3, stride 2, padding 1": Example(SLIDES_POOLING, Setting(size=3, stride=2, padding=1)),
    },
    "average pooling": {
        "the slides' matrix": Example(SLIDES_POOLING, Setting(size=2, stride=2)),
        "the lab's matrix": Example(LAB_POOLING, Setting(size=3, stride=1)),
    },
    "activation": {"ours": Example("−4 −2 −1 / −0.5 0 0.5 / 1 2 4")},
    "softmax": {"ours": Example("2 1 0.1 −1")},
    "batch norm": {"ours": Example("3 7 1 5 2 8 6 4 / 8 1 4 6 3 5 7 2",
                                   note="All numbers of one channel: four pictures of 2 × 2, side by side.")},
    "dropout": {"ours": Example("1 2 3 4 / 5 6 7 8 / 9 10 11 12", Setting(seed=1))},
    "flatten": {"the lab's matrix": Example(LAB_FLATTEN)},
    "fully connected": {"the lab's matrix, flattened": Example(
        LAB_FLATTEN, weights="1 0 −1 0 1 0 0 2 −1 / 0 1 0 1 0 −1 1 0 0 / −1 1 1 0 0 1 −2 0 1",
        note="The input is the lab's flattened matrix; the weights, a row for each of three outputs, are ours.")},
}
