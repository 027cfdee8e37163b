"""How finely the attribution methods look, and so what they cost: pictures that go through the network for one map."""

from dataclasses import dataclass

BATCH_PIXELS = 200_704  # four pictures of 224 x 224 at a time: a gradient through ResNet-152 stores 170 MiB of each
SMOOTHGRAD_SAMPLES, SHAP_SAMPLES = 24, 24
PATH_STEPS, CONDUCTANCE_STEPS = 50, 24
PATCHES = 64  # about so many, for feature ablation
WINDOW, STRIDE = 1 / 8, 1 / 16  # of the picture's side: what occlusion covers, and how far it moves


@dataclass(frozen=True)
class Speed:
    """Seconds that a picture takes through the network: alone, and as one more of a batch."""

    first_s: float
    more_s: float


def batch_of(height: int, width: int) -> int:
    """Pictures of that size at a time, so that memory is bounded."""
    return max(1, BATCH_PIXELS // (height * width))


def window_of(height: int, width: int) -> tuple[int, int]:
    """(side of the square that covers the picture, pixels that it moves at a time)."""
    side = min(height, width)
    return max(1, round(side * WINDOW)), max(1, round(side * STRIDE))


def passes(method: str, height: int, width: int) -> int:
    """About how many pictures go through the network for one map."""
    side, step = window_of(height, width)
    places = (-(-(height - side) // step) + 1) * (-(-(width - side) // step) + 1)
    return {"integrated-gradients": PATH_STEPS, "smoothgrad": SMOOTHGRAD_SAMPLES, "deeplift": 2,
            "gradient-shap": SHAP_SAMPLES, "occlusion": 1 + places, "feature-ablation": 1 + PATCHES,
            "guided-gradcam": 2, "layer-conductance": 1 + CONDUCTANCE_STEPS}.get(method, 1)
