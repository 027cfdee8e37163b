"""Two learning curves against each other: their difference, who leads, and where the lead changes hands first."""

from dataclasses import dataclass

import numpy as np

from ..number_text import percent

Metrics = dict[str, dict[str, np.ndarray]]  # split -> column -> values, as runs.Metrics reads them
LASTING = 3  # points that a lead must hold to count: the first steps jump from one side of zero to the other
OTHER_PICTURES = {"pictures", "learn from the first pictures only", "held out for validation"}  # these shuffle others
UNREADABLE = "recipe"  # in place of the differences where one of the recipes cannot be read
BETTER = {"loss": -1, "accuracy": 1}  # of a loss less is better


@dataclass(frozen=True)
class Comparison:
    """The second curve minus the first, where both have points.

    x, first, second, difference   ascending x, both curves there, and second - first
    crossings       x of every change of the lead that lasts, in order; between two points by a straight line
    """

    x: np.ndarray
    first: np.ndarray
    second: np.ndarray
    difference: np.ndarray
    crossings: tuple[float, ...]


def compare(x_first, y_first, x_second, y_second) -> Comparison:
    """Both curves at the same x: those of the denser one within the stretch that both have, the other by straight lines.

    Points that are not finite are left out; x must ascend.
    """
    first, second = (_finite(x, y) for x, y in ((x_first, y_first), (x_second, y_second)))
    if not len(first[0]) or not len(second[0]):
        return Comparison(*np.empty((4, 0)), ())
    low, high = max(first[0][0], second[0][0]), min(first[0][-1], second[0][-1])
    x = max(first[0], second[0], key=len)
    x = x[(x >= low) & (x <= high)]
    first, second = np.interp(x, *first), np.interp(x, *second)
    return Comparison(x, first, second, second - first, _crossings(x, second - first))


def _finite(x, y) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    return x[known], y[known]


def _crossings(x: np.ndarray, difference: np.ndarray) -> tuple[float, ...]:
    """Where the sign changes between two leads that hold LASTING points each; shorter ones in between are jitter."""
    starts, signs = _leads(np.sign(difference))
    first = starts[1:][signs[1:] != signs[:-1]]  # of each lead that somebody else takes: the point before is not yet its own
    before, after = difference[first - 1], difference[first]
    return tuple((x[first - 1] + (x[first] - x[first - 1]) * before / (before - after)).tolist())


