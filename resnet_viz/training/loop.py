"""The training loop: batches, steps, epochs, and what is written down on the way."""

import math
import time
from pathlib import Path

import torch

from .. import runs
from ..analysis import gradients
from ..data.augmentation import batch_order
from ..problems import Problem
from . import saving
from .config import Config
from .control import Control
from .recipe import make_optimizer
from .status import Status
from .update import Update
from .work import prepare

RECORD_EVERY = 10  # steps between two train rows, and between two rows of gradients
RESUME_EVERY_S = 60.0  # at most that much work is lost in the middle of a long epoch
PAUSE_POLL_S = 0.05


def train(run: Path, config: Config, status: Status, progress=None) -> str:
    """Train, or go on training, the run that lies in `run`; returns "finished" or "stopped".

    progress(text) is called whenever there is something to tell a person at a terminal.
    """
    torch.set_num_threads(config.threads)
    status.update(message="loading the pictures", device=config.device, threads=config.threads, torch=torch.__version__)
    work = prepare(config, lambda done, total, text: status.note(message=f"{text}: {done:,} of {total:,}"))
    update = Update(work, make_optimizer(work.model, config))
    position = saving.restore(run, update)
    runs.cut_after(run, position.step, position.epoch)
    if not runs.weights_file(run, "initial"):
        saving.write_weights(run / "initial.safetensors", work, position, {})
        saving.write_fixed_pictures(run, work)
    return Loop(run, update, position, status, progress or (lambda text: None)).go()


