"""One update of the weights: pictures, loss, gradients, step. All of it stays on the device; nothing here waits for it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..analysis import gradients
from . import batches
from .work import Work


@dataclass(frozen=True)
class Outcome:
    """What one update gave, as scalars on the device: reading them makes the host wait.

    loss    mean data loss of the batch, without penalties
    right   how many pictures were answered right
    norms, ratios   of a watched update: see analysis.gradients.norms and update_ratios; else None
    """

    loss: Tensor
    right: Tensor
    norms: Tensor | None = None
    ratios: Tensor | None = None


class Update:
    """Whatever changes with every step: the network's weights and the optimiser.

    judged   the work whose network is validated, tested and saved for use
    """

    def __init__(self, work: Work, optimizer: torch.optim.Optimizer):
        self.work, self.config, self.optimizer = work, work.config, optimizer
        self.judged = work

    def draw(self, epoch: int) -> batches.Plan:
        """What happens to every training picture in this epoch."""
        return batches.plan(self.work, epoch)

    def step(self, samples: Tensor, choices: batches.Plan, lr: float, watch: bool = False) -> Outcome:
        """One update from these training pictures (int64 [B], on any device) at this learning rate."""
        work, device = self.work, self.work.device
        batch = batches.batch(work, samples.to(device), choices)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        with torch.autocast(device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            logits = work.model(batch.pictures)
        loss, right = batches.loss_and_right(logits, batch, work)
        self.optimizer.zero_grad()
        loss.backward()
        if watch:
            norms, before = gradients.norms(work.model), gradients.copies(work.model)
        self.optimizer.step()
        watched = (norms, gradients.update_ratios(work.model, before)) if watch else ()
        return Outcome(loss.detach(), right, *watched)

    def state(self) -> dict[str, Tensor]:
        """What a continuation needs beside the weights and the optimiser's own state."""
        return {}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take up what `state` gave; without it, begin from the network's weights of now."""
