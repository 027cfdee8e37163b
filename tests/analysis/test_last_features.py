"""The map of the last features: PCA as scikit-learn has it, t-SNE keeps groups together, thumbnails keep their
colours."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from resnet_viz.analysis import last_features

RANDOM = np.random.default_rng(0)
GROUPS = np.repeat(np.arange(3), 40)
FEATURES = RANDOM.normal(0, 1, (120, 20)) + 6 * np.eye(20)[GROUPS]


@pytest.mark.parametrize("width", [20, 500])  # more numbers than pictures go another way
def test_pca_is_scikit_learns(width):
    features = FEATURES if width == 20 else np.concatenate([FEATURES, RANDOM.normal(0, 0.3, (120, 480))], axis=1)
    places, shares = last_features.components(features, 3)
    reference = PCA(3, svd_solver="full").fit(features)
    assert np.allclose(np.abs(places), np.abs(reference.transform(features)), atol=1e-6)
    assert np.allclose(shares, reference.explained_variance_ratio_)
    assert all(column[np.abs(column).argmax()] > 0 for column in places.T)


def test_fewer_directions_than_asked_for():
    places, shares = last_features.components(np.array([[1.0], [3.0]]), 2)
    assert np.allclose(np.abs(places[:, 0]), 1) and not places[:, 1].any() and shares.tolist() == [1, 0]
    assert not last_features.components(np.ones((5, 3)), 2)[0].any()


def test_tsne_keeps_neighbours_and_is_the_same_every_time():
    places = last_features.tsne(FEATURES)
    assert places.shape == (120, 2) and np.array_equal(places, last_features.tsne(FEATURES))
    assert trustworthiness(FEATURES, places) > 0.8
    middle = last_features.middles(places, GROUPS, 4)
    own = np.linalg.norm(places - middle[GROUPS], axis=1)
    other = np.linalg.norm(places - middle[(GROUPS + 1) % 3], axis=1)
    assert (own < other).mean() > 0.97 and np.isnan(middle[3]).all()


def test_tsne_of_almost_nothing():
    assert last_features.tsne(FEATURES[:2]).shape == (2, 2)
    assert last_features.tsne(FEATURES[:5]).shape == (5, 2)
    assert not last_features.tsne(np.ones((9, 4))).any()


def test_thumbnails_keep_their_colours():
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    assert np.array_equal(last_features.thumbnails(images, 40), images.permute(0, 2, 3, 1).numpy())
    small = last_features.thumbnails(images[:, :1], 8)
    expected = images[:, 0].reshape(3, 8, 4, 8, 4).float().mean((2, 4)).round().numpy()
    assert small.shape == (3, 8, 8, 3) and np.array_equal(small[..., 1], expected)
