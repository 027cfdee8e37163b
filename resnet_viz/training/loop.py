"""The training loop: batches, steps, epochs, and what is written down on the way."""

import math
import time
from dataclasses import replace
from pathlib import Path

import torch

from .. import runs
from ..analysis import gradients
from ..data.augmentation import batch_order
from ..number_text import duration
from . import failures, fine_tuning, saving
from .config import Config
from .control import Control
from .event_file import EventFile
from .readings import Readings
from .recipe import make_optimizer
from .status import Status
from .update import Update
from .work import prepare

RECORD_EVERY = 10  # steps between two train rows, and between two rows of gradients
RESUME_EVERY_S = 60.0  # at most that much work is lost in the middle of a long epoch
PAUSE_POLL_S = 0.05


def train(run: Path, config: Config, status: Status, progress=None, make_update=Update) -> str:
    """Train, or go on training, the run that lies in `run`; returns "finished" or "stopped".

    progress(text) is called whenever there is something to tell a person at a terminal. make_update(work, optimizer)
    is the update, where several processes share it.
    """
    torch.set_num_threads(config.threads)
    torch.backends.cudnn.benchmark = True  # try the ways to convolve and take the fastest: every batch has the same shape
    status.update(message="loading the pictures", device=config.device, threads=config.threads, torch=torch.__version__)
    def told(done, total, text):
        status.note(message=f"{text}: {done:,} of {total:,}")

    work = prepare(config, told)
    if config.start_from and not runs.weights_file(run, "initial"):
        work = replace(work, notes=(*work.notes, fine_tuning.begin(work.model, config, work.classes, work.heads, told)))
    for note in work.notes if progress else ():
        progress(note)
    status.note(notes=work.told())
    update = make_update(work, make_optimizer(work.model, config))
    position = saving.restore(run, update)
    runs.cut_after(run, position.step, position.epoch)
    if not runs.weights_file(run, "initial"):
        saving.write_fixed_pictures(run, work)
        saving.write_weights(run / "initial.safetensors", work, position, {})  # last: it says that the beginning was kept
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
        self.control = Control(run, self.config, self.steps_per_epoch, position.step)
        self.readings = Readings(self.work.device)
        self.event_file = EventFile(run) if self.config.tensorboard else None
        self.lr = self.control.lr(max(position.step - 1, 0))  # of the last update
        self.saved_at, self.speed = time.monotonic(), None
        self._reset_sums()

    def go(self) -> str:
        if self.position.step == 0:
            self._snapshot()
        self.status.update(state="running", message="training", total_steps=self.total_steps, step=self.position.step, epoch=self.position.epoch)
        while self.position.epoch < self.config.epochs:
            if not self.epoch():
                self._stop()
                return "stopped"
        self._finish()
        return "finished"

    def epoch(self) -> bool:
        """The rest of the current epoch; False if it was stopped in the middle."""
        self.work.model.train()
        epoch, count = self.position.epoch, len(self.work.train)
        order = batch_order(self.config.seed, epoch, count).to(self.work.device)  # all at once: no step waits for a copy
        choices = self.update.draw(epoch)
        first = self.position.step - epoch * self.steps_per_epoch
        parts = list(order.split(self.config.batch_size)[first:self.steps_per_epoch])
        self.update.expect(parts, choices)
        for index, samples in enumerate(parts, first):
            if not self._may_go_on():
                return False
            started = time.monotonic()
            self._step(samples, choices)
            if index == self.steps_per_epoch - 1 and self.work.device.type == "cuda":
                torch.cuda.synchronize()  # once an epoch, so that its time holds all of its work
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
        """Apply what people asked for; wait while paused; False when the run shall stop, Problem where it was deleted."""
        failures.check_there(self.run)
        self.control.read(self.position.step)
        if not between_epochs and self.control.paused(self.position.step):
            self._record()
            self._save_resume()
            self.status.update(state="paused", message="paused", step=self.position.step, images_per_s=None, eta_s=None)
            while self.control.paused(self.position.step):
                time.sleep(PAUSE_POLL_S)
                failures.check_there(self.run)
                self.control.read(self.position.step)
            self.status.update(state="running", message="training")
        return not self.control.stopping

    def _step(self, samples: torch.Tensor, choices) -> None:
        self.readings.take()
        self.lr = self.control.lr(self.position.step)
        watch = (self.position.step + 1) % RECORD_EVERY == 0 or self.position.step == 0
        outcome = self._updated(samples, choices, watch)
        if outcome is None:
            raise failures.too_large(self.update, samples, choices)
        if watch:
            self._record_gradients(outcome.norms, outcome.ratios)
        # kept on the device: reading them now would make the host wait for every step
        self.loss_sum += outcome.loss * len(samples)
        self.right_sum += outcome.right
        self.good_steps += torch.isfinite(self.loss_sum)
        self.count += len(samples)
        self.position.step += 1
        self.position.images += len(samples)

    def _updated(self, samples: torch.Tensor, choices, watch: bool):
        """What the update gave; None where memory ran out: by then the error, and all that it held on to, is gone."""
        try:
            return self.update.step(samples, choices, self.lr, watch)
        except (RuntimeError, MemoryError) as error:
            if not failures.ran_out(error):
                raise
        return None

    def _keep_time(self, started: float, images: int) -> None:
        seconds = time.monotonic() - started
        self.position.elapsed_s += seconds
        now = images / max(seconds, 1e-9)
        self.speed = now if self.speed is None else 0.9 * self.speed + 0.1 * now
        left = (self.total_steps - self.position.step) * self.config.batch_size
        self.status.note(step=self.position.step, images_per_s=round(self.speed, 1), eta_s=round(left / self.speed, 1))

    def _reset_sums(self) -> None:
        self.loss_sum, self.right_sum, self.good_steps = torch.zeros(3, device=self.work.device).unbind()
        self.count, self.reset_at = 0, self.position.step

    def _row(self, split: str, loss: float, accuracy: float) -> dict:
        return {"split": split, "epoch": self.position.epoch, "step": self.position.step, "images": self.position.images,
                "loss": round(loss, 6), "accuracy": round(accuracy, 6), "lr": round(self.lr, 8), "elapsed_s": round(self.position.elapsed_s, 3)}

    def _write_row(self, row: dict) -> None:
        runs.append(self.run / "metrics.jsonl", row)
        if self.event_file:
            self.event_file.add(row)

    def _record(self) -> None:
        """One train row over the batches since the last, written once its numbers have arrived."""
        if not self.count:
            return
        row, count, first = self._row("train", 0.0, 0.0), self.count, self.reset_at + 1

        def write(numbers: list[float]) -> None:
            loss, right, good_steps = numbers
            if not math.isfinite(loss):
                raise failures.diverged(first + round(good_steps), row["lr"])
            self._write_row({**row, "loss": round(loss / count, 6), "accuracy": round(right / count, 6)})

        self.readings.ask(self.update.total(torch.stack([self.loss_sum, self.right_sum, self.good_steps])), write)
        self._reset_sums()
        if time.monotonic() - self.saved_at > RESUME_EVERY_S:
            self._save_resume()

    def _record_gradients(self, norms: torch.Tensor, ratios: torch.Tensor) -> None:
        names = gradients.weights_of(self.work.model)
        row = {"step": self.position.step + 1, "epoch": self.position.epoch}

        def write(parts: list[list[float]]) -> None:
            if all(math.isfinite(number) for part in parts for number in part):
                found = [{name: float(f"{number:.4g}") for name, number in zip(names, part)} for part in parts]
                runs.append(self.run / "gradients.jsonl", {**row, "norm": found[0], "update_ratio": found[1]})

        self.readings.ask(torch.stack([norms, ratios]), write)

    def _snapshot(self, confusion=None) -> None:
        saving.write_snapshot(self.run, self.update.judged, self.position, self.lr, confusion)

    def _check_weights(self) -> None:
        """Refuse to save, or to go on from, weights that the last update broke: the files keep the last good ones."""
        self.readings.take(wait=True)
        if not torch.stack([torch.isfinite(p).all() for p in self.work.model.parameters()]).all():
            raise failures.diverged(self.position.step, self.lr)

    def _save_resume(self) -> None:
        self._check_weights()
        saving.write_resume(self.run, self.update, self.position)
        self.saved_at = time.monotonic()

    def _end_of_epoch(self) -> None:
        self._check_weights()
        self.position.epoch += 1
        self.status.update(message="evaluating", epoch=self.position.epoch)
        metrics, confusion = {}, None
        if len(self.work.val):
            result = saving.evaluate(self.update.judged, self.work.val.images, self.work.val.labels)
            if not math.isfinite(result.loss):
                raise failures.diverged(self.position.step, self.lr)
            metrics, confusion = {"val_loss": result.loss, "val_accuracy": result.accuracy}, result.confusion
            self._write_row(self._row("val", result.loss, result.accuracy))
            if result.accuracy > self.position.best_accuracy:
                self.position.best_accuracy, self.position.best_epoch = result.accuracy, self.position.epoch
                saving.write_weights(self.run / "best.safetensors", self.update.judged, self.position, metrics)
        self._snapshot(confusion)
        saving.write_weights(self.run / "last.safetensors", self.update.judged, self.position, metrics)
        if saving.keeps_weights(self.work):
            saving.write_weights(self.run / "weights" / f"{self.position.epoch:04d}.safetensors", self.update.judged, self.position, metrics, half=True)
        self._save_resume()
        self.status.update(message="training", last_good_epoch=self.position.epoch, notes=self.work.told())
        accuracy = f", validation accuracy {metrics['val_accuracy']:.2%}" if metrics else ""
        left = (self.total_steps - self.position.step) * self.config.batch_size / self.speed if self.speed else 0
        self.progress(f"epoch {self.position.epoch} of {self.config.epochs}{accuracy}, {self.speed or 0:,.0f} images/s, {duration(left)} left")

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
        self.status.update(state="finished", message="finished", step=self.position.step, notes=self.work.told())

    def _record_test(self, result) -> None:
        if not math.isfinite(result.loss):
            raise failures.diverged(self.position.step, self.lr)
        self._write_row(self._row("test", result.loss, result.accuracy))
        self.progress(f"test accuracy {result.accuracy:.2%}")
