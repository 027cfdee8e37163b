"""The generated letters: three labels each, reproducible, independent of one another, and learnable."""

import pytest
import torch

from resnet_viz.data import glyphs


@pytest.fixture(scope="module")
def train():
    return glyphs.read("train")


@pytest.fixture(scope="module")
def test():
    return glyphs.read("test")


@pytest.mark.parametrize(("split", "each"), [("test", 12), pytest.param("train", 60, marks=pytest.mark.hard)])
def test_three_labels_in_the_order_of_the_article(request, split, each):
    part = request.getfixturevalue(split)
    assert part.images.shape == (168 * each, 1, 64, 64)
    assert part.heads == (168, 11, 7) and len(set(part.classes)) == len(part.classes) == 186
    assert part.classes[168] == "no vowel sign" and part.classes[179] == "no consonant sign"
    assert part.labels[:, 0].bincount().tolist() == [each] * 168
    assert part.labels[:, 1].bincount().shape == (11,) and part.labels[:, 2].bincount().shape == (7,)


def test_the_same_seed_gives_the_same_letters_and_another_alphabet_another_seed(test):
    again, other = glyphs.read("test"), glyphs.read("test", seed=1)
    assert torch.equal(again.images, test.images) and torch.equal(again.labels, test.labels)
    assert not any(torch.equal(a, b) for a, b in zip(glyphs._alphabet(0)[0], glyphs._alphabet(1)[0]))
    assert len({bytes(row) for part in (test, other) for row in part.images.flatten(1).numpy()}) == 4_032


@pytest.mark.hard
def test_the_signs_do_not_give_the_root_away(train):
    root, vowel, consonant = train.labels.T
    table = torch.zeros(11, 7).index_put((vowel, consonant), torch.ones(len(root)), accumulate=True)
    expected = table.sum(1, keepdim=True) * table.sum(0) / table.sum()
    assert ((table - expected) ** 2 / expected).sum() < 100         # chi-squared with 60 degrees: 99.9 % are below 100
    mean_sign = torch.zeros(168).index_add(0, root, vowel.float()) / 60
    assert (mean_sign - 5).abs().max() < 5 * (10 / 60) ** 0.5       # the mean of 60 from 0..10 has a spread of 0.41


def test_no_two_roots_look_alike():
    roots = (glyphs._alphabet(0)[0] < glyphs.BROAD_PEN).float().flatten(1)
    both = roots @ roots.T
    overlap = both / (roots.sum(1)[:, None] + roots.sum(1)[None] - both)
    assert overlap.fill_diagonal_(0).max() < 0.6


def test_dark_ink_on_light_paper(test):
    images = test.images.float().flatten(1)
    paper, ink = images.quantile(0.9, 1), images.quantile(0.02, 1)
    assert (paper - ink > 50).all() and (images < ((paper + ink) / 2)[:, None]).float().mean() < 0.35


@pytest.mark.hard
def test_a_linear_view_reads_all_three_labels_far_better_than_chance(train, test):
    small = [torch.nn.functional.avg_pool2d(part.images.float() / 255, 4).flatten(1) for part in (train, test)]
    mean = small[0].mean(0)
    x_train, x_test = (torch.cat([x - mean, torch.ones(len(x), 1)], 1) for x in small)
    ridge = torch.linalg.inv(x_train.T @ x_train + 10 * torch.eye(257))
    for head, (classes, least) in enumerate(zip(train.heads, (0.1, 0.25, 0.35))):
        target = torch.nn.functional.one_hot(train.labels[:, head], classes).float()
        said = (x_test @ (ridge @ (x_train.T @ target))).argmax(1)
        accuracy = (said == test.labels[:, head]).float().mean().item()
        print(f"head {head}: {accuracy:.1%}, chance {1 / classes:.1%}")
        assert accuracy > least > 2 / classes
