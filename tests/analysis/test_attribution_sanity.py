"""The twin that learned nothing, likeness against scipy, deletion step by step, and maps that add up."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from resnet_viz.analysis import attribution_sanity as sanity
from resnet_viz.analysis import attributions
from resnet_viz.data.preprocessing import Preprocessing, denormalise
from resnet_viz.networks import zoo

from ..foreign_networks import randomised
from .test_attributions import assert_as_found, state_of

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return randomised(zoo.build("resnet8"))


@pytest.fixture(scope="module")
def picture():
    return torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(3))


def test_the_twin_has_the_same_numbers_in_other_places(model):
    before = state_of(model)
    other = sanity.twin(model)
    assert_as_found(model, before)
    for (name, ours), theirs in zip(model.state_dict().items(), other.state_dict().values()):
        assert ours.data_ptr() != theirs.data_ptr()
        assert torch.equal(ours.flatten().sort().values, theirs.flatten().sort().values)
        assert ours.numel() == 1 or not torch.equal(ours, theirs), name
    again = sanity.twin(model)
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), other.state_dict().values()))
    assert not torch.equal(sanity.twin(model, 1).conv1.weight, other.conv1.weight)


def test_likeness_is_spearmans_rank_correlation_of_the_absolute_maps():
    one, other = RNG.normal(size=(9, 7)), RNG.integers(-3, 4, size=(9, 7))  # the second has many ties
    expected = spearmanr(np.abs(one).ravel(), np.abs(other).ravel()).statistic
    assert sanity.likeness(one, other) == pytest.approx(expected)
    assert sanity.likeness(one, -2 * one) == pytest.approx(1)
    assert sanity.likeness(one, np.ones((9, 7))) == 0


def test_deletion_paints_the_strongest_first(model, picture):
    heat = RNG.normal(size=(32, 32))
    before = state_of(model)
    found = sanity.deletion(model, picture, {"mine": heat, "against": -heat}, 3)
    assert_as_found(model, before)
    assert list(found.curves) == ["mine", "against"] and found.shares[[0, -1]].tolist() == [0, 1]
    for step in (0, 7, 20):
        threshold = np.sort(heat.ravel())[::-1][round(found.shares[step] * 1024) - 1] if step else np.inf
        pixels = picture * torch.from_numpy(heat < threshold).float()
        with torch.no_grad():
            expected = model(pixels).softmax(1)[0, 3].item()
        assert found.curves["mine"][step] == pytest.approx(expected, abs=1e-5)
        recipe = Preprocessing(32, 32, (0.5,) * 3, (0.25,) * 3)
        shown = sanity.stages(picture, heat, [found.shares[step]], recipe)[0]
        np.testing.assert_array_equal(shown, denormalise(pixels, recipe)[0].permute(1, 2, 0).numpy())
    ends = np.array([*found.chance.values(), *found.curves.values()])[:, [0, -1]]
    np.testing.assert_allclose(ends, ends[:1].repeat(4, axis=0), atol=1e-6)  # all or nothing looks the same for each


def test_the_area_is_the_mean_height():
    shares = np.linspace(0, 1, 5)
    found = sanity.Deletion(shares, {"a": 1 - shares, "b": np.ones(5)}, {sanity.PIXELS: np.zeros(5)})
    assert [found.area("a"), found.area("b"), found.area(sanity.PIXELS)] == pytest.approx([0.5, 1, 0])


def test_random_orders_take_every_pixel_once_and_patches_whole():
    orders = sanity._random_orders(32, 32)
    assert len(orders) == 2 * sanity.RANDOM_ORDERS
    assert all(sorted(order) == list(range(1024)) for order in orders.values())
    for number in range(sanity.RANDOM_ORDERS):
        patches = orders[sanity.PATCHES, number].reshape(64, 16)  # 64 patches of 4 x 4 pixels, one after the other
        corner = patches[:, :1]
        assert np.array_equal(patches, corner + [32 * y + x for y in range(4) for x in range(4)])
        assert not (corner % 4).any()


def test_deletion_within_one_head_of_several(picture):
    torch.manual_seed(0)
    model = randomised(zoo.build("resnet8", {"heads": [4, 3]}))
    found = sanity.deletion(model, picture, {"a": RNG.normal(size=(32, 32))}, 5, (4, 3))
    with torch.no_grad():
        assert found.curves["a"][0] == pytest.approx(model(picture)[0, 4:].softmax(0)[1].item(), abs=1e-6)


@pytest.mark.parametrize(("method", "allowed"), [("integrated-gradients", 0.05), ("deeplift", 1e-3)])
def test_complete_methods_add_up(model, picture, method, allowed):
    heat = attributions.attribute(model, picture, method, 2)
    assert attributions.METHODS[method].complete
    found = sanity.gap(model, picture, heat, 2)
    with torch.no_grad():
        score, grey = model(picture)[0, 2].item(), model(torch.zeros_like(picture))[0, 2].item()
    assert (found.score, found.of_grey) == pytest.approx((score, grey), abs=1e-5)
    assert found.missing == pytest.approx(score - grey - heat.sum(), abs=1e-4)
    assert abs(score - grey - heat.sum()) < allowed * max(1, abs(score - grey))
