"""What is said and asked of landscapes: the code runs and gives the file's numbers, right options are right, words
count."""

import math
import re
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch

from resnet_viz import checkpoints
from resnet_viz.analysis import landscape, landscape_file, landscape_process, landscape_questions, landscape_work
from resnet_viz.analysis import landscape_words as words
from resnet_viz.analysis.questions import mark
from resnet_viz.data.preprocessing import normalise
from resnet_viz.number_text import percent, plain

from .test_landscape import checkpoint_of, walked

__all__ = ["walked"]
SEEDS = range(30)
SHIPPED = ("plain56-cifar10-jpeg", "plain20-cifar10-jpeg", "resnet20-short-cifar10-jpeg", "resnet56-cifar10-jpeg")
PATH = "resnet8-shapes-path"


def shipped(name):
    return landscape_file.read(landscape_process.SHIPPED / f"{name}.npz")


@pytest.fixture(scope="module")
def work():
    return landscape_work.prepare(checkpoint_of(), "digits", 3, 12, 5)


def filled(work):
    return landscape_work.compute(
        work, landscape.empty(work.empty.x, work.empty.y, work.empty.recipe, work.empty.path), lambda now: None
    )


# What travels with the project


@pytest.mark.parametrize("name", (*SHIPPED, PATH))
def test_what_is_shipped_is_complete_small_and_of_the_bundled_weights(name):
    found = shipped(name)
    assert found.complete and (landscape_process.SHIPPED / f"{name}.npz").stat().st_size < 40_000
    assert found.recipe["seconds"] > 1 and "landscape" in found.recipe["command"] and "/" not in found.recipe["command"]
    assert landscape.middle_loss(found) < landscape.guessing(found)
    if name in SHIPPED:
        checkpoint = checkpoints.read(checkpoints.find(name))
        assert found.recipe["weights"] == landscape_work._digest_of(checkpoint.state), "the weights have changed since"
        assert words.data_title(found) == "CIFAR-10 (JPEG)" and found.recipe["plane"] == "random"
    else:
        assert found.path is not None and sum(found.recipe["explained"]) > 0.5


def test_the_shipped_ones_are_of_the_same_pictures_and_draw():
    recipes = [shipped(name).recipe for name in SHIPPED]
    assert len({(recipe["pictures"], recipe["seed"], recipe["images"]) for recipe in recipes}) == 1
    measured = [landscape.middle_loss(shipped(name)) for name in SHIPPED]
    assert max(measured) == measured[SHIPPED.index("plain56-cifar10-jpeg")], "plain 56 is the worst"


# Words


def test_the_code_gives_the_numbers_of_the_file(work):
    found = filled(work)
    inside = {
        "model": checkpoints.model(work.checkpoint),
        "pictures": normalise(work.images, work.checkpoint.preprocessing),
        "labels": work.labels[:, 0],
    }
    exec(words.code(found), inside)
    np.testing.assert_allclose(torch.tensor(inside["losses"]).numpy(), found.loss, rtol=1e-4)


def test_the_code_of_a_path_finds_its_plane(walked):
    work = landscape_work.prepare(walked, "digits", 3, 8, plane="path")
    inside = {
        "model": checkpoints.model(walked),
        "pictures": normalise(work.images, walked.preprocessing),
        "labels": work.labels[:, 0],
        "moments": landscape_work.moments(walked)[1],
    }
    exec(words.code(work.empty), inside)
    for ours, theirs in zip(work.directions, (inside["first"], inside["second"])):
        dot = sum((d * theirs[name]).sum().item() for name, d in ours.items())
        assert abs(dot) == pytest.approx(1, abs=1e-4)


def test_what_is_said_has_the_numbers_of_what_is_shown():
    plain56, resnet56 = shipped(SHIPPED[0]), shipped(SHIPPED[-1])
    assert words.alt(plain56).startswith("Plain 56: loss 1.73 in the middle") and percent(
        landscape.share_below(plain56, math.log(10))
    ) in words.alt(plain56)
    told = "\n".join(words.story([plain56, resnet56]))
    assert (
        "The surface of Plain 56 has 3 hollows, that of ResNet 56 1:" in told
        and "the same seed draws the same directions" in told
        and "Source B" in told
    )
    assert "400 test pictures of CIFAR-10 (JPEG)" in words.source([plain56, resnet56])
    lines = "".join(words.formulas(plain56))
    assert r"\text{filter 0 of conv1: }" in lines and "N = 400" in lines
    assert lines.count("{") == lines.count("}")
    assert len(words.rows([plain56, resnet56])) == 2 * 21 * 21
    path = shipped(PATH)
    assert (
        "(sgd, learning rate 0.1, schedule one-cycle, batch size 64, pictures 4000, seed 0)" in words.story([path])[0]
    )
    assert percent(path.recipe["explained"][0]) in words.story([path])[1] and words.path_labels(path)[-1] == "epoch 20"


def test_half_a_landscape_is_not_judged():
    one = shipped("plain56-cifar10-jpeg")
    some = np.zeros_like(one.done)
    some[one.middle] = True
    half = replace(one, done=some, loss=np.where(some, one.loss, np.nan))
    assert "of the 1 points computed so far" in words.alt(half) and " so far by" in words.source([half])
    assert "lower than all neighbours" not in "\n".join(words.story([half])) and "hollows, that of" not in "\n".join(
        words.story([half, one])
    )
    assert "no point is computed yet" in words.alt(replace(one, done=~some & some))
    lost = replace(one, loss=np.where(some, np.nan, one.loss))
    assert "1 points are no finite number" in words.alt(lost)


# Questions


@pytest.mark.parametrize("names", [(SHIPPED[0], SHIPPED[-1]), (SHIPPED[0],), (PATH,)])
def test_every_question_can_be_answered_rightly_and_wrongly(names):
    makers = landscape_questions.makers([shipped(name) for name in names])
    assert len(makers) >= 4
    for maker in makers:
        for seed in SEEDS:
            question = maker(Random(seed))
            assert 2 <= len(question.options) == len(set(question.options)) <= 5
            assert question.why and mark(question, question.right)[0] and question.wrongs[question.right] == ""


def test_a_question_of_an_empty_landscape_stands(work):
    for maker in landscape_questions.makers([filled(work)]):
        assert maker(Random(0)).options


@pytest.mark.parametrize("seed", SEEDS)
def test_right_options_are_torchs(seed):
    question = landscape_questions.normalised(Random(seed))
    weights, drawn = ([float(n) for n in pair] for pair in re.findall(r"\((\d+), (\d+)\)", question.text))
    found = torch.tensor(drawn) / torch.tensor(drawn).norm() * torch.tensor(weights).norm()
    assert question.options[question.right] == plain(round(found[0].item(), 4)) or question.options[
        question.right
    ] == plain(found[0].item())
    one = shipped("plain56-cifar10-jpeg")
    question = landscape_questions.share([one], Random(seed))
    assert question.options[question.right] == percent(np.mean(one.loss < np.log(10)))
    question = landscape_questions.work([one], Random(seed))
    grid = int(re.search(r"grid of (\d+)", question.text)[1])
    assert question.options[question.right] == plain(grid * grid * 400)


def test_source_bs_own_mistake_is_offered():
    question = landscape_questions.jitter([shipped(PATH)], Random(3))
    wrong = next(text for option, text in zip(question.options, question.wrongs) if "global" in option)
    assert "source B says" in wrong
