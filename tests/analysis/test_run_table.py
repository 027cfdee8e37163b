"""What sets runs apart, and what may be said of it: against counts by hand and against a simulation."""

import numpy as np
import pytest

from resnet_viz.analysis import run_table
from resnet_viz.analysis.run_table import Result, Row
from resnet_viz.training import settings
from resnet_viz.training.config import Config

TITLES = {"lr": "learning rate", "seed": "seed", "batch_size": "batch size", "momentum": "momentum", "optimizer": "optimiser",
          "arguments.stem": "stem", "threads": "threads", "flip": "flip"}


def row(name="r", best=None, pictures=None, seconds=None, **changed) -> Row:
    found = {"network": "resnet20", "data": "shapes", "lr": "0.1", "seed": "0", **changed}
    result = Result(best=best, best_epoch=3 if best else None, seconds=seconds)
    return Row(name, found, result, pictures, frozenset(found) - {"threads"})


def metrics(**columns):
    return {key: np.array(values, dtype=float) for key, values in columns.items()}


def test_the_figures_of_a_run():
    found = run_table.result_of({
        "train": metrics(step=[1, 10, 11, 20], epoch=[0, 0, 1, 1], accuracy=[0.1, 0.3, 0.5, 0.7], elapsed_s=[1, 2, 3, 4.5]),
        "val": metrics(epoch=[1, 2, 3], accuracy=[0.4, 0.8, 0.6]),
        "test": metrics(accuracy=[0.75]),
    })
    assert found == Result(best=0.8, best_epoch=2, train=pytest.approx(0.6), test=0.75, seconds=4.5, epochs=3)


def test_a_run_without_anything_and_one_that_broke():
    assert run_table.result_of({}) == Result()
    broken = run_table.result_of({
        "train": metrics(step=[1], epoch=[np.nan], accuracy=[np.nan], elapsed_s=[np.nan]),
        "val": metrics(epoch=[1.0], accuracy=[np.nan]), "test": metrics(accuracy=[np.nan]),
    })
    assert broken == Result()


def test_what_differs_is_only_what_does_something_in_both():
    sgd, adam = row(optimizer="sgd", momentum="0.9"), row(optimizer="adam")
    assert run_table.differing([sgd, adam]) == ["optimizer"]
    assert run_table.differing([row(), row()]) == []
    assert run_table.differing([row(), row(**{"arguments.stem": "imagenet"})]) == ["arguments.stem"]
    assert [name for name, _ in run_table.table([sgd, adam], False)] == ["optimizer", "momentum"]
    assert run_table.table([sgd, adam], False)[1][1] == ["0.9", None]
    assert len(run_table.table([sgd, adam], True)) == 6


def test_a_legend_names_only_what_differs():
    assert run_table.legend([row(lr="0.1"), row(lr="1")], TITLES) == ["learning rate 0.1", "learning rate 1"]
    assert run_table.legend([row(), row(network="plain20")], TITLES) == ["resnet20", "plain20"]
    assert run_table.legend([row("a", threads="1"), row("b", threads="2")], TITLES) == ["a", "b"]  # no part of the recipe
    assert run_table.legend([row("a")], TITLES) == ["a"]
    assert run_table.legend([], TITLES) == []


def test_runs_of_one_recipe_are_told_apart_by_name():
    assert run_table.legend([row("a"), row("b"), row("c", lr="1")], TITLES) == ["a", "b", "learning rate 1"]
    assert run_table.legend([row("a"), row("a")], TITLES) == ["a (1)", "a (2)"]


def test_a_legend_leaves_out_what_most_runs_have():
    rows = [row("base"), row(lr="1"), row(seed="7"), row(network="plain20")]
    assert run_table.legend(rows, TITLES) == ["base", "learning rate 1", "seed 7", "plain20"]


def test_of_many_differences_a_legend_names_as_few_as_tell_the_runs_apart():
    one = row(lr="1", seed="1", flip="0", batch_size="8", optimizer="sgd")
    two = row(lr="2", seed="2", flip="1", batch_size="9", optimizer="adam")
    assert len(run_table.differing([one, two])) == 5
    assert run_table.legend([one, two], TITLES) == ["learning rate 1", "learning rate 2"]
    three = row(lr="2", seed="2", flip="1", batch_size="9", optimizer="sgd")
    assert len(set(run_table.legend([one, two, three], TITLES))) == 3


