"""Predictions in words: how sure a network is, what happened to the picture, and the formula with its numbers."""

import math
from collections.abc import Sequence

from ..data.preprocessing import Preprocessing
from ..familiarity import Caution, Familiarity
from ..number_text import percent
from .predictions import Verdict, Views


def sureness(verdict: Verdict) -> str:
    """How sure the network is, in one sentence, from the lead of the first class and the spread of all."""
    first, *others = verdict.answers
    if not others:
        return f"It knows only one class, {first.label}, and can say nothing else."
    second = others[0]
    if first.probability >= 0.95:
        return (
            f"Nearly certain: {percent(first.probability)} for {first.label}, {percent(1 - first.probability)} for all"
            " other classes together."
        )
    if verdict.margin < 0.15 and first.probability + second.probability > 0.75:
        return (
            f"Torn between {first.label} ({percent(first.probability)}) and {second.label}"
            f" ({percent(second.probability)})."
        )
    if first.probability < 0.5 and verdict.entropy_bits > 0.8 * math.log2(len(verdict.answers)):
        return (
            f"It does not know: the probabilities are spread as if {2 ** verdict.entropy_bits:.3g} of its "
            f"{len(verdict.answers):,} classes were equally likely."
        )
    if first.probability >= 0.6:
        return f"Fairly sure of {first.label}; {second.label} comes second with {percent(second.probability)}."
    return f"Leans towards {first.label}, with doubts: {second.label} has {percent(second.probability)}."


NO_CAUTION = (
    "Whether this picture is anything like what it learned from cannot be said: these weights came without the record of"
    " their run's validation pictures."
)


def warning(caution: Caution) -> str:
    """What to make of a picture that is cautioned, or of one that is not."""
    if caution.unlike:
        share = f"only {percent(caution.share)}" if caution.share else "none"
        return (
            f"Unlike anything it learned from: {share} of the validation pictures look as strange to the network."
            " Its answer is a guess, however sure it sounds."
        )
    return f"Nothing strange: {percent(caution.share)} of the validation pictures look as unusual to it, or more."


def reliability(familiar: Familiarity) -> str:
    """Where the caution begins, what it costs in false alarms, and what it catches; all of it measured."""
    caught = ", ".join(f"{kind} {percent(share)}" for kind, share in familiar.caught.items())
    wrong = ""
    if familiar.false_alarms is not None:
        wrong = f" Of {familiar.test_images:,} test pictures {percent(familiar.false_alarms)} got it for nothing."
    return (
        f"The caution begins where the strangest 5\u00a0% of {len(familiar.validation):,} validation pictures lie."
        f"{wrong} Of pictures of nothing it caught: {caught}."
    )


def caution_story(caution: Caution | None, familiar: Familiarity | None) -> list[str]:
    """How the caution comes about and how far it can be trusted."""
    if caution is None or familiar is None:
        return [NO_CAUTION]
    return [
        "A softmax has no word for \"none of these\", so the caution does not ask the answer: it compares what"
        f" {len(familiar.layers)} convolutions make of this picture (mean and spread of their channels) with what they"
        f" make of pictures they learned from. This one's strangeness is {_signed(caution.strangeness)}, the caution begins at"
        f" {familiar.threshold:.2f}. {reliability(familiar)}"
    ]


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "\u2212")


def strangeness_formula(caution: Caution, familiar: Familiarity) -> str:
    """The score and its threshold as LaTeX, with this picture's numbers."""
    sign = ">" if caution.unlike else r"\le"
    return (
        r"s = \max_{\text{layer}} \frac{\log d^2 - \text{mean}}{\text{std}}"
        rf" = {caution.strangeness:.2f} {sign} {familiar.threshold:.2f}, \qquad d^2 = (r - \mu)^\top \Sigma^{{-1}} (r - \mu)"
    )


def spoken(verdict: Verdict, count: int = 3) -> str:
    """The likeliest classes in one phrase: "cat 83.1 %, dog 9.2 %, frog 3.0 %"."""
    return ", ".join(f"{answer.label} {percent(answer.probability)}" for answer in verdict.answers[:count])


