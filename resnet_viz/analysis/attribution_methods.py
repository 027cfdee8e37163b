"""The thirteen attribution methods, by Captum (Kokhlikyan et al.: Captum, 2020): one function each, one signature.

Importing captum takes seconds, so `attributions` imports this module only when a map is wanted. Two methods draw
numbers: SmoothGrad's and gradient SHAP's loops stand here, not in Captum, because Captum would draw from the dice that
the whole process shares, and hold all samples in memory at once. With the same dice the numbers are Captum's.
"""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from captum import attr
from torch import Tensor, nn

from .attribution_costs import (
    CONDUCTANCE_STEPS,
    PATCHES,
    PATH_STEPS,
    SHAP_SAMPLES,
    SMOOTHGRAD_SAMPLES,
    batch_of,
    window_of,
)

warnings.filterwarnings("ignore", r"\s*Setting (forward, )?backward hooks")  # captum says so of every single map

SEED = 0
NOISE = 0.3  # standard deviation of SmoothGrad's noise where a channel's is 1: 10 to 20 % of a picture's range
SHAP_NOISE = 0.1
SHAP_BASELINES = (-1.0, 0.0, 1.0)  # a dark, a middle and a bright picture without anything on it


def saliency(model: nn.Module, inputs: Tensor, target: int, layer: nn.Module | None, forward: Callable) -> Tensor:
    return attr.Saliency(forward).attribute(inputs, target=target)


def input_x_gradient(model, inputs, target, layer, forward) -> Tensor:
    return attr.InputXGradient(forward).attribute(inputs, target=target)


def integrated_gradients(model, inputs, target, layer, forward) -> Tensor:
    return attr.IntegratedGradients(forward).attribute(
        inputs, baselines=0.0, target=target, n_steps=PATH_STEPS, internal_batch_size=batch_of(*inputs.shape[2:]))


def _noise(inputs: Tensor, samples: int, deviation: float) -> Tensor:
    """As Captum's NoiseTunnel draws it, but from dice of our own."""
    generator = torch.Generator().manual_seed(SEED)
    spread = torch.full((samples, *inputs.shape[1:]), deviation)
    return torch.normal(0.0, spread, generator=generator).to(inputs.device)


def _gradients(forward: Callable, points: Tensor, target: int) -> Tensor:
    size = batch_of(*points.shape[2:])
    gradient = attr.Saliency(forward)
    return torch.cat([gradient.attribute(points[i:i + size].requires_grad_(), target=target, abs=False)
                      for i in range(0, len(points), size)])


def smoothgrad(model, inputs, target, layer, forward) -> Tensor:
    noisy = inputs.detach() + _noise(inputs, SMOOTHGRAD_SAMPLES, NOISE)
    return _gradients(forward, noisy, target).mean(0, keepdim=True).abs()


def guided_backprop(model, inputs, target, layer, forward) -> Tensor:
    return attr.GuidedBackprop(model).attribute(inputs, target=target)


def deconvolution(model, inputs, target, layer, forward) -> Tensor:
    return attr.Deconvolution(model).attribute(inputs, target=target)


def deeplift(model, inputs, target, layer, forward) -> Tensor:
    return attr.DeepLift(model).attribute(inputs, baselines=0.0, target=target)


def gradient_shap(model, inputs, target, layer, forward) -> Tensor:
    dice = np.random.RandomState(SEED)
    noisy = inputs.detach() + _noise(inputs, SHAP_SAMPLES, SHAP_NOISE)
    chosen = torch.tensor(SHAP_BASELINES)[torch.from_numpy(dice.choice(len(SHAP_BASELINES), SHAP_SAMPLES))]
    way = torch.from_numpy(dice.uniform(0.0, 1.0, SHAP_SAMPLES)).to(inputs)
    baseline, way = chosen.to(inputs).reshape(-1, 1, 1, 1), way.reshape(-1, 1, 1, 1)
    points = way * noisy + (1 - way) * baseline
    return ((noisy - baseline) * _gradients(forward, points, target)).mean(0, keepdim=True)


def occlusion(model, inputs, target, layer, forward) -> Tensor:
    """How far the score falls; Captum gives every channel that was covered the same number, we keep it once."""
    side, step = window_of(*inputs.shape[2:])
    with torch.no_grad():
        return attr.Occlusion(forward).attribute(
            inputs, (inputs.shape[1], side, side), strides=(inputs.shape[1], step, step), baselines=0.0, target=target,
            perturbations_per_eval=batch_of(*inputs.shape[2:]))[:, :1]


def patches_of(inputs: Tensor) -> Tensor:
    """Which patch each pixel belongs to, int64 [1, 1, H, W], numbered from 0: SLIC (Achanta et al., PAMI 2012)."""
    from skimage.segmentation import slic

    picture = inputs[0].detach().cpu().double().permute(1, 2, 0).numpy()
    found = slic(picture, PATCHES, compactness=0.1, channel_axis=-1, start_label=0, convert2lab=False)
    return torch.from_numpy(np.unique(found, return_inverse=True)[1].reshape(1, 1, *found.shape)).to(inputs.device)


def feature_ablation(model, inputs, target, layer, forward) -> Tensor:
    """How far the score falls, once for all channels as in occlusion."""
    with torch.no_grad():
        return attr.FeatureAblation(forward).attribute(
            inputs, baselines=0.0, target=target, feature_mask=patches_of(inputs),
            perturbations_per_eval=batch_of(*inputs.shape[2:]))[:, :1]


def _to_picture(maps: Tensor, inputs: Tensor) -> Tensor:
    return attr.LayerAttribution.interpolate(maps, tuple(inputs.shape[-2:]), "bilinear")


def gradcam(model, inputs, target, layer, forward) -> Tensor:
    """Also for several pictures at once: `target` is then an int64 tensor, a class for each."""
    return _to_picture(attr.LayerGradCam(forward, layer).attribute(inputs, target=target), inputs)


def guided_gradcam(model, inputs, target, layer, forward) -> Tensor:
    return attr.GuidedGradCam(model, layer).attribute(inputs, target=target, interpolate_mode="bilinear")


def layer_conductance(model, inputs, target, layer, forward) -> Tensor:
    maps = attr.LayerConductance(forward, layer).attribute(
        inputs, baselines=0.0, target=target, n_steps=CONDUCTANCE_STEPS,
        internal_batch_size=batch_of(*inputs.shape[2:]))
    return _to_picture(maps.sum(1, keepdim=True), inputs)


FUNCTIONS = {
    "saliency": saliency,
    "input-x-gradient": input_x_gradient,
    "integrated-gradients": integrated_gradients,
    "smoothgrad": smoothgrad,
    "guided-backprop": guided_backprop,
    "deconvolution": deconvolution,
    "deeplift": deeplift,
    "gradient-shap": gradient_shap,
    "occlusion": occlusion,
    "feature-ablation": feature_ablation,
    "gradcam": gradcam,
    "guided-gradcam": guided_gradcam,
    "layer-conductance": layer_conductance,
}
