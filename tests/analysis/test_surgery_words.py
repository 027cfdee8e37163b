"""What is said of an operation is what was measured; the code that is shown runs; twins are told from strangers."""

import pytest
import torch

from resnet_viz import checkpoints
from resnet_viz.analysis import surgery, surgery_twins, surgery_words
from resnet_viz.analysis.measurement import uncertainty
from resnet_viz.networks import zoo

ALONE = {"layer1.0": 0.85, "layer2.0": 0.3, "layer2.1": 0.88}


def test_the_finding_names_the_least_and_the_most_needed():
    said = surgery_words.finding("net", 0.9, ALONE, True, 1000).replace("\xa0", " ")
    assert said == ("net is right in 90.0 %; without layer2.1 alone it is still right in 88.0 %, without layer2.0 in 30.0 %. "
                    "2 of 3 blocks alone cost less than 7 points.")
    said = surgery_words.finding("net", 1.0, dict.fromkeys(ALONE, 0.2), False, 1000)
    assert "still gives the same answer in 20.0" in said and "cost less" not in said


@pytest.mark.parametrize(("chosen", "scale", "said"), [
    ([], 0, "Whole"), (["a"], 1, "Whole"), (["a"], 0, "Without a"), (["a", "b"], 0, "Without a and b"),
    (["a", "b", "c"], 0.5, "With 0.5 F(x) in 3 blocks")])
def test_operations(chosen, scale, said):
    assert surgery_words.operation(chosen, scale) == said


def test_rows_have_both_networks_and_chance():
    ways = {"layer1.0": "identity", "layer2.0": "padding"}
    rows = surgery_words.rows({"r": ALONE, "p": {"layer1.0": 0.1}}, {"r": 0.9, "p": 0.6}, ways, 500)
    assert [row["block"] for row in rows] == ["none", "layer1.0", "layer2.0"]
    assert rows[0]["p"] == 0.6 and rows[1]["p"] == 0.1 and "p" not in rows[2]
    assert [row["block"] for row in surgery_words.rows({"r": ALONE}, {}, ways, 500)] == ["layer1.0", "layer2.0"]
    assert rows[1]["r"] == 0.85 and rows[1]["± of r"] == uncertainty(0.85, 500) and rows[2]["what is left"].startswith("x, thinned")


@pytest.mark.parametrize(("name", "network"), [("residual", "resnet8"), ("plain", "plain8")])
def test_the_code_that_is_shown_runs(tmp_path, monkeypatch, name, network):
    model = zoo.build(network)
    header = {"network": network, "arguments": {}, "classes": None,
              "preprocessing": {"size": 32, "resize": 32, "mean": [0.5] * 3, "std": [0.25] * 3}}
    file = tmp_path / "net.safetensors"
    checkpoints.write(file, model.state_dict(), header)
    shown = surgery_words.code(str(file), {"layer2.0": 0.5}, surgery.way_around(model, "layer2.0"), 3, 32)
    pictures = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    known = {"pictures": pictures, "around": lambda x: torch.nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 8, 8))}
    exec(shown, known)  # leaves the last line's hook in place, which does the same as the context before it
    with torch.no_grad():
        again = known["model"].eval()(pictures)
    assert torch.allclose(known["logits"], again, atol=1e-5)
    with torch.no_grad():
        assert not torch.allclose(again, model.eval()(pictures), atol=1e-3)


def test_twins():
    def spec(name, **arguments):
        return surgery_twins.spec_of(name, arguments)
    assert surgery_twins.are_twins(spec("resnet20"), spec("plain20"))
    assert surgery_twins.are_twins(spec("plain20"), spec("resnet20", shortcut="B", heads=[3]))
    assert not surgery_twins.are_twins(spec("resnet20"), spec("resnet20"))
    assert not surgery_twins.are_twins(spec("resnet20"), spec("plain56"))
    assert not surgery_twins.are_twins(spec("simple-cnn"), spec("plain20"))
    assert surgery_twins.spec_of("nobody", {}) is None


def test_what_else_sets_two_runs_apart():
    mine = {"network": "resnet20", "epochs": 12, "lr": 0.1, "threads": 1}
    same, other = {**mine, "network": "plain20", "threads": 2}, {**mine, "network": "plain20", "epochs": 90}
    assert surgery_twins.trained_apart(mine, same) == [] and surgery_twins.trained_apart(mine, other) == ["epochs"]
    assert surgery_twins.trained_apart(None, other) == []
    assert surgery_twins.closest_first(mine, {"far": other, "near": same}) == ["near", "far"]
