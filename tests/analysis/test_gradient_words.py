"""What gradients say: numbers as people read them, verdicts, sentences that follow the numbers, formulas, code."""

import numpy as np
import pytest

from resnet_viz.analysis import gradient_words as words
from resnet_viz.analysis.gradient_history import History
from resnet_viz.analysis.gradient_probe import COMBINATIONS, Combination, Probed


def history(norm, ratio=None) -> History:
    norm = np.array(norm, float)
    steps = np.arange(norm.shape[1]) * 10 + 10
    ratio = np.full_like(norm, 1e-3) if ratio is None else np.array(ratio, float)
    return History(("conv1", "layer1.0.conv1", "fc"), steps, norm, ratio)


def eight(sigmoid: float, relu: float, norm: float) -> list[Probed]:
    """Eight networks whose first layer has that share of the last convolution's gradient, 2."""
    share = {"sigmoid": sigmoid, "relu": relu}
    return [Probed(one, ("conv1", "layer3.0.conv2", "fc"), (2 * (norm if one.norm else share[one.activation]), 2.0, 1.0), 2.3)
            for one in COMBINATIONS]


@pytest.mark.parametrize(("value", "text"), [(0.18321, "0.183"), (12.44, "12.4"), (1234.5, "1,234"), (0, "0"),
                                             (3.44e-5, "3.4e−5"), (7.9e4, "7.9e4"), (float("nan"), "not known")])
def test_numbers(value, text):
    assert words.number(value) == text


def test_numbers_in_a_formula():
    assert words.tex(3.4e-5) == r"3.4 \cdot 10^{-5}" and words.tex(0.5) == "0.5"


@pytest.mark.parametrize(("ratio", "says"), [(1e-9, "vanishes"), (0.02, "arrives"), (40, "arrives"), (190, "explodes"),
                                             (float("nan"), "vanishes"), (0.0, "vanishes")])
def test_verdicts(ratio, says):
    assert words.verdict(ratio) == says and says in words.VERDICTS


def test_the_finding_names_first_last_and_what_it_means():
    said = words.finding(history([[1e-6, 1e-6], [1, 1], [3, 3]]), "norm")
    assert "the first layer's gradient is 1.0e−6" in said and "last convolution's 1" in said and "vanishes" in said
    assert "reaches" in words.finding(history([[0.5, 0.5], [1, 1], [3, 3]]), "norm")
    moved = words.finding(history([[1, 1]] * 3, [[1, 1e-4], [1, 2e-3], [1, 3e-2]]), "update_ratio")
    assert "0.2 %" in moved and "from 0.01 to 3 %" in moved and "Step 20" in moved


def test_the_story_finds_the_peak_the_fastest_step_and_the_dead():
    norm = [[0, 0, 0, 0], [1, 50, 1, 1], [1, 1, 1, 1]]
    lines = "\n".join(words.story(history(norm, [[0] * 4, [1e-3, 1e-3, 4e-2, 1e-3], [1e-3, 1e-3, 4e-2, 1e-3]])))
    assert "most strongly at step 20: 50" in lines and "fastest at step 30: by 4 %" in lines
    assert "conv1 never had a gradient" in lines
    assert "first layer's gradient is 0, the last convolution's 1. In this step the first or the last had none" in lines
    begun = "\n".join(words.story(history([[400, 1], [0.1, 1], [1, 1]])))
    assert "gradient is 400, the last convolution's 0.1. In this step the first had 4,000 times the last's" in begun
    assert "the signal explodes" in begun
    calm = "\n".join(words.story(history([[0.1, 0.4]] * 3)))
    assert "most strongly" not in calm and "never" not in calm
    assert "at least 0.1 (step 10) and at most 0.4 (step 20)" in calm


def test_statements_follow_the_measurements():
    assert [holds for _, holds, _ in words.statements(eight(1e-9, 0.5, 0.2))] == [True] * 3
    assert [holds for _, holds, _ in words.statements(eight(0.5, 1e-9, 1e-9))] == [False] * 3
    assert "1.0e−9 and 1.0e−9" in words.statements(eight(1e-9, 0.5, 0.2))[0][2]


def test_the_comparison_shows_another_run_only_where_it_is_one():
    rows = words.comparison(eight(1e-9, 0.5, 0.2), 20, "pytorch")
    assert [row["network"] for row in rows] == [one.name for one in COMBINATIONS]
    assert rows[0]["another run"] == "9.0e−17" and rows[0]["first / last"] == "1.0e−9" and rows[0]["the signal"] == "vanishes"
    assert not any(row["another run"] for row in words.comparison(eight(1, 1, 1), 20, "he"))
    deep = {row["network"]: row["another run"] for row in words.comparison(eight(1, 1, 1), 56, "pytorch")}
    assert deep[Combination("relu", True, False).name] == "190" and sum(map(bool, deep.values())) == 1


def test_formulas_carry_the_numbers():
    found = "\n".join(words.formulas(history([[0.1, 0.25], [1, 1], [1, 1]])))
    assert "g_1 = 0.25" in found and r"u_1 = 0.001" in found
    said = "\n".join(words.probe_formulas(eight(1e-9, 1, 1), 20))
    assert r"\left(\tfrac14\right)^{18} = 1.5 \cdot 10^{-11}" in said and r"2.0 \cdot 10^{-9}" in said
    assert "from 2.0e−9 (Sigmoid, no batch norm, plain) to 2 (" in words.probe_finding(eight(1e-9, 1, 0.5), 20)


def test_the_code_runs(capsys):
    exec(words.probe_code(8, "digits", 3, "he"), {})  # what the page shows must do what it says
    assert len(capsys.readouterr().out.splitlines()) == 8


def test_the_code_of_a_run_runs():
    import torch
    from torch import nn
    from torch.nn import functional as F

    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 10))
    names = {"nn": nn, "F": F, "model": model, "optimizer": torch.optim.SGD(model.parameters(), 0.5),
             "pictures": torch.randn(2, 3, 8, 8), "labels": torch.tensor([1, 2])}
    exec(words.CODE, names)
    assert [float(ratio) for ratio in names["ratios"]] == pytest.approx(
        [float(0.5 * norm / before.norm()) for norm, before in zip(names["norms"], names["before"])], rel=1e-3)
