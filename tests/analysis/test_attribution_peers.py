"""Grad-CAM beside another implementation of it: pytorch-grad-cam, on torchvision's networks with the same weights."""

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from scipy.stats import spearmanr

from resnet_viz.analysis import attributions

from .test_attributions import twins

PICTURE = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(3))


@pytest.mark.short(2)
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
@pytest.mark.parametrize("stage", ["layer2", "layer3", "layer4"])
def test_grad_cam_ranks_as_pytorch_grad_cams_does(name, stage):
    ours, theirs = twins(name)
    heats = attributions.gradcams(ours, PICTURE.repeat(10, 1, 1, 1), range(10), stage)
    target = int((heats > 0).mean(axis=(1, 2)).argmax())  # the class with the largest part above 0, which it keeps
    with GradCAM(model=theirs, target_layers=[getattr(theirs, stage)[-1]]) as camera:
        expected = camera(input_tensor=PICTURE, targets=[ClassifierOutputTarget(target)])[0]
    kept = np.maximum(heats[target], 0)
    assert (kept > 0).mean() > 0.2
    assert spearmanr(kept.ravel(), expected.ravel()).statistic > 0.99