class Loop:
    """The moving parts of one run; `go` is the whole of it."""

    def __init__(self, run: Path, update: Update, position: saving.Position, status: Status, progress):
        self.run, self.update, self.position, self.status, self.progress = run, update, position, status, progress
        self.work, self.config = update.work, update.config
        # A last batch of one picture is left out: batch norm cannot take the variance of one value.
        count, size = len(self.work.train), self.config.batch_size
        self.steps_per_epoch = max(1, count // size + (count % size > 1))
        self.total_steps = self.steps_per_epoch * self.config.epochs
        self.control = Control(run, self.config, self.steps_per_epoch)
        self.lr = self.control.lr(max(position.step - 1, 0))  # of the last update
        self.saved_at, self.speed = time.monotonic(), None
        self._reset_sums()

    def go(self) -> str:
        if self.position.step == 0:
            self._snapshot()
        self.status.update(state="running", message="training", total_steps=self.total_steps, step=self.position.step, epoch=self.position.epoch)
        while self.position.epoch < self.config.epochs:
            if not self._epoch():
                self._stop()
                return "stopped"
        self._finish()
        return "finished"

    def _epoch(self) -> bool:
        """The rest of the current epoch; False if it was stopped in the middle."""
        self.work.model.train()
        epoch, count = self.position.epoch, len(self.work.train)
        order = batch_order(self.config.seed, epoch, count)
        choices = self.update.draw(epoch)
        for index in range(self.position.step - epoch * self.steps_per_epoch, self.steps_per_epoch):
            if not self._may_go_on():
                return False
            started = time.monotonic()
            samples = order[index * self.config.batch_size: (index + 1) * self.config.batch_size]
            self._step(samples, choices)
            self._keep_time(started, len(samples))
            if self.position.step == 1 or self.position.step % RECORD_EVERY == 0 or index == self.steps_per_epoch - 1:
                self._record()
            if epoch == 0 and index < self.steps_per_epoch - 1 and self.position.step.bit_count() == 1:
                self._snapshot()
        if not self._may_go_on(between_epochs=True):
            return False
        self._end_of_epoch()
        return True

    def _may_go_on(self, between_epochs: bool = False) -> bool:
        """Apply what people asked for; wait while paused; False when the run shall stop."""
        self.control.read(self.position.step)
        if not between_epochs and self.control.paused(self.position.step):
            saving.write_resume(self.run, self.update, self.position)
            self.status.update(state="paused", message="paused", step=self.position.step, images_per_s=None, eta_s=None)
            while self.control.paused(self.position.step):
                time.sleep(PAUSE_POLL_S)
                self.control.read(self.position.step)
            self.status.update(state="running", message="training")
        return not self.control.stopping

    def _step(self, samples: torch.Tensor, choices) -> None:
        self.lr = self.control.lr(self.position.step)
        watch = (self.position.step + 1) % RECORD_EVERY == 0 or self.position.step == 0
        outcome = self.update.step(samples, choices, self.lr, watch)
        if watch:
            self._record_gradients(outcome.norms, outcome.ratios)
        # kept on the device: reading them now would make the host wait for every step
        self.loss_sum += outcome.loss * len(samples)
        self.right_sum += outcome.right
        self.count += len(samples)
        self.position.step += 1
        self.position.images += len(samples)

    def _keep_time(self, started: float, images: int) -> None:
        seconds = time.monotonic() - started
        self.position.elapsed_s += seconds
        now = images / max(seconds, 1e-9)
        self.speed = now if self.speed is None else 0.9 * self.speed + 0.1 * now
        left = (self.total_steps - self.position.step) * self.config.batch_size
        self.status.note(step=self.position.step, images_per_s=round(self.speed, 1), eta_s=round(left / self.speed, 1))

    def _reset_sums(self) -> None:
        self.loss_sum = torch.zeros((), device=self.work.device)
        self.right_sum = torch.zeros((), device=self.work.device)
        self.count = 0

    def _row(self, split: str, loss: float, accuracy: float) -> dict:
        return {"split": split, "epoch": self.position.epoch, "step": self.position.step, "images": self.position.images,
                "loss": round(loss, 6), "accuracy": round(accuracy, 6), "lr": round(self.lr, 8), "elapsed_s": round(self.position.elapsed_s, 3)}

    def _record(self) -> None:
        """One train row over the batches since the last; a loss that is no number ends the run with a sentence."""
        if not self.count:
            return
        loss, accuracy = float(self.loss_sum) / self.count, float(self.right_sum) / self.count
        self._reset_sums()
        if not math.isfinite(loss):
            raise Problem(f"The loss is no longer a number at step {self.position.step}: the learning rate {self.lr:g} is too high. "
                          "The weights of the last good epoch are kept; start again with a smaller one.")
        runs.append(self.run / "metrics.jsonl", self._row("train", loss, accuracy))
        if time.monotonic() - self.saved_at > RESUME_EVERY_S:
            self._save_resume()

    def _record_gradients(self, norms: torch.Tensor, ratios: torch.Tensor) -> None:
        names = gradients.weights_of(self.work.model)
        if torch.isfinite(norms).all() and torch.isfinite(ratios).all():
            row = {"step": self.position.step + 1, "epoch": self.position.epoch}
            row["norm"] = {name: float(f"{value:.4g}") for name, value in zip(names, norms.tolist())}
            row["update_ratio"] = {name: float(f"{value:.4g}") for name, value in zip(names, ratios.tolist())}
            runs.append(self.run / "gradients.jsonl", row)

    def _snapshot(self, confusion=None) -> None:
        saving.write_snapshot(self.run, self.update.judged, self.position, self.lr, confusion)

    def _save_resume(self) -> None:
        saving.write_resume(self.run, self.update, self.position)
        self.saved_at = time.monotonic()

    def _end_of_epoch(self) -> None:
        self.position.epoch += 1
        self.status.update(message="evaluating", epoch=self.position.epoch)
        metrics, confusion = {}, None
        if len(self.work.val):
            result = saving.evaluate(self.update.judged, self.work.val.images, self.work.val.labels)
            metrics, confusion = {"val_loss": result.loss, "val_accuracy": result.accuracy}, result.confusion
            runs.append(self.run / "metrics.jsonl", self._row("val", result.loss, result.accuracy))
            if result.accuracy > self.position.best_accuracy:
                self.position.best_accuracy, self.position.best_epoch = result.accuracy, self.position.epoch
                saving.write_weights(self.run / "best.safetensors", self.update.judged, self.position, metrics)
        self._snapshot(confusion)
        saving.write_weights(self.run / "last.safetensors", self.update.judged, self.position, metrics)
        if saving.keeps_weights(self.work):
            saving.write_weights(self.run / "weights" / f"{self.position.epoch:04d}.safetensors", self.update.judged, self.position, metrics, half=True)
        self._save_resume()
        self.status.update(message="training", last_good_epoch=self.position.epoch)
        accuracy = f", validation accuracy {metrics['val_accuracy']:.2%}" if metrics else ""
        self.progress(f"epoch {self.position.epoch} of {self.config.epochs}{accuracy}, {self.speed or 0:,.0f} images/s")

    def _stop(self) -> None:
        """Keep everything at exactly this step, so that nothing is lost and a continuation is exact."""
        self._record()
        self._save_resume()
        saving.write_weights(self.run / "last.safetensors", self.update.judged, self.position, {})
        self.status.update(state="stopped", message=f"stopped at step {self.position.step:,}", images_per_s=None, eta_s=None)
        self.progress(f"stopped at step {self.position.step}; continue with --resume")

    def _finish(self) -> None:
        """The test pictures, once: with the best weights where validation chose some, else with the last."""
        self.status.update(message="evaluating on the test pictures", images_per_s=None, eta_s=None)
        which = "best" if runs.weights_file(self.run, "best") else "last"
        saving.finish_weights(self.run / f"{which}.safetensors", self.work, self._record_test)
        self.status.update(state="finished", message="finished", step=self.position.step)

    def _record_test(self, result) -> None:
        runs.append(self.run / "metrics.jsonl", self._row("test", result.loss, result.accuracy))
        self.progress(f"test accuracy {result.accuracy:.2%}")
