"""What the page says of a run follows from its numbers."""

import shlex

import numpy as np
import pytest

from resnet_viz.analysis import training
from resnet_viz.training.config import Config, with_settings


def columns(**values):
    return {name: np.array(column, dtype=float) for name, column in values.items()}


def metrics(val_loss=(1.0, 0.9, 0.8), val_accuracy=(0.5, 0.6, 0.7), train_accuracy=0.72):
    steps = np.arange(1, 31)
    return {
        "train": columns(
            step=steps,
            images=steps * 128,
            loss=np.linspace(2.3, 0.5, 30),
            accuracy=[train_accuracy] * 30,
            lr=[0.05] * 30,
        ),
        "val": columns(epoch=[1, 2, 3], loss=val_loss, accuracy=val_accuracy),
    }


def test_the_story_tells_start_now_and_the_best_epoch():
    text = " ".join(training.story(Config().to_dict(), metrics(val_accuracy=(0.5, 0.75, 0.7)), 10))
    assert "3,840 pictures in 30 steps" in text and "from 2.30" in text
    assert "ln 10 = 2.30" in text and "10.0\u00a0%" in text
    assert "the best was 75.0\u00a0% after epoch 2" in text


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"val_loss": (1.0, 0.6, 1.2), "train_accuracy": 0.95}, "by heart"),
        ({"train_accuracy": 0.8}, "10.0 percentage points ahead of validation: part"),
        ({"train_accuracy": 0.6}, "ahead of training"),
        ({}, "stay together"),
    ],
)
def test_the_story_names_overfitting_only_where_it_is(changes, words):
    assert words in training.story(Config().to_dict(), metrics(**changes), 10)[-1]


def test_before_the_first_batch_the_story_says_what_to_expect():
    assert "2.30" in training.story(Config().to_dict(), {}, 10)[0]


@pytest.mark.parametrize(
    "config",
    [
        Config(),
        Config(optimizer="adam", lr=0.001),
        Config(optimizer="adamw", lr=0.001),
        Config(nesterov=False, weight_decay=0.0),
        Config(momentum=0.0, nesterov=False),
    ],
)
def test_formulas_and_code_carry_the_numbers_of_the_run(config):
    formulas = training.formulas(config.to_dict(), metrics())
    assert "128" in formulas[0] and "0.500" in formulas[0] and any("0.05" in line for line in formulas)
    code = training.code(config.to_dict())
    compile(code, "code", "exec")
    assert f"torch.optim.{ {'adam': 'Adam', 'adamw': 'AdamW', 'sgd': 'SGD'}[config.optimizer]}(" in code
    through = [line for line in formulas if "w" in line.partition("nabla_w L")[2]]
    assert bool(through) == (config.optimizer != "adamw" and config.weight_decay > 0), "AdamW's decay is beside the gradient"


def test_the_command_sets_the_networks_arguments():
    config = Config(arguments={"activation": "tanh", "stem_width": 8, "widths": [8, 16, 32], "conv_bias": True})
    words = shlex.split(training.command(config.to_dict(), Config().to_dict()).replace("\\\n", " "))
    settings = [word for before, word in zip(words, words[1:]) if before == "--set"]
    assert with_settings(Config(), settings) == config


def test_the_command_says_only_what_differs():
    words = training.command(Config(lr=0.3, seed=7).to_dict(), Config().to_dict())
    assert "--set lr=0.3" in words and "--set seed=7" in words and "momentum" not in words


def test_penalties_and_clipping_are_in_the_formulas_and_the_code():
    config = Config(l1=0.01, clip_norm=2.0, label_smoothing=0.1)
    formulas, code = training.formulas(config.to_dict(), metrics()), training.code(config.to_dict())
    assert any("sign" in line and "0.01" in line for line in formulas) and any(r"0.9\,\ln" in line for line in formulas)
    compile(code, "code", "exec")
    assert "clip_grad_norm_(model.parameters(), 2)" in code and "0.01 * weight" in code and "label_smoothing=0.1" in code
    plain = training.code(Config().to_dict())
    assert "clip" not in plain and "smoothing" not in plain and "sign" not in "".join(training.formulas(Config().to_dict(), metrics()))


def test_the_command_makes_the_same_recipe():
    config = Config(schedule="multi-step", milestones=[0.5, 0.75], lr=0.3, keep_weights=True, nesterov=False, size=64, flip=0.0)
    words = shlex.split(training.command(config.to_dict(), Config().to_dict()).replace("\\\n", " "))
    assert with_settings(Config(), [word for before, word in zip(words, words[1:]) if before == "--set"]) == config
