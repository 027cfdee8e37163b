"""One update of the weights: pictures, loss, gradients, step. All of it stays on the device; nothing here waits for it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..analysis import gradients
from ..evaluation import mixed_precision
from . import batches, fine_tuning
from .averaging import Average
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
    """Whatever changes with every step: the network's weights, the optimiser, the averaged weights.

    judged   the work whose network is validated, tested and saved for use
    """

    def __init__(self, work: Work, optimizer: torch.optim.Optimizer):
        self.work, self.config, self.optimizer = work, work.config, optimizer
        # What is called in a step. Compiling takes a minute: it pays in long runs, and where CUDA is.
        self.network = torch.compile(work.model) if self.config.compile and work.device.type == "cuda" else work.model
        self.parameters = [p for p in work.model.parameters() if p.requires_grad]
        self.average = Average(work, self.config.ema_decay) if self.config.ema_decay else None
        self.judged = self.average.work if self.average else work
        # fp16 has few small numbers: the loss is multiplied so that its gradients are none of them (Micikevicius et al. 2018)
        self.scaler = torch.amp.GradScaler(work.device.type, enabled=self.config.precision == "fp16")

    def draw(self, epoch: int) -> batches.Plan:
        """What happens to every training picture in this epoch."""
        return batches.plan(self.work, epoch)

    def expect(self, parts: list[Tensor], choices: batches.Plan) -> None:
        """Which training pictures the next steps will ask for, so that those in files can be read in advance."""
        batches.expect(self.work, parts, choices)

    def step(self, samples: Tensor, choices: batches.Plan, lr: float, watch: bool = False) -> Outcome:
        """One update from these training pictures (int64 [B], on any device) at this learning rate."""
        return self.learn(self.batch(samples, choices), lr, watch)

    def batch(self, samples: Tensor, choices: batches.Plan) -> batches.Batch:
        """What the network gets to see of these training pictures."""
        return batches.batch(self.work, samples.to(self.work.device), choices)

    def learn(self, batch: batches.Batch, lr: float, watch: bool = False) -> Outcome:
        """One update from a batch that is ready."""
        work, device = self.work, self.work.device
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group["lr_factor"]
        if self.config.train_part != "all":
            fine_tuning.set_mode(work.model, self.config.train_part)
        with mixed_precision(device.type, self.config.precision):
            logits = self.network(batch.pictures)
        loss, right = batches.loss_and_right(logits, batch, work)
        self.optimizer.zero_grad()
        self.scaler.scale(self.weighted(loss)).backward()
        self.scaler.unscale_(self.optimizer)
        if watch:
            norms, before = gradients.norms(work.model), gradients.copies(work.model)
        self._change_gradients()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average:
            self.average.update()
        watched = (norms, gradients.update_ratios(work.model, before)) if watch else ()
        return Outcome(loss.detach(), right, *watched)

    def weighted(self, loss: Tensor) -> Tensor:
        """The loss to go down on, where others hold a part of the batch."""
        return loss

    def total(self, sums: Tensor) -> Tensor:
        """Float [3] on the device, added up here since the last call -> the same over all who share the batches: the
        loss times the batch size, right answers, and steps with a finite loss (the fewest of anybody)."""
        return sums

    def _change_gradients(self) -> None:
        """Clip the gradient of the data loss; then add that of the L1 penalty, which like weight decay is not clipped."""
        if self.config.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.config.clip_norm)
        if self.config.l1:
            weights = [p for p in self.parameters if p.ndim > 1]
            signs = torch._foreach_sign([p.detach() for p in weights])
            torch._foreach_add_([p.grad for p in weights], signs, alpha=self.config.l1)

    def state(self) -> dict[str, Tensor]:
        """What a continuation needs beside the weights and the optimiser's own state."""
        tensors = self.average.state() if self.average else {}
        scale = self.scaler.state_dict()  # empty unless the loss is scaled
        return tensors | {f"scaler.{name}": torch.tensor(float(value)) for name, value in scale.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take up what `state` gave; without it, begin from the network's weights of now."""
        if self.average:
            self.average.load(tensors)
        scale = {name.removeprefix("scaler."): tensor.item() for name, tensor in tensors.items() if name.startswith("scaler.")}
        if scale:
            whole = {name: int(value) if name in ("growth_interval", "_growth_tracker") else value for name, value in scale.items()}
            self.scaler.load_state_dict(whole)
