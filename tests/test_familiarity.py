"""How strange a picture looks: the score by its definition, the threshold, the file, and what a bundled run catches."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from torch import nn

from resnet_viz import checkpoints, familiarity, runs
from resnet_viz.__main__ import main
from resnet_viz.data import examples, sources, unlike
from resnet_viz.data.preprocessing import Preprocessing, normalise
from resnet_viz.problems import Problem

RECIPE = Preprocessing(12, 12, (0.5, 0.4, 0.3), (0.2, 0.3, 0.25))


class Two(nn.Module):
    """Two convolutions one after the other: small enough to work out by hand."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)
        self.fc = nn.Linear(5, 6)

    def forward(self, x):
        return self.fc(self.second(self.first(x).relu()).mean((2, 3)))


@pytest.fixture(scope="module")
def fitted():
    torch.manual_seed(0)
    model = Two()
    splits = [torch.randint(60, 200, (n, 3, 12, 12), dtype=torch.uint8) for n in (80, 100, 40)]
    return model, splits, familiarity.fit(model, RECIPE, *splits)


def by_hand(model, splits, pictures) -> np.ndarray:
    """The docstring's definition without hooks, the distance by SciPy."""

    def parts(images):
        with torch.no_grad():
            first = model.first(normalise(images, RECIPE))
            maps = [first.double().flatten(2).numpy(), model.second(first.relu()).double().flatten(2).numpy()]
        return [np.concatenate([m.mean(2), np.log(m.std(2))], axis=1) for m in maps]

    found = []
    for known, readings in zip(parts(splits[0]), parts(pictures)):
        ridge = familiarity.RIDGE * np.diag(known.var(0))
        inverse = np.linalg.inv(np.cov(known.T, bias=True) + ridge)

        def log_distance(rows):
            return np.array([np.log(mahalanobis(row, known.mean(0), inverse) ** 2 / len(row)) for row in rows])

        usual = log_distance(known)
        found.append((log_distance(readings) - usual.mean()) / usual.std())
    return np.max(found, axis=0)


def test_strangeness_is_what_its_definition_says(fitted):
    model, splits, familiar = fitted
    for pictures in (splits[2], unlike.noise(20, 3, 12, torch.Generator().manual_seed(3))):
        found = familiarity.strangeness(model, normalise(pictures, RECIPE), familiar)
        assert np.allclose(found, by_hand(model, splits, pictures), atol=2e-3)


def test_five_in_a_hundred_validation_pictures_lie_beyond(fitted):
    model, splits, familiar = fitted
    assert np.allclose(familiar.validation, np.sort(by_hand(model, splits, splits[1])), atol=2e-3)
    assert (familiar.validation > familiar.threshold).sum() == 5 and len(familiar.validation) == 100
    test = by_hand(model, splits, splits[2])
    assert familiar.false_alarms == pytest.approx((test > familiar.threshold).mean(), abs=1 / 40)
    assert set(familiar.caught) == set(unlike.KINDS) and familiar.caught["flat colour"] > 0.8


def test_a_caution_says_how_many_are_as_strange(fitted):
    familiar = replace(fitted[2], validation=np.arange(100, dtype=np.float32), threshold=94.05)
    assert familiarity.caution(familiar, 94) == familiarity.Caution(94, 0.06, False)
    assert familiarity.caution(familiar, 95) == familiarity.Caution(95, 0.05, True)
    assert familiarity.caution(familiar, 1e9).share == 0 and familiarity.caution(familiar, -1e9).share == 1


def test_too_few_pictures_have_no_tail(fitted):
    model, splits, _ = fitted
    assert familiarity.fit(model, RECIPE, splits[0], splits[1][:19], splits[2]) is None


def test_the_model_is_left_as_found_also_after_an_exception(fitted):
    _, splits, familiar = fitted
    model = Two().train()
    good, model.fc = model.fc, nn.Linear(7, 6)
    with pytest.raises(RuntimeError):
        familiarity.fit(model, RECIPE, *splits)
    assert model.training and not any(m._forward_hooks for m in model.modules())
    model.fc = good
    familiarity.fit(model, RECIPE, *splits)
    assert model.training and not any(m._forward_hooks for m in model.modules())
    assert all(p.grad is None for p in model.parameters())


