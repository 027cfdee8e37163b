"""Captum called directly, as its documentation says, on torchvision's networks: what our maps are compared with."""

from types import MethodType

import numpy as np
import torch
import torchvision
from captum import attr
from torch import nn

from resnet_viz.analysis.attribution_methods import patches_of


def with_relus_of_their_own(model: nn.Module) -> nn.Module:
    """torchvision's ResNet whose blocks have a ReLU module for each call: DeepLift is wrong on it otherwise."""
    def basic(self, x):
        out = self.relu_a(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu_z(out + (x if self.downsample is None else self.downsample(x)))

    def bottleneck(self, x):
        out = self.relu_a(self.bn1(self.conv1(x)))
        out = self.relu_b(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu_z(out + (x if self.downsample is None else self.downsample(x)))

    forwards = {torchvision.models.resnet.BasicBlock: basic, torchvision.models.resnet.Bottleneck: bottleneck}
    for block in [module for module in model.modules() if type(module) in forwards]:
        block.relu_a, block.relu_b, block.relu_z = nn.ReLU(), nn.ReLU(), nn.ReLU()
        block.forward = MethodType(forwards[type(block)], block)
    model.relu = nn.ReLU()
    return model


def _small(x, share):
    return max(1, round(x.shape[-1] * share))


def _up(maps, x):
    return nn.functional.interpolate(maps, x.shape[-2:], mode="bilinear")


def smoothgrad(model, x, target, layer):
    torch.manual_seed(0)
    mean = attr.NoiseTunnel(attr.Saliency(model)).attribute(x, nt_samples=24, stdevs=0.3, target=target, abs=False)
    return mean.abs()


def gradient_shap(model, x, target, layer):
    torch.manual_seed(0)
    np.random.seed(0)
    flat = torch.cat([torch.full_like(x, grey) for grey in (-1.0, 0.0, 1.0)])
    return attr.GradientShap(model).attribute(x, flat, n_samples=24, stdevs=0.1, target=target)


def occlusion(model, x, target, layer):
    side, step = _small(x, 1 / 8), _small(x, 1 / 16)
    return attr.Occlusion(model).attribute(x, (3, side, side), (3, step, step), baselines=0, target=target)[:, :1]


REFERENCES = {
    "saliency": lambda m, x, t, layer: attr.Saliency(m).attribute(x, target=t),
    "input-x-gradient": lambda m, x, t, layer: attr.InputXGradient(m).attribute(x, target=t),
    "integrated-gradients": lambda m, x, t, layer: attr.IntegratedGradients(m).attribute(x, target=t, n_steps=50),
    "smoothgrad": smoothgrad,
    "guided-backprop": lambda m, x, t, layer: attr.GuidedBackprop(m).attribute(x, target=t),
    "deconvolution": lambda m, x, t, layer: attr.Deconvolution(m).attribute(x, target=t),
    "deeplift": lambda m, x, t, layer: attr.DeepLift(m).attribute(x, target=t),
    "gradient-shap": gradient_shap,
    "occlusion": occlusion,
    "feature-ablation": lambda m, x, t, layer:
    attr.FeatureAblation(m).attribute(x, target=t, feature_mask=patches_of(x))[:, :1],
    "gradcam": lambda m, x, t, layer: _up(attr.LayerGradCam(m, layer).attribute(x, target=t), x),
    "guided-gradcam": lambda m, x, t, layer: attr.GuidedGradCam(m, layer).attribute(
        x, target=t, interpolate_mode="bilinear"),
    "layer-conductance": lambda m, x, t, layer: _up(
        attr.LayerConductance(m, layer).attribute(x, target=t, n_steps=24).sum(1, keepdim=True), x),
}