def test_legends_are_never_alike_whatever_the_settings():
    rng = np.random.default_rng(0)
    for _ in range(200):
        rows = [row(f"run {i}", **{name: str(rng.integers(3)) for name in ("lr", "seed", "flip", "batch_size", "momentum")})
                for i in range(rng.integers(1, 9))]
        assert len(set(run_table.legend(rows, TITLES))) == len(rows)


def test_the_error_of_a_difference_against_a_simulation():
    rng = np.random.default_rng(1)
    p, q, n, m = 0.9, 0.8, 500, 1000
    drawn = rng.binomial(n, p, 200_000) / n - rng.binomial(m, q, 200_000) / m
    assert run_table.error_of_difference(p, q, (n, m)) == pytest.approx(drawn.std(), rel=0.01)


def said(*rows) -> str:
    return " ".join(run_table.story(list(rows), run_table.legend(list(rows), TITLES), TITLES)).replace("\xa0", " ")


def test_one_difference_beyond_chance_is_named_as_the_cause():
    text = said(row(best=0.9, pictures=2000, lr="0.1"), row(best=0.7, pictures=2000, lr="1"))
    assert "**learning rate 0.1** was best" in text and "90.0 % right after epoch 3" in text
    assert "20.0 percentage points less, more than the 2.4 points" in text
    assert "one setting, learning rate: that is what made the difference" in text


def test_a_small_difference_is_chance_and_several_settings_are_no_cause():
    assert "another seed could turn this around" in said(row(best=0.90, pictures=500), row(best=0.89, pictures=500, lr="1"))
    assert "cannot be told from these two" in said(row(best=0.9), row(best=0.5, lr="1", seed="2"))
    assert "how much chance makes of one recipe" in said(row(best=0.9), row(best=0.8, seed="2"))
    assert "recipes are the same" in said(row("a", best=0.9), row("b", best=0.8))


def test_different_pictures_are_not_compared():
    text = said(row(best=0.9), row(best=0.5, data="cifar10"))
    assert "cannot be held against each other" in text and "percentage points" not in text


def test_what_was_not_measured_is_said():
    assert "None of these runs" in said(row(), row(lr="1"))
    assert "1 of the 2 runs has no validation accuracy yet" in said(row(best=0.5), row(lr="1"))
    assert "3.0 times as long" in said(row(best=0.5, seconds=10), row(best=0.4, seconds=30, lr="1"))


def test_the_formula_has_the_numbers_of_the_best_two():
    found = run_table.formulas([row(best=0.8, pictures=100), row(best=0.9, pictures=100), row(best=0.1, pictures=100)], [])
    assert r"\frac{90}{100} = 0.9000" in found[0] and r"\frac{80}{100}" in found[0]
    assert found[1].endswith(f"{run_table.error_of_difference(0.9, 0.8, (100, 100)):.4f}") and found[2].endswith("2.0")
    assert len(run_table.formulas([row(best=0.8)], [])) == 1


# The settings of a recipe


def test_a_recipe_of_an_older_version_has_the_values_that_it_had_in_effect():
    assert settings.settings_of({"network": "resnet20", "version": 1}) == settings.settings_of(Config().to_dict())


def test_settings_that_do_nothing_are_not_among_them():
    found = settings.settings_of(Config(optimizer="adam", schedule="constant", arguments={"stem": "imagenet"}).to_dict())
    assert "momentum" not in found and "peak_at" not in found and found["arguments.stem"] == "imagenet"
    assert "momentum" in settings.settings_of({}) and "version" not in found and "arguments" not in found


@pytest.mark.parametrize("name, value, text", [
    ("lr", 0.1, "0.1"), ("lr", 1e-05, "1e-05"), ("train_limit", 15000, "15,000"), ("train_limit", None, "all"),
    ("nesterov", True, "yes"), ("milestones", [], "none"), ("milestones", [0.5, 0.75], "0.5, 0.75"), ("seed", 12345, "12345"),
    ("data", "/home/ada/pets.zip", "pets"), ("clip_norm", None, "never shortened"), ("data", 3, "3"),
])
def test_values_in_words(name, value, text):
    assert settings.value_text(name, value) == text
