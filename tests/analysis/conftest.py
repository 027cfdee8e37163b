"""A run directory without training: random weights that move a known way from moment to moment."""

import pytest
import torch
from safetensors.torch import save

from resnet_viz import checkpoints, runs
from resnet_viz.data.preprocessing import Preprocessing
from resnet_viz.networks import zoo

EPOCHS, STEPS_PER_EPOCH = 2, 8
MOVES = 0.5  # of the initial weights, away from them, in the best epoch


def state_after(initial: dict, fraction: float) -> dict:
    """Every convolution scaled: 1 at the start, 1 + MOVES at the end."""
    return {name: tensor * (1 + MOVES * fraction) if tensor.ndim == 4 else tensor.clone()
            for name, tensor in initial.items()}


def write_run(run, keep_weights: bool):
    torch.manual_seed(0)
    initial = zoo.build("resnet8").state_dict()
    header = {"network": "resnet8", "arguments": {}, "classes": [str(i) for i in range(10)], "data": "shapes",
              "seed": 0, "preprocessing": Preprocessing(32, 32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)).to_dict()}
    runs.write_config(run, {"network": "resnet8"})
    moments = [(0, 0), (1, 0), (2, 0), (4, 0), (8, 1), (16, 2)]
    for step, epoch in moments:
        state = state_after(initial, step / (EPOCHS * STEPS_PER_EPOCH))
        tensors = {name: state[name].half() for name in ("conv1.weight", "layer1.0.conv1.weight")}
        metadata = {"step": str(step), "epoch": str(epoch), "images": str(128 * step), "lr": "0.1"}
        runs.write_atomic(run / "snapshots" / f"{step:08d}.safetensors", save(tensors, metadata=metadata))
        if keep_weights and step and step % STEPS_PER_EPOCH == 0:
            path = run / "weights" / f"{epoch:04d}.safetensors"
            checkpoints.write(path, state, {**header, "epoch": epoch}, half=True)
    for name, fraction, epoch in (("initial", 0, 0), ("best", 1, EPOCHS), ("last", 1, EPOCHS)):
        checkpoints.write(run / f"{name}.safetensors", state_after(initial, fraction), {**header, "epoch": epoch})
    return run


@pytest.fixture(scope="session")
def written_run(tmp_path_factory):
    """A finished run of resnet8 with snapshots and weights of each epoch."""
    return write_run(tmp_path_factory.mktemp("runs") / "written", keep_weights=True)


@pytest.fixture(scope="session")
def bare_run(tmp_path_factory):
    """The same without weights of each epoch."""
    return write_run(tmp_path_factory.mktemp("runs") / "bare", keep_weights=False)
