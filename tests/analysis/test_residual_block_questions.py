"""Questions of the lesson on the residual block: the marked option is torch's, the slides' mistake is offered."""

import re
from functools import cache
from random import Random

import numpy as np
import pytest
import torch
from torch import nn

from resnet_viz.analysis import residual_block, residual_block_gradients
from resnet_viz.analysis import residual_block_questions as asked
from resnet_viz.analysis import residual_block_words as words
from resnet_viz.networks import zoo
from resnet_viz.number_text import plain

from .makers import check
from .test_residual_block import EVERY, NETWORKS, TENSOR

SEEDS = range(40)


@cache
def walk_of(name: str, block: str, channel: int = 2) -> residual_block.Walk:
    return residual_block.walk(residual_block.passed(NETWORKS[name], TENSOR, block), channel)


@cache
def passages() -> tuple[residual_block_gradients.Passage, ...]:
    """From the last block to the first."""
    return residual_block_gradients.passages(NETWORKS["padding"], TENSOR, 3)


def digits(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def right_of(question) -> str:
    return question.options[question.right]


@pytest.mark.parametrize(("name", "block"), EVERY)
def test_every_maker_asks_something_that_can_be_answered_wrongly(name, block):
    makers = asked.of_block(walk_of(name, block), words.telling_place(walk_of(name, block)))
    assert len(makers) >= 4
    check(makers, SEEDS)


def test_questions_on_gradients_are_sound_too():
    nothing = residual_block_gradients.Passage("a", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for found in (passages(), (nothing, nothing)):
        check(asked.of_gradients(found, 1), SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sum_and_the_norm_are_the_blocks_own(seed):
    model, block = NETWORKS["padding"], "layer1.0"
    walk, module = walk_of("padding", block), NETWORKS["padding"].layer1[0]
    x = residual_block.passed(model, TENSOR, block).arriving[None]
    with torch.no_grad():
        out = module(x)[0, 2].flatten()
        inner = {"bn1": module.bn1(module.conv1(x))[0]}
        inner["bn2"] = module.bn2(module.conv2(module.act1(inner["bn1"][None])))[0]
    question = asked.the_sum(walk, 7, Random(seed))
    residual, arriving = (digits(word) for word in re.findall(r"x\)? = ([−\d.]+\d)", question.text))
    place = int((np.abs(walk.residual - residual) + np.abs(walk.shortcut - arriving)).argmin())
    assert walk.residual.flat[place] == pytest.approx(residual, rel=0.01)
    assert digits(right_of(question)) == pytest.approx(out[place].item(), rel=0.01, abs=1e-4)
    step = Random(seed).choice([step for step in walk.layers if step.norm])
    answer = digits(right_of(asked.normalised(walk, 7, Random(seed))))
    assert answer == pytest.approx(inner[step.name][step.channel].flatten()[7].item(), rel=0.01, abs=1e-4)


@pytest.mark.parametrize("name", ["resnet50", "resnet101", "resnet152"])
def test_projections_are_those_of_the_networks(name):
    with torch.device("meta"):
        network = zoo.build(name, device="meta")
    real = {f"conv{number + 1}_x": getattr(network, f"layer{number}")[0].downsample[0] for number in (1, 2, 3, 4)}
    first = real["conv2_x"]
    assert (first.stride[0], first.in_channels, first.out_channels) == (1, 64, 256)
    for stage, (before, after) in asked.STAGES.items():
        assert (real[stage].stride[0], real[stage].in_channels, real[stage].out_channels) == (2, before, after)


def test_what_the_slides_say_is_offered_and_named():
    questions = [asked.projection(Random(seed)) for seed in SEEDS]
    said = [wrong for question in questions for wrong in question.wrongs if "slides" in wrong]
    assert len(said) > 5
    assert {right_of(question) for question in questions} >= {
        "stride 1, 64 to 256 channels",
        "stride 2, to 512 channels",
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_counts_and_slopes_are_torchs(seed):
    before, after = Random(seed).choice(((16, 32), (64, 128), (64, 256), (256, 512)))
    layers = nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
    assert right_of(asked.weights_of_projection(Random(seed))) == plain(sum(p.numel() for p in layers.parameters()))
    random = Random(seed)
    slope, blocks = random.choice((0.1, 0.2, 0.25, 0.5)), random.choice((3, 5, 9))
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    out = x
    for _ in range(blocks):
        out = slope * out + out
    out.backward()
    assert right_of(asked.compounded(Random(seed))) == plain(x.grad.item())
    slope = Random(seed).choice((-0.75, -0.2, 0, 0.1, 0.6))
    x.grad = None
    (slope * x + x).backward()
    assert right_of(asked.derivative(Random(seed))) == plain(x.grad.item())
    kept, lost = residual_block_gradients.relative(passages())
    at = Random(seed).randrange(1, len(kept))
    assert right_of(asked.how_small(passages(), Random(seed))) == plain(float(lost[at]))


# Words


def test_what_is_said_of_a_block():
    walk = walk_of("bottleneck", "layer1.0")
    told = " ".join(words.story(walk, 4, ("cat", 0.9, 0.2), True))
    assert (
        "has stride 1 and makes 16 channels of 4" in told
        and "The slides say that a projection always has stride 2" in told
    )
    assert "cat goes from 90.0\u00a0% to 20.0\u00a0%" in told and "ReLU follows" in told
    assert "stride 2" in words.projection(walk_of("bottleneck", "layer2.0"), 16) and "slides" not in words.projection(
        walk_of("bottleneck", "layer2.0"), 16
    )
    empty = " ".join(words.story(walk_of("padding", "layer2.0"), 16, None, True))
    assert "its x is 0" in empty and "Switch the skip" not in empty
    assert "follows" not in words.story(walk_of("no ReLU after", "layer1.0"), 32, None, True)[0]


def test_the_formula_has_the_numbers_of_the_place():
    walk, place = walk_of("padding", "layer1.0"), 33
    lines = words.formula(walk, place, True)
    assert len(lines) == 1 + 5 + 1
    x, residual = walk.shortcut.flat[place], walk.residual.flat[place]
    assert f"H(x) = {words.tex(residual, 3)} + {words.tex(x, 3)} = {words.tex(residual + x, 3)}" in lines[-1]
    off = words.formula(walk, place, False)[-1]
    assert "skip off" in off and words.tex(max(residual, 0), 3) in off
    table = words.rows(walk, place)
    assert [row["here"] for row in table[-2:]] == pytest.approx([residual + x, max(residual + x, 0)], abs=1e-5)
    strided = words.rows(walk_of("bottleneck", "layer2.0"), 5)
    arriving = walk_of("bottleneck", "layer2.0").layers[0].map
    assert strided[0]["here"] == arriving[0, 10]


@pytest.mark.parametrize(("name", "block"), EVERY)
def test_the_code_that_is_shown_is_the_block(name, block):
    model, walk = NETWORKS[name], walk_of(name, block)
    x = residual_block.passed(model, TENSOR, block).arriving[None]
    space = {"model": model, "x": x}
    with torch.no_grad():
        exec(words.code(walk), space)  # noqa: S102
    np.testing.assert_allclose((space["y"] if "y" in space else space["h"])[0, 2], walk.end, atol=1e-5)


def test_the_telling_place_is_inside_and_both_count_there():
    walk = walk_of("padding", "layer1.0")
    row, column = divmod(words.telling_place(walk), walk.total.shape[1])
    assert 0 < row < 31 and 0 < column < 31
    inner = np.minimum(np.abs(walk.residual), np.abs(walk.shortcut))[1:-1, 1:-1] * (walk.end > 0)[1:-1, 1:-1]
    assert min(abs(walk.residual[row, column]), abs(walk.shortcut[row, column])) == pytest.approx(inner.max())


def test_what_is_said_of_gradients():
    kept, lost = residual_block_gradients.relative(passages())
    said = words.gradient_said(passages(), 2)
    assert passages()[1].block in said and words.short(kept[2], 3) in said and words.short(lost[2], 3) in said
    assert words.gradient_said(passages(), 0).startswith("The gradient has come")
    assert len(words.gradient_formula(passages(), 0)) == 3 and words.gradient_rows(passages())[0]["block"] == "layer3.0"
    assert "of 3 blocks" in words.gradient_story(passages())[0]