def _leads(signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(first index, sign) of every stretch of LASTING or more points with one sign that is not 0."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(signs)) + 1])
    lasting = (np.diff(starts, append=len(signs)) >= LASTING) & (signs[starts] != 0)
    return starts[lasting], signs[starts[lasting]]


# In words


def finding(column: str, names: tuple[str, str], comparison: Comparison, x_axis: str) -> str:
    """Who leads in the training loss or accuracy, since when, and by how much, as one sentence.

    comparison   of the curves as they are drawn
    x_axis       "step", "epoch", "images" or "seconds"
    """
    if len(comparison.x) < LASTING:
        return f"Too few points yet to say who leads in {column}."
    now = float(comparison.difference[-1])
    if now == 0:
        return f"Both have the same training {column} at {at(comparison.x[-1], x_axis)}."
    leader, other = _in_order(names, now * BETTER[column] > 0)
    gap = f"{100 * abs(now):.1f} percentage points" if column == "accuracy" else f"{abs(now):.2g}"
    which = "lower" if column == "loss" else "higher"
    sentence = f"**{leader}** is ahead of **{other}** at {at(comparison.x[-1], x_axis)}: its training {column} is {gap} {which}."
    if not comparison.crossings:
        return f"{sentence} The lead has not changed hands."
    first, count = at(comparison.crossings[0], x_axis), len(comparison.crossings)
    more = f", and {count - 1} time{'s' * (count > 2)} after that" if count > 1 else ""
    return f"{sentence} The curves cross first at {first}{more}."


def _in_order(names: tuple[str, str], second_leads: bool) -> tuple[str, str]:
    return (names[1], names[0]) if second_leads else names


def at(x: float, x_axis: str) -> str:
    """step 1,180; epoch 3.2; 12,800 images; 42 s."""
    if x_axis == "epoch":
        return f"epoch {x:.1f}"
    return {"step": f"step {x:,.0f}", "images": f"{x:,.0f} images", "seconds": f"{x:,.0f} s"}[x_axis]


def story(names: tuple[str, str], differs: dict[str, tuple[str, str]], metrics: tuple[Metrics, Metrics]) -> list[str]:
    """What is the same, what is not, and how far each came, as sentences; only what the files say.

    differs   title -> what each has, as training.switches.differences gives it
    """
    return [_fairness(differs), *_validated(names, metrics), *_gap_in_training(names, differs, metrics), *_tested(names, metrics)]


def _fairness(differs: dict[str, tuple[str, str]]) -> str:
    if not differs:
        return "Both have the very same recipe: whatever differs comes from the machine's rounding."
    if UNREADABLE in differs:
        return "The recipe of one of the two cannot be read here, so nobody can say in what they differ."
    if len(differs) > 1:
        return f"These two differ in {len(differs)} things, so nobody can say which of them decides: {', '.join(differs)}."
    said = "; ".join(_of(title, *values) for title, values in differs.items())
    if "seed" in differs:
        return f"Only the seed differs ({said}): this much is chance."
    order = "" if OTHER_PICTURES & set(differs) else " the order of the pictures"
    return f"One thing differs. {said}. The seed,{order} and every other setting are the same."


def _of(title: str, first: str, second: str) -> str:
    first, second = (text.removeprefix(f"{title}: ") for text in (first, second))
    return f"{title}: {first} against {second}"


def _validated(names: tuple[str, str], metrics: tuple[Metrics, Metrics]) -> list[str]:
    if not all("val" in each for each in metrics):
        return []
    best = [float(each["val"]["accuracy"].max()) for each in metrics]
    return [f"Of pictures never learned from, {names[0]} came to {percent(best[0])} right, {names[1]} to {percent(best[1])}"
            f" (each in its best epoch: {100 * abs(best[1] - best[0]):.1f} percentage points apart)."]


def _gap_in_training(names, differs, metrics: tuple[Metrics, Metrics]) -> list[str]:
    """He et al. 2016, section 1: what fails in training is not overfitting."""
    if list(differs) != ["depth"] or not all(split in each for each in metrics for split in ("train", "val")):
        return []
    layers = [int(text.split()[0]) for text in differs["depth"]]
    deep = int(layers[1] > layers[0])
    worse = [_last(metrics[deep], split, "loss") > _last(metrics[1 - deep], split, "loss") for split in ("train", "val")]
    if all(worse):
        return [f"The deeper network ({names[deep]}) has the higher loss on its own training pictures too: that is not"
                " overfitting, it is the degradation that shortcuts were invented against."]
    if not worse[0]:
        return [f"The deeper network ({names[deep]}) has the lower training loss: no degradation here."]
    return []


def _last(metrics: Metrics, split: str, column: str) -> float:
    """The mean over the last epoch of training (a row weighs as many pictures as it covers), or the last evaluation."""
    columns = metrics[split]
    if split != "train":
        return float(columns[column][-1])
    covered = np.maximum(np.diff(columns["images"], prepend=0.0), 1)
    last = columns["epoch"] == columns["epoch"][-1]
    return float(np.average(columns[column][last], weights=covered[last]))


def _tested(names: tuple[str, str], metrics: tuple[Metrics, Metrics]) -> list[str]:
    if not all("test" in each for each in metrics):
        return []
    first, second = (float(each["test"]["accuracy"][-1]) for each in metrics)
    return [f"On the test pictures, asked once at the end: {percent(first)} for {names[0]}, {percent(second)} for {names[1]}."]


def formulas(differs: dict[str, tuple[str, str]], loss: Comparison, x_axis: str) -> list[str]:
    """LaTeX: the difference curve and its last value, and what the switch changes where a formula says it."""
    lines = [r"\Delta(x) = L_{\text{second}}(x) - L_{\text{first}}(x)"]
    if len(loss.x):
        numbers = f"{loss.second[-1]:.3f} - {loss.first[-1]:.3f} = {loss.difference[-1]:.3f}"
        lines.append(rf"\Delta(\text{{{at(loss.x[-1], x_axis)}}}) = {numbers}")
    for title, (first, second) in differs.items():
        if title in SWITCHED:
            lines.append(rf"{SWITCHED[title]} \qquad \text{{first: {first}; second: {second}}}")
    return lines


SWITCHED = {  # switch -> what it changes
    "shortcuts": r"\text{residual: } y = \mathrm{ReLU}\big(F(x) + x\big) \quad \text{plain: } y = \mathrm{ReLU}\big(F(x)\big)",
    "batch norm": r"\text{with: } y = \gamma\,\frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta \quad \text{without: } y = x",
    "learning rate": r"w \leftarrow w - \text{rate} \cdot g",
    "batch size": r"g = \frac{1}{B} \sum_{i=1}^{B} \nabla_w \ell_i",
    "pixel values": r"x = \frac{\text{pixel} - \text{mean}}{\text{std}}",
}
