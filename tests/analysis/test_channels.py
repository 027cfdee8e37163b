"""The strongest answers of a channel, against a plain pass over all pictures with torch's own operations."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from resnet_viz.analysis import architecture, channels, receptive_field
from resnet_viz.data.preprocessing import Preprocessing, normalise
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

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
    monkeypatch.setattr(channels, "BATCH_PIXELS", 7 * 16**2)  # several batches, the last one smaller
    found = channels.best_patches(model, images, PREPARED, "conv1", 3, field_of("conv1"))
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
    patch = channels.best_patches(model, images, PREPARED, layer, 5, field_of(layer), count=1)[0]
    original = images[patch.picture]
    high, wide = patch.pixels.shape[:2]
    spots = [(y, x) for y in range(17 - high) for x in range(17 - wide)
             if np.array_equal(original[:, y:y + high, x:x + wide].permute(1, 2, 0).numpy(), patch.pixels)]
    assert len(spots) == 1
    (y, x), = spots
    other = images[(patch.picture + 1) % 40].clone()
    other[:, y:y + high, x:x + wide] = original[:, y:y + high, x:x + wide]
    again = channels.best_patches(model, other[None], PREPARED, layer, 5, field_of(layer), count=1)[0]
    assert again.value >= patch.value - 1e-4


def test_the_model_is_left_as_found_also_when_stopped(model, images):
    def stop(done, total):
        raise InterruptedError

    model.train()
    try:
        with pytest.raises(InterruptedError):
            channels.best_patches(model, images, PREPARED, "conv1", 0, field_of("conv1"), progress=stop)
        assert model.training and not model.conv1._forward_hooks
    finally:
        model.eval()


@pytest.mark.parametrize("layer", ["bn1", "layer2.0.add", "fc"])
def test_the_pass_keeps_what_a_plain_sort_of_all_answers_finds(model, images, monkeypatch, layer):
    """Every channel's answers, read off without stopping, hook or batches."""
    monkeypatch.setattr(channels, "BATCH_PIXELS", 7 * 16**2)
    told = []
    found = channels.strongest(model, images, PREPARED, layer, 5, progress=lambda done, total: told.append((done, total)))
    with torch.no_grad():
        x = model.bn1(model.conv1(normalise(images, PREPARED)))
        if layer != "bn1":
            block = model.layer2[0]
            x = model.layer1(model.act1(x))
            x = block.bn2(block.conv2(block.act1(block.bn1(block.conv1(x))))) + block.downsample(x)
        if layer == "fc":
            x = model(normalise(images, PREPARED))[:, :, None, None]
    best = x.flatten(2).max(dim=2).values
    order = best.sort(dim=0, descending=True)
    assert np.array_equal(found.pictures, order.indices[:5].T.numpy())
    assert found.values == pytest.approx(order.values[:5].T.numpy(), rel=1e-4, abs=1e-5)
    assert np.array_equal(found.answered, (best > 0).sum(dim=0).numpy())
    rows, columns = torch.from_numpy(found.rows), torch.from_numpy(found.columns)
    there = x[torch.from_numpy(found.pictures), torch.arange(x.shape[1])[:, None], rows, columns]
    assert found.values == pytest.approx(there.numpy(), rel=1e-4, abs=1e-5)
    assert found.seen == 40 and told[-1] == (40, 40) and len(told) == 6


def test_a_pass_that_was_stopped_goes_on_where_it_was(model, images):
    part = channels.with_more(None, model, images[:11], PREPARED, "bn1")
    assert part.seen == 11 and part.values.shape == (16, 9)
    whole = channels.with_more(part, model, images[11:], PREPARED, "bn1")
    once = channels.strongest(model, images, PREPARED, "bn1")
    assert np.array_equal(whole.pictures, once.pictures) and np.array_equal(whole.answered, once.answered)


def test_damaged_weights_are_said_and_an_unknown_layer_is_refused(images):
    broken = zoo.build("resnet8")
    broken.conv1.weight.data[0, 0, 0, 0] = float("nan")
    with pytest.raises(Problem, match="damaged"):
        channels.strongest(broken, images, PREPARED, "bn1")
    with pytest.raises(Problem, match="Unknown layer"):
        channels.strongest(broken, images, PREPARED, "conv7")
    assert broken.training and not broken.bn1._forward_hooks


def test_a_patch_is_the_picture_around_its_unit_and_clear_beyond_the_border(model, images):
    field = field_of("conv1")
    found = channels.strongest(model, images, PREPARED, "conv1")
    seen = channels.patches(found, images, 16, 3, field)
    assert seen.shape == (9, 3, 3, 4)
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1))
    clear = torch.nn.functional.pad(torch.full((16, 16), 255), (1, 1, 1, 1))
    for tile, picture, row, column in zip(seen, found.pictures[3], found.rows[3], found.columns[3]):
        around = (slice(row, row + 3), slice(column, column + 3))
        assert np.array_equal(tile[..., :3].transpose(2, 0, 1), padded[picture, :, *around].numpy())
        assert np.array_equal(tile[..., 3], clear[around].numpy())
    whole = channels.patches(channels.strongest(model, images, PREPARED, "fc"), images, 16, 0, field_of("fc"))
    assert whole.shape == (9, 16, 16, 4) and whole[..., 3].min() == 255


@pytest.mark.parametrize(("network", "first", "count", "shown"), [
    ("resnet20", "bn1", 1 + 9 * 2 + 1, "layer1.2.add"), ("plain20", "bn1", 20, "layer1.2.bn2"),
    ("simple-cnn", "bn1", 3, "bn2"), ("hw4-resnet", "conv1", 1 + 2 * 12 + 1, "layer2.0.bn1")])
def test_the_layers_to_ask_stand_before_an_activation(network, first, count, shown):
    offered = channels.layers(architecture.summary(network, {}, 32).layers)
    assert offered[0].name == first and offered[-1].name == "fc"
    assert not [layer for layer in offered if "act" in layer.name]
    assert len(offered) == count
    assert channels.first_to_show(offered, 32).name == shown


def test_squares_are_cut_without_overlap():
    photograph = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8))
    found = channels.squares(photograph, 8)
    assert found.shape == (8 * 10, 3, 8, 8)  # the shorter side is eight squares long: no resize here
    assert np.array_equal(found[11].permute(1, 2, 0).numpy(), np.asarray(photograph)[8:16, 8:16])
