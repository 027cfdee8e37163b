"""`landscape`: a file, gone on with after a stop; the same loss as `evaluate`; or one sentence."""

import pytest
import torch

from resnet_viz import checkpoints
from resnet_viz.__main__ import main
from resnet_viz.analysis import landscape, landscape_file, landscape_work, measurement
from resnet_viz.networks import zoo

from .foreign_networks import randomised

HEADER = {
    "network": "resnet8",
    "arguments": {},
    "preprocessing": {"size": 16, "resize": 16, "mean": [0.5] * 3, "std": [0.25] * 3},
}
LINE = ["landscape", "w.safetensors", "--data", "digits", "--limit", "30", "--out", "a.npz"]


@pytest.fixture
def made(tmp_path, monkeypatch):
    torch.manual_seed(0)
    checkpoints.write(tmp_path / "w.safetensors", randomised(zoo.build("resnet8")).state_dict(), HEADER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_writes_the_losses_and_goes_on_where_it_was_stopped(made, capsys, monkeypatch):
    monkeypatch.setattr(landscape_work, "SAVE_S", 0.004)

    def interrupted(landscape_now):
        landscape_file.write(made / "a.npz", landscape_now)
        if landscape_now.done.sum() >= 3:
            raise KeyboardInterrupt

    compute = landscape_work.compute
    monkeypatch.setattr(
        landscape_work, "compute", lambda work, begun, save, progress: compute(work, begun, interrupted, progress, 1)
    )
    assert main([*LINE, "--grid", "7"]) == 1
    out, err = capsys.readouterr()
    half = landscape_file.read(made / "a.npz")
    assert (
        not out and f"holds {half.done.sum()} of 49 points; the same command goes on." in err and 3 <= half.done.sum()
    )
    monkeypatch.setattr(landscape_work, "compute", compute)
    assert main(["--grid", "7", *LINE]) == 0
    found = landscape_file.read(made / "a.npz")
    loss = measurement.measure(checkpoints.read(made / "w.safetensors"), "digits", limit=30)["loss"]
    assert found.complete and (found.loss[half.done] == half.loss[half.done]).all()
    assert landscape.middle_loss(found) == pytest.approx(loss, rel=1e-5)
    assert (
        f"7 x 7 points on 30 pictures in {found.recipe['seconds']:.0f} s; loss {loss:.4f} in the middle"
        in capsys.readouterr().out
    )
    assert (
        found.recipe["command"] == "python -m resnet_viz landscape w --data digits --grid 7 --limit 30 --out FILE.npz"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--grid", "20"], "odd number"),
        (["--limit", "0"], "--limit"),
        (["--seed", "-1"], "--seed"),
        (["--out", "a.png"], "must end in .npz"),
        (["--plane", "path"], "without its run"),
        (["--data", "nowhere"], "nowhere"),
        (["--plane", "flat"], "choose one of"),
        (["--data", "glyphs"], "labels a picture"),
        (["--grid", "x"], "--grid"),
    ],
)
def test_a_wrong_word_is_one_sentence(made, capsys, words, said):
    assert main([*LINE, *words]) == 2
    out, err = capsys.readouterr()
    assert said in err and err.count("\n") == 1 and not out and not (made / "a.npz").exists()


def test_a_file_of_something_else_is_left_alone(made, capsys):
    (made / "a.npz").write_bytes(b"mine")
    assert main(LINE) == 2 and "no landscape" in capsys.readouterr().err
    assert (made / "a.npz").read_bytes() == b"mine"
    (made / "a.npz").unlink()
    assert main([*LINE, "--grid", "3"]) == 0
    before = (made / "a.npz").read_bytes()
    assert main([*LINE, "--grid", "5"]) == 2 and "another landscape" in capsys.readouterr().err
    assert (made / "a.npz").read_bytes() == before