def story(views: Views, verdicts: Sequence[Verdict]) -> list[str]:
    """What happened to the picture, in sentences with its own numbers."""
    height, width = views.original.shape[:2]
    left, top, right, bottom = views.crop_box
    side = views.resized.shape[0]
    pixels = (right - left) * (bottom - top)
    lines = []
    if pixels < width * height:
        lines.append(
            f"The network takes only squares: {percent(1 - pixels / (width * height))} of the picture, outside the"
            " frame, was never seen."
        )
    if pixels > side**2:
        lines.append(
            f"The square was shrunk to {side} x {side} = {side**2:,} pixels: one for every {pixels / side**2:,.3g} of"
            " the file. Whatever cannot be recognised at that size, it cannot recognise either."
        )
    elif pixels < side**2:
        lines.append(f"The square was blown up to {side} x {side} pixels; that adds no detail.")
    lines.append("Each channel was then shifted and scaled as in training, so that 0 is an average pixel.")
    for number, verdict in enumerate(verdicts, start=1):
        which = "It" if len(verdicts) == 1 else f"Classifier {number} of {len(verdicts)}"
        lines.append(
            f"{which} has only {len(verdict.answers):,} words ({_some(verdict)}) and must divide 100 % among them,"
            " whatever the picture shows."
        )
        lines.append(
            f"{sureness(verdict)} The entropy is {verdict.entropy_bits:.2f} bits of at most"
            f" {math.log2(len(verdict.answers)):.2f}: as unsure as between {2 ** verdict.entropy_bits:.3g} equally"
            f" likely classes. The lead of the first over the second is {100 * verdict.margin:.1f} percentage points."
        )
    return lines


def _some(verdict: Verdict) -> str:
    names = [answer.label for answer in sorted(verdict.answers, key=lambda answer: answer.index)]
    return ", ".join(names) if len(names) <= 12 else ", ".join(names[:4]) + f", ... and {len(names) - 4:,} more"


def softmax_formula(verdict: Verdict, shown: int = 3) -> str:
    """The softmax of the likeliest class as LaTeX, with this picture's logits put in.

    Large logits are written relative to the largest, which changes nothing: numerator and denominator shrink alike.
    """
    top = verdict.logits[0]
    logits = [z - top for z in verdict.logits] if abs(top) > 15 else list(verdict.logits)
    powers = [f"e^{{{z:.2f}}}" for z in logits[:shown]] + ([r"\dots"] if len(logits) > shown else [])
    terms = [_number(math.exp(z)) for z in logits[:shown]] + (
        [_number(sum(map(math.exp, logits[shown:])))] if len(logits) > shown else []
    )
    return (
        rf"p_{{\text{{{_latex(verdict.answers[0].label)}}}}} = \frac{{e^{{z_1}}}}{{\sum_j e^{{z_j}}}} ="
        rf" \frac{{{powers[0]}}}{{{' + '.join(powers)}}} = "
        rf"\frac{{{terms[0]}}}{{{' + '.join(terms)}}} = {100 * verdict.answers[0].probability:.1f}\,\%"
    )


def normalisation_formula(views: Views, preprocessing: Preprocessing) -> str:
    """The normalisation of the middle pixel's first channel as LaTeX, with its numbers."""
    middle = preprocessing.size // 2
    pixel, mean, std = int(views.resized[middle, middle, 0]), preprocessing.mean[0], preprocessing.std[0]
    return (
        rf"x = \frac{{\text{{pixel}} / 255 - \text{{mean}}}}{{\text{{std}}}} = \frac{{{pixel} / 255 -"
        rf" {mean:.4g}}}{{{std:.4g}}} = "
        rf"{views.normalised[0, middle, middle]:.3f}"
    )


def _number(value: float) -> str:
    """Four significant digits for LaTeX, thousands in groups."""
    if value and not 1e-3 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.2e}".split("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{digits}f}".replace(",", "{,}")


def _latex(text: str) -> str:
    return "".join(rf"\{c}" if c in "#$%&_{}" else " " if c in "\\^~" else c for c in text)


def code(preprocessing: Preprocessing, heads: Sequence[int], file_name: str) -> str:
    """The PyTorch lines that make this prediction from a file, given the network as `model`."""
    grey = "v2.Grayscale(), " if preprocessing.channels == 1 else ""
    shape = [1, preprocessing.channels, preprocessing.size, preprocessing.size]
    softmax = (
        "logits.softmax(dim=1)"
        if len(heads) == 1
        else f"[part.softmax(dim=1) for part in logits.split({list(heads)}, dim=1)]"
    )
    return f"""import torch
from PIL import Image
from torchvision.transforms import v2

prepare = v2.Compose([
    v2.Resize({preprocessing.resize}), v2.CenterCrop({preprocessing.size}), {grey}v2.PILToTensor(),
    v2.ToDtype(torch.float32, scale=True), v2.Normalize({_tuple(preprocessing.mean)}, {_tuple(preprocessing.std)}),
])
picture = prepare(Image.open({file_name!r}).convert("RGB"))[None]  # {shape}
with torch.inference_mode():
    logits = model(picture)  # [1, {sum(heads)}]
probabilities = {softmax}"""


def _tuple(values: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ("," if len(values) == 1 else "") + ")"
