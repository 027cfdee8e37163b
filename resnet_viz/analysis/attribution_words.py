"""Attribution maps in words: where they are strong, what they cost, how they are made, and the lines that made them."""

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np

from .attribution_costs import Speed, passes
from .attribution_sanity import Gap
from .attributions import METHODS

PLACES = (("upper left", "upper middle", "upper right"), ("middle left", "centre", "middle right"),
          ("lower left", "lower middle", "lower right"))
FORWARD_ONLY = ("occlusion", "feature-ablation")
BACK = 3  # a pass forward and back costs about three forward
FORMULAS = {
    "saliency": r"A_p = \sum_c \left| \frac{\partial S}{\partial x_{c,p}} \right|",
    "input-x-gradient": r"A_p = \sum_c x_{c,p} \, \frac{\partial S}{\partial x_{c,p}}",
    "integrated-gradients": r"A_p = \sum_c x_{c,p} \int_0^1 \frac{\partial S(\alpha x)}{\partial x_{c,p}} \, d\alpha"
                            r" \;\approx\; \sum_c x_{c,p} \sum_{i=1}^{50} w_i \,"
                            r"\frac{\partial S(\alpha_i x)}{\partial x_{c,p}}",
    "smoothgrad": r"A_p = \sum_c \left| \frac{1}{24} \sum_{i=1}^{24} \frac{\partial S(x + \varepsilon_i)}"
                  r"{\partial x_{c,p}} \right|, \quad \varepsilon_i \sim \mathcal{N}(0,\, 0.3^2)",
    "guided-backprop": r"\text{at every ReLU:}\quad g_{\text{in}} = g_{\text{out}} \cdot [x > 0] \cdot "
                       r"[g_{\text{out}} > 0]",
    "deconvolution": r"\text{at every ReLU:}\quad g_{\text{in}} = g_{\text{out}} \cdot [g_{\text{out}} > 0]",
    "deeplift": r"\text{at every ReLU:}\quad m = \frac{\Delta y}{\Delta x}, \qquad A_p = \sum_c x_{c,p} \, m_{c,p}",
    "gradient-shap": r"A_p = \frac{1}{24} \sum_{i=1}^{24} \sum_c (x + \varepsilon_i - b_i)_{c,p} \,"
                     r"\frac{\partial S}{\partial x_{c,p}} \big( b_i + \alpha_i (x + \varepsilon_i - b_i) \big)",
    "occlusion": r"A_p = \text{mean over the squares on } p \text{ of } S(x) - S(x \text{ with that square grey})",
    "feature-ablation": r"A_p = S(x) - S(x \text{ with the patch of } p \text{ grey})",
    "gradcam": r"A = \sum_k \alpha_k \, a_k, \qquad \alpha_k = \frac{1}{HW} \sum_{y,x} "
               r"\frac{\partial S}{\partial a_{k,y,x}}",
    "guided-gradcam": r"A = \text{guided backprop} \times \max(0,\, \text{Grad-CAM})",
    "layer-conductance": r"A = \sum_k \int_0^1 \frac{\partial S(\alpha x)}{\partial a_k} \,"
                         r"\frac{\partial a_k(\alpha x)}{\partial \alpha} \, d\alpha",
}


def strongest(heat: np.ndarray) -> tuple[str, float] | None:
    """(which ninth of the picture holds most of what is above 0, its share 0..1); None where nothing is above 0."""
    above = np.clip(heat, 0, None).astype(np.float64)
    if not above.sum() > 0:
        return None
    rows, columns = (np.arange(n) * 3 // n for n in heat.shape)
    sums = np.array([[above[np.ix_(rows == i, columns == j)].sum() for j in range(3)] for i in range(3)])
    place = np.unravel_index(sums.argmax(), sums.shape)
    return PLACES[place[0]][place[1]], float(sums[place] / above.sum())


def finding(method: str, label: str, heat: np.ndarray) -> str:
    """What the map says, for who cannot see it."""
    title, found = METHODS[method].title, strongest(heat)
    if found is None:
        against = "; all of it speaks against it" if heat.any() else ""
        return f"{title}: nothing in the picture speaks for {label}{against}"
    what = f"of what speaks for {label}" if METHODS[method].signed else f"of what counts for {label}"
    return f"{title}: {found[1]:.0%} {what} lies in the {found[0]} ninth of the picture"


def seconds(method: str, height: int, width: int, speed: Speed) -> float:
    """About how long one map takes."""
    pictures = passes(method, height, width)
    return (speed.first_s + (pictures - 1) * speed.more_s) * (1 if method in FORWARD_ONLY else BACK)


def duration(seconds: float) -> str:
    """ "under a second", "about 12 s", "about 4 minutes"."""
    if seconds < 1:
        return "under a second"
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} minutes"


def completeness(found: Gap, label: str) -> str:
    """What a complete map adds up to, beside what it should."""
    wanted = found.score - found.of_grey
    share = f" ({abs(found.missing / wanted):.1%} of it)" if wanted else ""
    return (f"The map adds up to {found.total:.2f}. The score (logit) of {label} is {found.score:.2f}, that of a flat "
            f"grey picture {found.of_grey:.2f}: {wanted:.2f} were to be shared out, so the gap is "
            f"{found.missing:.2f}{share}.")


def likely_class(classes: Sequence[str] | None, name: str) -> int | None:
    """The class that a picture's name gives away, e.g. "Cat" or "n02123045_tabby.JPEG"; None where it gives none."""
    words = " " + PurePath(name).stem.replace("_", " ").replace("-", " ").casefold()
    fitting = [(len(label), i) for i, label in enumerate(classes or ()) if words.endswith(f" {label.casefold()}")]
    return max(fitting)[1] if fitting else None


def trust(method: str, likeness: float) -> str:
    """What it means how much a map is like that of the twin which learned nothing."""
    title = METHODS[method].title
    if likeness > 0.6:
        return f"{title} draws nearly the same where nothing was learned: it shows the picture more than the network."
    if likeness > 0.3:
        return f"{title} depends on what was learned, but much of it comes from the picture alone."
    return f"{title} depends on what was learned: without it, another map."


def code(reference: str, method: str, label: str, index: int, layer: str | None) -> str:
    """The lines that make the map."""
    where = f', layer="{layer}"' if METHODS[method].of_layer and layer else ""
    return (f"from resnet_viz import checkpoints\nfrom resnet_viz.analysis.attributions import attribute\n"
            f"from resnet_viz.data.preprocessing import see\n\n"
            f'checkpoint = checkpoints.read(checkpoints.find("{reference}"))\n'
            f"model = checkpoints.model(checkpoint)\n"
            f"tensor = see(picture, checkpoint.preprocessing).tensor  # picture: PIL, RGB\n"
            f'heat = attribute(model, tensor, "{method}", target={index}{where})  # {label}; float32 [H, W], by Captum')


def command(reference: str, method: str, index: int, layer: str | None) -> str:
    """The same without a browser."""
    where = f" --layer {layer}" if METHODS[method].of_layer and layer else ""
    return f"python -m resnet_viz explain {reference} PICTURE --method {method}{where} --target {index} --out map.png"
