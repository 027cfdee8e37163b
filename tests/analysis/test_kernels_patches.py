"""The strongest answers of a channel, against a plain pass over all pictures with torch's own operations."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from resnet_viz.analysis import architecture, kernels_patches, receptive_field
from resnet_viz.data.preprocessing import Preprocessing, normalise
from resnet_viz.networks import zoo

PREPARED = Preprocessing(16, 16, (0.5, 0.4, 0.3), (0.2, 0.3, 0.2))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return zoo.build("resnet8").eval()


@pytest.fixture(scope="module")
def images():
    return torch.randint(0, 256, (40, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def field_of(layer: str):
    layers = architecture.summary("resnet8", {}, 16).layers
    return next(field for one, field in zip(layers, receptive_field.fields(layers)) if one.name == layer)


def test_the_first_layers_patch_gives_its_value(model, images, monkeypatch):
    """The filter laid on the patch is the answer; and no other spot of any picture answers more."""
    monkeypatch.setattr(kernels_patches, "BATCH_PIXELS", 7 * 16**2)  # several batches, the last one smaller
    found = kernels_patches.best_patches(model, images, PREPARED, "conv1", 3, field_of("conv1"))
    with torch.no_grad():
        best = F.conv2d(normalise(images, PREPARED), model.conv1.weight[3:4], padding=1).flatten(1).max(dim=1).values.sort(descending=True)
    assert [patch.picture for patch in found] == best.indices[:9].tolist()
    assert [patch.value for patch in found] == pytest.approx(best.values[:9].tolist(), rel=1e-5)
    whole = [patch for patch in found if patch.pixels.shape == (3, 3, 3)]
    assert len(whole) >= 3  # the others lie on a border
    for patch in whole:
        prepared = normalise(torch.from_numpy(patch.pixels.copy()).permute(2, 0, 1)[None], PREPARED)[0]
        assert float((prepared * model.conv1.weight[3].detach()).sum()) == pytest.approx(patch.value, rel=1e-4)


def test_what_is_outside_the_patch_of_a_deep_unit_does_not_matter(model, images):
    layer = "layer1.0.conv2"
    patch = kernels_patches.best_patches(model, images, PREPARED, layer, 5, field_of(layer), count=1)[0]
    original = images[patch.picture]
    high, wide = patch.pixels.shape[:2]
    spots = [(y, x) for y in range(17 - high) for x in range(17 - wide)
             if np.array_equal(original[:, y:y + high, x:x + wide].permute(1, 2, 0).numpy(), patch.pixels)]
    assert len(spots) == 1
    (y, x), = spots
    other = images[(patch.picture + 1) % 40].clone()
    other[:, y:y + high, x:x + wide] = original[:, y:y + high, x:x + wide]
    again = kernels_patches.best_patches(model, other[None], PREPARED, layer, 5, field_of(layer), count=1)[0]
    assert again.value >= patch.value - 1e-4


def test_the_model_is_left_as_found_also_when_stopped(model, images):
    def stop(done, total):
        raise InterruptedError

    model.train()
    try:
        with pytest.raises(InterruptedError):
            kernels_patches.best_patches(model, images, PREPARED, "conv1", 0, field_of("conv1"), progress=stop)
        assert model.training and not model.conv1._forward_hooks
    finally:
        model.eval()


def test_squares_are_cut_without_overlap():
    photograph = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8))
    found = kernels_patches.squares([photograph], 8)
    assert found.shape == (8 * 10, 3, 8, 8)  # the shorter side is eight squares long: no resize here
    assert np.array_equal(found[11].permute(1, 2, 0).numpy(), np.asarray(photograph)[8:16, 8:16])
