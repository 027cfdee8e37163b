"""The operations against torch, number by number, and against what the course prints."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resnet_viz import checkpoints
from resnet_viz.analysis import activations, operations_network, operations_questions, operations_words
from resnet_viz.number_text import plain, signed
from resnet_viz.analysis.operations import OPERATIONS, Setting, matrix, statistics, work, written
from resnet_viz.analysis.operations_examples import (
    EXAMPLES,
    LAB_FLATTEN,
    LAB_POOLING,
    SLIDES,
    SLIDES_KERNEL,
    SLIDES_POOLING,
)
from resnet_viz.problems import Problem

TORCH = {"ReLU": F.relu, "leaky ReLU": F.leaky_relu, "ELU": F.elu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}


def tensor(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(x, dtype=np.float64))


def cases():
    """Every operation on every example that the page offers, ready to be worked out."""
    for operation, examples in EXAMPLES.items():
        for name, example in examples.items():
            weights = matrix(example.weights) if example.weights else None
            weights = weights[None] if operation == "convolution" else weights
            yield pytest.param(operation, matrix(example.input)[None], replace(example.setting, weights=weights),
                               id=f"{operation}: {name}")


def test_every_operation_has_examples_words_and_questions():
    assert set(OPERATIONS) == set(EXAMPLES) == set(operations_words.STORIES) == set(operations_questions.MAKERS)
    with pytest.raises(Problem, match="choose one of: convolution"):
        work("conv", matrix("1")[None], Setting())


# What the sources print


def test_the_slides_convolution():
    x, kernel = matrix(SLIDES)[None], matrix(SLIDES_KERNEL)[None]
    assert written(work("convolution", x, Setting(kernel)).output) == "19 16 16 / 14 18 18 / 20 15 9"
    padded = work("convolution", x, Setting(kernel, padding=1))
    assert written(padded.output) == "2 6 9 9 8 / 15 19 16 16 10 / 7 14 18 18 13 / 18 20 15 9 6 / 10 9 14 8 5"
    assert work("convolution", x, Setting(kernel)).said[0] == (
        "5 × 1 + 1 × 1 + 2 × 1 + 1 × 0 + 3 × 0 + 2 × 1 + 6 × 1 + 3 × 1 + 2 × 0 = 19")


def test_the_slides_and_the_labs_pooling():
    x = matrix(SLIDES_POOLING)[None]
    average, largest = (work(name, x, Setting(size=2, stride=0)).output for name in ("average pooling", "max pooling"))
    assert written(average) == "5 3 2 4 / 4 5 4 7 / 5 5 5 5 / 7 5 3 4"
    assert written(largest) == "8 6 4 10 / 8 8 8 10 / 10 8 10 10 / 12 8 4 6"
    assert written(work("max pooling", matrix(LAB_POOLING)[None], Setting(size=3)).output) == "3 3 3 / 3 3 3 / 3 2 3"


def test_the_labs_stride_and_flatten():
    lab = EXAMPLES["convolution"]["the lab's matrix, stride 2"]
    found = work("convolution", matrix(lab.input)[None], replace(lab.setting, weights=matrix(lab.weights)[None]))
    assert found.output.shape == (3, 3)
    assert written(work("flatten", matrix(LAB_FLATTEN)[None], Setting()).output) == "1 1 0 4 2 1 0 2 1"


def test_lenet_and_alexnet_are_counted():
    lenet, alexnet = operations_words.counts("convolution")
    assert (lenet["units"], lenet["weights, shared"], lenet["weights, unshared"]) == (3_456, 156, 89_856)
    assert (alexnet["units"], alexnet["weights, shared"], alexnet["weights, unshared"]) == (290_400, 34_944,
        105_705_600)
    assert operations_words.counts("softmax") == []


# Against torch


@pytest.mark.parametrize("seed", range(8))
def test_windows_against_torch(seed):
    random = np.random.default_rng(seed)
    k, stride, padding = int(random.integers(1, 5)), int(random.integers(1, 4)), int(random.integers(0, 3))
    channels, height, width = (int(n) for n in random.integers([1, 5, 5], [4, 10, 10]))
    x, weights, bias = random.normal(size=(channels, height, width)), random.normal(size=(channels, k,
        k)), float(random.normal())
    found = work("convolution", x, Setting(weights, (bias,), stride=stride, padding=padding))
    expected = F.conv2d(tensor(x)[None], tensor(weights)[None], tensor([bias]), stride, padding)[0, 0].numpy()
    np.testing.assert_allclose(found.output, expected, atol=1e-12)
    if channels > 1:
        np.testing.assert_allclose(found.parts.sum(axis=0) + bias, expected, atol=1e-12)
    unfolded = F.unfold(F.pad(tensor(x), (padding,) * 4)[None], k, stride=stride)[0].numpy()
    patches = np.stack([found.patch(*at).reshape(-1) for at in np.ndindex(found.output.shape)], axis=1)
    np.testing.assert_array_equal(patches, unfolded)  # the window stands where torch's stands
    inside = min(padding, k // 2)
    for name, pool in (("max pooling", F.max_pool2d), ("average pooling", F.avg_pool2d)):
        pooled = work(name, x[:1], Setting(size=k, stride=stride, padding=inside))
        np.testing.assert_allclose(pooled.output, pool(tensor(x[:1])[None], k, stride, inside)[0, 0].numpy(),
                                   atol=1e-12)


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_activations_and_their_slopes_against_torch(name):
    x = torch.cat([torch.linspace(-30, 30, 601, dtype=torch.float64), torch.tensor([-800.0, 0.0, 800.0],
        dtype=torch.float64)])
    of = TORCH.get(name, lambda value: torch.heaviside(value, torch.zeros((), dtype=torch.float64)))
    found = work("activation", x.numpy()[None, None], Setting(kind=name)).output[0]
    np.testing.assert_allclose(found, of(x).numpy(), atol=1e-15)
    if name in TORCH:
        leaf = x.clone().requires_grad_()
        (expected,) = torch.autograd.grad(of(leaf).sum(), leaf)
        np.testing.assert_allclose(activations.ACTIVATIONS[name].slope(x.numpy()), expected.numpy(), atol=1e-12)
    else:
        assert not activations.ACTIVATIONS[name].slope(x.numpy()).any()


def test_softmax_and_its_derivatives_against_torch():
    logits = np.array([[2.0, 1.0, 0.1, -1.0]])
    found = work("softmax", logits[None], Setting())
    flat = tensor(logits[0])
    np.testing.assert_allclose(found.output[0], F.softmax(flat, 0).numpy(), atol=1e-15)
    jacobian = torch.autograd.functional.jacobian(lambda z: F.softmax(z, 0), flat).numpy()
    np.testing.assert_allclose(found.factors.reshape(4, 4), jacobian, atol=1e-15)
    large = work("softmax", np.array([[[1000.0, 999.0]]]), Setting()).output[0]
    np.testing.assert_allclose(large, F.softmax(tensor([1000.0, 999.0]), 0).numpy())


@pytest.mark.parametrize("mode", ["train", "evaluation"])
def test_batch_norm_against_torch(mode):
    x = np.random.default_rng(0).normal(3, 2, size=(1, 2, 8))
    norm = nn.BatchNorm2d(1, dtype=torch.float64)
    nn.init.constant_(norm.weight, 1.5), nn.init.constant_(norm.bias, -0.5)
    with torch.no_grad():
        expected = norm(tensor(x)[None])  # the first call also moves the running statistics
        if mode == "evaluation":
            expected = norm.eval()(tensor(x)[None])
            assert statistics(x, mode) == pytest.approx((norm.running_mean.item(), norm.running_var.item()))
    found = work("batch norm", x, Setting(mode=mode, scale=1.5, shift=-0.5))
    np.testing.assert_allclose(found.output, expected[0, 0].numpy(), atol=1e-12)


def test_dropout_is_torchs_in_scale_and_share():
    x = np.arange(1.0, 401.0).reshape(1, 20, 20)
    found = work("dropout", x, Setting(p=0.25, seed=3)).output
    torch.manual_seed(0)
    of_torch = F.dropout(tensor(x[0]), 0.25).numpy()
    for result in (found, of_torch):
        kept = result != 0
        np.testing.assert_allclose(result[kept], x[0][kept] / 0.75)
        assert 0.15 < 1 - kept.mean() < 0.35
    silenced = {int((work("dropout", x[:, :3, :4], Setting(seed=seed)).output == 0).sum()) for seed in range(20)}
    assert len(silenced) > 3  # not a fixed number
    np.testing.assert_array_equal(work("dropout", x, Setting(mode="evaluation")).output, x[0])


def test_fully_connected_and_flatten_against_torch():
    random = np.random.default_rng(1)
    x, weights, bias = random.normal(size=(1, 3, 4)), random.normal(size=(5, 12)), random.normal(size=5)
    found = work("fully connected", x, Setting(weights, tuple(bias)))
    np.testing.assert_allclose(found.output[0], F.linear(tensor(x).flatten(), tensor(weights), tensor(bias)).numpy(),
                               atol=1e-12)
    np.testing.assert_array_equal(work("flatten", x, Setting()).output[0], tensor(x).flatten().numpy())


# The loaded network


@pytest.mark.parametrize(("name", "layer", "place"), [
    ("resnet20-cifar10-jpeg", "conv1", None), ("resnet20-cifar10-jpeg", "conv1", (0, 26)),
    ("resnet20-cifar10-jpeg", "layer2.0.conv1", (90, 0)), ("resnet20-stem7-shapes", "conv1", (0, 0))])
def test_a_crop_is_what_the_network_itself_finds_there(name, layer, place):
    model = checkpoints.model(checkpoints.read(checkpoints.find(name)))
    size = 64 if "stem7" in name else 32
    picture = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    module, answers = model.get_submodule(layer), []
    handle = module.register_forward_hook(lambda *args: answers.append(args[2]))
    with torch.no_grad():
        model(picture)
    handle.remove()
    x = operations_network.input_of(model, picture, layer)
    crop = operations_network.crop(x, module, 5, place)
    (top, left), (rows, columns) = crop.place, crop.size
    expected = answers[0][0, 5].numpy()
    assert crop.shape == expected.shape and top + rows <= expected.shape[0] and left + columns <= expected.shape[1]
    np.testing.assert_allclose(crop.worked.output, expected[top:top + rows, left:left + columns], atol=1e-4)
    np.testing.assert_allclose(crop.worked.parts.sum(axis=0), crop.worked.output, atol=1e-10)
    assert len(crop.worked.inputs) == 3 and len(crop.worked.names) == len(crop.worked.parts) == (3
        if layer == "conv1" else 4)
    first = "red " if layer == "conv1" else f"channel {crop.channels[0]}: "
    assert crop.worked.said[0].startswith(first + signed(crop.worked.parts[0, 0, 0]))
    assert crop.worked.said[0].endswith(f"= {plain(crop.worked.output[0, 0])}")
    above, _, at_left, at_right = crop.worked.padding
    assert (above > 0) == (top == 0) and (at_left > 0) == (left == 0) and (at_right > 0) == (place == (0, 26))


# What is typed and what is said


def test_what_a_person_types():
    np.testing.assert_array_equal(matrix("1, −2 .5\n3 4 5"), [[1, -2, 0.5], [3, 4, 5]])
    np.testing.assert_array_equal(matrix(written(matrix(SLIDES))), matrix(SLIDES))
    for text in ("", "1 2 / 3", "1 x", "nan", "1e9", " ".join(["1"] * 17)):
        with pytest.raises(Problem):
            matrix(text)


def test_what_does_not_fit_is_refused():
    x = matrix(SLIDES)[None]
    for operation, setting in (("convolution", Setting(np.ones((1, 7, 7)))), ("convolution", Setting(np.ones((2, 3,
        3)))),
                               ("max pooling", Setting(size=2, padding=2)), ("fully connected", Setting(np.ones((2,
                                   3)))),
                               ("dropout", Setting(p=1.0)), ("activation", Setting(kind="gelu")), ("batch norm",
                                   Setting(mode="eval"))):
        with pytest.raises(Problem):
            work(operation, x, setting)


def test_the_floor_leaves_a_column_over():
    example = EXAMPLES["convolution"]["a column that is left over"]
    found = work("convolution", matrix(example.input)[None], replace(example.setting,
        weights=matrix(example.weights)[None]))
    assert found.unused == (1, 1)
    assert "the last row and the last column of the input (hatched) are in no window" in " ".join(
        operations_words.story("convolution", found, example.setting))
    reached = {(top + y, left + x) for top, left in found.places.reshape(-1, 2) for y in range(3) for x in range(3)}
    assert reached == {(y, x) for y in range(5) for x in range(5)}


def test_numbers_as_a_person_writes_them():
    assert [plain(v) for v in (7.0, -0.25, 1234.0, 0.000012, -0.0, -np.inf, 1 / 3)] == ["7", "−0.25", "1,234", "1.2e−5",
        "0", "−∞", "0.333"]
    assert signed(-3.0) == "(−3)" and signed(3.0) == "3"


@pytest.mark.parametrize(("operation", "x", "setting"), list(cases()))
def test_words_and_code_of_every_example(operation, x, setting):
    found = work(operation, x, setting)
    assert len(found.said) == found.output.size == len(operations_words.rows(found))
    assert all(len(line) > 30 for line in operations_words.story(operation, found, setting))
    for at in range(found.output.size):
        general, now, *_ = operations_words.formulas(operation, found, setting, at)
        assert general.count("{") == general.count("}") and now.count("{") == now.count("}")
        assert now.replace("{,}", ",").replace("-", "−").count(plain(found.output.reshape(-1)[at])) >= 1
    code = operations_words.code(operation, setting).replace("x = ...", f"x = torch.tensor({x[None].tolist()})")
    names = {"torch": torch, "F": F}
    torch.manual_seed(0)
    exec(code, names)  # the line that is shown, run
    shown = names["y"].numpy().reshape(-1)
    if operation == "dropout":
        assert len(shown) == found.output.size  # torch draws other places
    else:
        np.testing.assert_allclose(shown, found.output.reshape(-1), atol=1e-5)


def test_the_code_of_batch_norm_in_evaluation_gives_what_is_shown():
    x, setting = matrix(EXAMPLES["batch norm"]["ours"].input)[None], Setting(mode="evaluation", scale=2.0, shift=0.5)
    code = operations_words.code("batch norm", setting).replace("x = ...", f"x = torch.tensor({x[None].tolist()})")
    names = {"torch": torch, "F": F}
    exec(code, names)
    np.testing.assert_allclose(names["y"][0, 0].numpy(), work("batch norm", x, setting).output, atol=1e-5)


# The questions


@pytest.mark.parametrize(("operation", "x", "setting"), list(cases()))
def test_every_question_can_be_asked_with_any_seed(operation, x, setting):
    found = work(operation, x, setting)
    makers = operations_questions.MAKERS[operation](x, found, setting)
    assert len(makers) >= 3
    for maker in makers:
        for seed in range(30):
            question = maker(Random(seed))
            assert len(question.options) >= 3 and len(set(question.options)) == len(question.options)
            assert question.why and all(bool(wrong) != (i == question.right) for i, wrong in enumerate(question.wrongs))


def right(maker, seed: int) -> tuple[str, str]:
    question = maker(Random(seed))
    return question.text, question.options[question.right]


def test_right_answers_against_torch():
    x, setting = matrix(SLIDES)[None], Setting(matrix(SLIDES_KERNEL)[None])
    found = work("convolution", x, setting)
    expected = F.conv2d(tensor(x)[None], tensor(setting.weights)[None])[0, 0]
    of = {name: maker for name, maker in zip(("value", "size", "same"), operations_questions.MAKERS["convolution"](x,
        found, setting))}
    digits = lambda text: [int(word) for word in "".join(c if c.isdigit() else " " for c in text).split()]  # noqa: E731
    for seed in range(40):
        text, answer = right(of["value"], seed)
        assert float(answer) == expected[tuple(digits(text)[:2])]
        text, answer = right(of["size"], seed)
        n, _, k, _, stride, padding = digits(text)
        assert int(answer) == F.max_pool2d(F.pad(torch.zeros(1, 1, n, n), (padding,) * 4), k, stride).shape[-1]
        text, answer = right(of["same"], seed)
        k = digits(text)[1]
        assert nn.Conv2d(1, 1, k, padding=int(answer))(torch.zeros(1, 1, 12, 12)).shape[-1] == 12


def test_right_answers_of_the_other_operations_against_torch():
    for seed in range(40):
        text, answer = right(operations_questions.MAKERS["activation"](None, None, Setting())[0], seed)
        name, value = text.removeprefix("What does ").removesuffix("?").split(" make of ")
        of = TORCH.get(name, lambda v: (v > 0).double())
        assert answer == plain(of(tensor(float(value.replace("−", "-")))).item())
        text, answer = right(operations_questions.MAKERS["max pooling"](None, None, Setting())[1], seed)
        k, n = int(text.split("(")[1].split(")")[0]), int(text.split("on ")[1].split(" ")[0])
        assert int(answer) == nn.MaxPool2d(k)(torch.zeros(1, 1, n, n)).shape[-1]
        text, answer = right(operations_questions.MAKERS["fully connected"](None, None, Setting())[1], seed)
        inputs, outputs = (int(word.replace(",", ""))
                           for word in text.split("from ")[1].split(", with")[0].split(" to "))
        assert int(answer.replace(",", "").split(".")[0]) == inputs * outputs + outputs
