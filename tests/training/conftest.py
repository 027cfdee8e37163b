"""Small runs to learn from: real digits of 8x8 pixels, an eight-layer network, seconds each."""

import pytest

from resnet_viz import runs
from resnet_viz.training import process
from resnet_viz.training.config import Config, from_dict
from resnet_viz.training.loop import train
from resnet_viz.training.status import Status

TINY = Config(network="resnet8", data="digits", epochs=2, batch_size=64, lr=0.05, flip=0.0, crop_padding=1, threads=1,
              train_limit=600, device="cpu")


@pytest.fixture(autouse=True)
def own_queue(tmp_path_factory, monkeypatch):
    """Runs of one test wait for each other only, not for those of another test or of the person who works here."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path_factory.mktemp("queue")))


class StopAt(Status):
    """A status that asks for a stop as soon as it hears of a certain step."""

    stop_at: int | None = None

    def note(self, **changes):
        super().note(**changes)
        if self.stop_at is not None and changes.get("step") == self.stop_at:
            self.stop_at = None
            runs.send(self.run, "stop")


def train_here(config: Config, run, stop_at: int | None = None) -> str:
    """Train in this process: a new run, or the rest of one that lies in `run`."""
    if not runs.is_run(run):
        process.create(config, run)
    status = StopAt(run)
    status.stop_at = stop_at
    with status:
        return train(run, from_dict(runs.read_config(run)), status)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """One finished run that several tests read and none changes."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    assert train_here(TINY, run) == "finished"
    return run