def test_the_file_comes_back_and_a_damaged_one_is_a_sentence(fitted, tmp_path):
    model, splits, familiar = fitted
    assert familiarity.read(tmp_path) is None
    familiarity.write(tmp_path, familiar)
    back = familiarity.read(tmp_path)
    inputs = normalise(splits[2], RECIPE)
    assert np.allclose(familiarity.strangeness(model, inputs, back),
                       familiarity.strangeness(model, inputs, familiar), atol=1e-5)
    assert (back.threshold, back.false_alarms, back.caught) == (familiar.threshold, familiar.false_alarms, familiar.caught)
    with pytest.raises(Problem, match="another network"):
        familiarity.strangeness(nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(200, 6)), inputs, back)
    (tmp_path / familiarity.FILE).write_bytes(b"half a fi")
    with pytest.raises(Problem, match="cannot be read"):
        familiarity.read(tmp_path)
    familiarity.write(tmp_path, replace(familiar, inverse=familiar.inverse[1:]))
    with pytest.raises(Problem, match="cannot be read"):
        familiarity.read(tmp_path)


@pytest.mark.parametrize("name", checkpoints.bundled())
def test_every_bundled_run_has_its_own(name):
    checkpoint = checkpoints.read(checkpoints.find(name))
    familiar = familiarity.of(checkpoint)
    assert familiar is not None and familiar.false_alarms <= 0.08 and min(familiar.caught.values()) >= 0.8
    if initial := runs.weights_file(checkpoint.run, "initial"):
        assert familiarity.of(checkpoints.read(initial)) is None, "other weights, other habits"
    assert familiarity.of(replace(checkpoint, run=None)) is None


@pytest.mark.parametrize("name", ["resnet20-cifar10-jpeg", "resnet20-stem7-shapes"])
def test_noise_flat_colours_and_text_are_cautioned(name):
    """Pictures drawn anew, not those that the run's own figures were counted on."""
    checkpoint = checkpoints.read(checkpoints.find(name))
    model, familiar, recipe = checkpoints.model(checkpoint), familiarity.of(checkpoint), checkpoint.preprocessing
    for kind, draw in unlike.KINDS.items():
        pictures = draw(30, recipe.channels, recipe.size, torch.Generator().manual_seed(77))
        found = familiarity.strangeness(model, normalise(pictures, recipe), familiar)
        assert (found > familiar.threshold).mean() >= 0.8, kind


def test_pictures_of_its_classes_are_rarely_cautioned():
    checkpoint = checkpoints.read(checkpoints.find("resnet20-stem7-shapes"))
    familiar, recipe = familiarity.of(checkpoint), checkpoint.preprocessing
    pictures = sources.fit(sources.load("shapes", "test"), recipe.channels, recipe.size).images[1::8]
    found = familiarity.strangeness(checkpoints.model(checkpoint), normalise(pictures, recipe), familiar)
    assert len(pictures) == 250 and (found > familiar.threshold).mean() < 0.1


@pytest.mark.parametrize("channels", [1, 3])
def test_unlike_pictures_are_what_they_are_called(channels):
    draws = torch.Generator().manual_seed(1)
    made = {kind: draw(8, channels, 40, draws) for kind, draw in unlike.KINDS.items()}
    assert all(p.shape == (8, channels, 40, 40) and p.dtype == torch.uint8 for p in made.values())
    spread = {kind: p.float().std((2, 3)) for kind, p in made.items()}
    assert (spread["flat colour"] == 0).all() and (spread["noise"] > 10).all() and (spread["text"] > 10).all()
    flat = made["flat colour"].flatten(1)
    assert len(flat.unique(dim=0)) == 8


def test_the_command_says_it(capsys, tmp_path):
    examples.read(examples.find("rocket")).save(tmp_path / "rocket.png")
    words = ["predict", "resnet20-cifar10-jpeg", str(tmp_path / "rocket.png")]
    assert main([*words, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["caution"]["unlike"] is True and 0 < row["caution"]["share"] < 0.05
    assert main(words) == 0
    assert f"caution: only {row['caution']['share']:.1%} of the validation pictures" in capsys.readouterr().out
