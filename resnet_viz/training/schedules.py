"""How the learning rate changes over a run: each schedule a name and a function of the moment.

Every rate is set anew for every step. A fall "after an epoch" holds from the first step of the next one on.
"""

import math
from dataclasses import dataclass

from .config import Config

FIRST = 0.01  # share of the rate with which a rise begins: the very first step should move something


@dataclass(frozen=True)
class Moment:
    """step: updates done before this one. One epoch has total_steps / epochs of them."""

    step: int
    total_steps: int
    epochs: int

    @property
    def progress(self) -> float:
        """0 at the start, 1 at the end."""
        return self.step / max(self.total_steps, 1)

    @property
    def epoch(self) -> float:
        """Exactly whole between two epochs."""
        return self.step * self.epochs / max(self.total_steps, 1)

    def steps(self, epochs: float) -> float:
        return epochs * self.total_steps / max(self.epochs, 1)


def constant(config: Config, now: Moment) -> float:
    return config.lr


def step(config: Config, now: Moment) -> float:
    """A fall every step_epochs."""
    return config.lr * config.gamma ** (now.epoch // config.step_epochs)


def multi_step(config: Config, now: Moment) -> float:
    """A fall at each milestone; one below 1 is a share of the run."""
    epochs = [m * config.epochs if m < 1 else m for m in config.milestones]
    return config.lr * config.gamma ** sum(now.epoch >= e for e in epochs)


def exponential(config: Config, now: Moment) -> float:
    """A fall after every epoch."""
    return config.lr * config.gamma ** math.floor(now.epoch)


def cosine(config: Config, now: Moment) -> float:
    """Half a cosine from lr to min_lr, after the warm-up (Loshchilov and Hutter 2017, equation 5, without restarts)."""
    warm = now.steps(config.warmup_epochs)
    progress = now.progress if not warm else max(0.0, (now.step - warm) / max(now.total_steps - warm, 1))
    return config.min_lr + (config.lr - config.min_lr) * (0.5 * (1 + math.cos(math.pi * progress)))


def one_cycle(config: Config, now: Moment) -> float:
    """Up in a straight line until peak_at, then down in one to 0 (Smith and Topin 2017)."""
    if now.progress < config.peak_at:
        return config.lr * max(now.progress / config.peak_at, FIRST)
    return config.lr * ((1 - now.progress) / (1 - config.peak_at))


def cyclical(config: Config, now: Moment) -> float:
    """From min_lr up to lr and back, in straight lines, again and again (Smith 2017, "triangular")."""
    place = now.epoch / config.cycle_epochs % 1
    return config.min_lr + (config.lr - config.min_lr) * (1 - abs(2 * place - 1))


SCHEDULES = {
    "constant": constant,
    "step": step,
    "multi-step": multi_step,
    "exponential": exponential,
    "cosine": cosine,
    "one-cycle": one_cycle,
    "cyclical": cyclical,
}


def learning_rate(config: Config, step: int, total_steps: int) -> float:
    """The rate of update number `step` (0 is the first), before any change by hand."""
    now = Moment(step, total_steps, config.epochs)
    rate, warm = SCHEDULES[config.schedule](config, now), now.steps(config.warmup_epochs)
    return rate * (FIRST + (1 - FIRST) * step / warm) if step < warm else rate
