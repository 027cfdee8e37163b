"""Learning by heart: what is read off the curves, the record's own numbers, and every question's right option."""

from random import Random

import numpy as np
import pytest

from resnet_viz.analysis import overfitting, overfitting_questions
from resnet_viz.drawing import overfitting as drawing
from resnet_viz.training import by_heart


def made(name="no cure", kept_back=(2.0, 0.8, 0.5, 0.9, 1.4), learned=(2.2, 0.9, 0.3, 0.1, 0.01), right=0.7):
    epochs = np.arange(1.0, 6.0)
    return overfitting.curves(name, {
        "train": {"images": 30 * epochs, "loss": np.array(learned), "accuracy": np.array([0.2, 0.6, 0.9, 1.0, 1.0])},
        "val": {"epoch": epochs, "loss": np.array(kept_back), "accuracy": np.full(5, right)}}, 30)


@pytest.fixture(scope="module")
def recorded():
    """recipe -> its curves, with the fewest pictures."""
    return {recipe: [overfitting.curves(recipe, one.metrics, one.pictures) for one in by_heart.recorded()
                     if (one.recipe, one.pictures) == (recipe, by_heart.PICTURES[0])] for recipe in by_heart.RECIPES}


def test_curves_of_a_run():
    one = made()
    assert one.train_x.tolist() == one.x.tolist() == [1, 2, 3, 4, 5]
    assert one.stop == 2 and one.by_heart
    assert not made(kept_back=(2.0, 0.8, 0.5, 0.5, 0.6)).by_heart
    assert overfitting.curves("new", {}, 30) is None and overfitting.curves("new", {"train": {}}, 30) is None
    assert "By heart: after 5 epochs" in overfitting.finding(one) and "after epoch 3" in overfitting.finding(one)


def test_early_stopping_keeps_the_best_epoch_and_what_came_before():
    cut = overfitting.cut(made())
    assert cut.x.tolist() == cut.train_x.tolist() == [1, 2, 3] and cut.loss[-1] == cut.loss.min() == 0.5
    assert overfitting.finding(cut).startswith("After 3 epochs")


def test_ends_are_means_over_seeds():
    ended = overfitting.ended("x", [made(right=0.6), made(right=0.8, kept_back=(2.0, 1.0, 0.7, 1.0, 2.0))])
    assert (ended.loss, ended.accuracy, ended.least, ended.most) == pytest.approx((1.7, 0.7, 0.6, 0.8))
    assert (ended.best_loss, ended.stop, ended.count, ended.train_loss) == pytest.approx((0.6, 3.0, 2, 0.01))
    assert overfitting.rows([ended])[0]["loss, kept back"] == pytest.approx(1.7)


def test_what_is_within_chance_is_said_so():
    base, better = (overfitting.ended(name, [made(name, kept_back=losses, right=right) for right in rights])
                    for name, losses, rights in (("no cure", (1, 1, 1, 1, 2.0), (0.5, 0.6)),
                                                 ("L2", (1, 1, 1, 1, 1.0), (0.55, 0.7))))
    assert "that difference is chance" in overfitting.compared([base, better])
    apart = overfitting.ended("L1", [made("L1", kept_back=(1, 1, 1, 1, 0.5), right=0.9)])
    assert "L1 lie above every run" in overfitting.compared([base, apart])
    assert overfitting.compared([better, base]).startswith("None of the cures")


def test_the_record_shows_what_the_lesson_says(recorded):
    assert all(len(found) == len(by_heart.SEEDS) for found in recorded.values())
    ends = {recipe: overfitting.ended(recipe, found) for recipe, found in recorded.items()}
    base = ends.pop(by_heart.BASELINE)
    assert recorded[by_heart.BASELINE][0].by_heart and base.train_loss < 0.001 and base.loss > 1.2 * base.best_loss
    assert all(one.loss < base.loss for one in ends.values())  # each cure, in the mean of the seeds
    more = [overfitting.curves("more", one.metrics, one.pictures).loss[-1] for one in by_heart.recorded()
            if one.recipe == by_heart.BASELINE and one.seed == 0]
    assert more[0] > more[1] > more[2]  # the more pictures, the smaller
    told = " ".join(overfitting.story([recorded[by_heart.BASELINE][0]], [base, *ends.values()], 30, 74_522))
    assert "74,522 weights" in told and "No cure." in told


def test_formulas_and_code_of_every_cure():
    shown = [made()]
    for cure in ("none", *[name for name in by_heart.RECIPES if name != by_heart.BASELINE], "early stopping"):
        lines = overfitting.formulas(cure, shown, by_heart.RECIPES.get(cure, by_heart.RECIPES[by_heart.BASELINE]))
        assert len(lines) == (1 if cure == "none" else 2) and "= 1.390" in lines[-1]
        assert overfitting.CODE[cure]
    assert "0.003 \\cdot 2 = 0.006" in overfitting.formulas("L2", [], by_heart.RECIPES["L2"])[0]


@pytest.mark.parametrize("seed", range(15))
def test_every_question_has_its_right_option_and_wrong_ones(recorded, seed):
    ends = [overfitting.ended(recipe, found) for recipe, found in recorded.items()]
    shown = [found[0] for found in recorded.values()][:2]
    makers = overfitting_questions.of_curves(shown, ends)
    assert len(makers) >= 5 and len(overfitting_questions.of_curves([], [])) >= 3
    for maker in makers:
        question = maker(Random(seed))
        assert len(set(question.options)) == len(question.options) >= 2 and question.why
    stop = overfitting_questions.when_to_stop(made(), Random(seed))
    assert stop.options[stop.right] == "epoch 3" and "epoch 5" in stop.options
    gap = overfitting_questions.gap([made()], Random(seed))
    assert gap.options[gap.right] == "1.39"
    best = overfitting_questions.which_cure(ends, Random(seed))
    losses = {one.name: one.loss for one in ends}
    asked = [name for name in losses if f"**{name}**" in best.text]
    assert best.options[best.right] == min(asked, key=losses.get)


def test_all_recipes_at_once_show_only_what_was_kept_back(recorded):
    found = [(name, vars(one[0])) for name, one in recorded.items()]
    assert [line.name for line in drawing.lines(found[:2], "loss")] == [
        "no cure, kept back", "no cure, learned", "L1, kept back", "L1, learned"]
    every = drawing.lines(found, "accuracy")
    assert [line.name for line in every] == [f"{name}, kept back" for name in recorded]
    assert len({line.colours for line in every}) == len(recorded) and (every[2].y == recorded["L2"][0].accuracy).all()
    assert drawing.stops([("no cure", 8.0)])[0].x == 8
