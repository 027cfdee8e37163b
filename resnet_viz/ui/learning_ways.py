"""Ways downhill: three optimisers on two grounds; schedules of the learning rate; sizes of the batch."""

from dataclasses import replace

import numpy as np
import streamlit as st

from ..analysis import learning_optimisers as ways
from ..analysis import learning_ways_questions as asked
from ..analysis import learning_words as words
from ..analysis.learning_words import short
from ..drawing import player
from ..training import schedules
from ..training.config import Config
from .learning_descent import choose_seen
from .learning_scene import Scene

COLOURS = (player.BLUE, player.VERMILLION, player.GREEN, player.ORANGE)
STEPS = 60
TOTAL, EPOCHS = 120, 12
PLANS = {  # name -> the fields of a run's recipe that make it
    "constant": {"schedule": "constant"},
    "decay": {"schedule": "step", "step_epochs": 4, "gamma": 0.3},
    "cyclical": {"schedule": "cyclical", "cycle_epochs": 4.0},
    "one-cycle": {"schedule": "one-cycle"},
}
SCHEDULE_CODE = """import torch
from resnet_viz.training.config import Config
from resnet_viz.training.schedules import learning_rate

config = Config(lr={rate:g}, epochs={epochs}, schedule="one-cycle")  # or "constant", "step", "cyclical"
optimiser = torch.optim.SGD(model.parameters(), lr=config.lr)
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimiser, lambda step: learning_rate(config, step, {total}) / config.lr)
# after every optimiser.step(): schedule.step(). Relatives in torch: StepLR, CyclicLR, OneCycleLR"""


# Momentum and Adam


def optimisers() -> Scene:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        ground_name = st.segmented_control("Ground", list(ways.GROUNDS), default="ravine", required=True, key="ground",
                                           bind="query-params")
        rate = st.select_slider("Learning rate", (0.005, 0.01, 0.03, 0.06, 0.09, 0.11), 0.03, key="speed",
                                bind="query-params", width=240)
        seen = choose_seen("from above")
        with st.popover("More", icon=":material/tune:"):
            momentum = st.slider("Momentum, and Adam's β₁", 0.0, 0.99, 0.9, 0.01, key="momentum", bind="query-params")
    ground = ways.GROUNDS[ground_name]
    paths = _walks(ground_name, rate, momentum)
    losses = {name: np.array([ground.loss(at) for at in path]) for name, path in paths.items()}
    return Scene(
        player.film(_race(ground, paths, losses, seen), [words.race_said(paths, ground, i) for i in range(STEPS + 1)],
                    [f"step {i} of {STEPS}" for i in range(STEPS + 1)], 20, 130),
        _story_of_optimisers(ground_name, rate),
        lambda frame: [line for name in paths for line in words.optimiser_formula(name, rate, momentum)],
        "import "
        "torch\n\n" + "\n".join(f"optimiser = "
                                f"{text.format(rate=rate, momentum=momentum)}" for text in ways.CODE.values()),
        [{"step": i} | {f"{name}: "
                        f"{axis}": float(path[i, k]) for name, path in paths.items() for k, axis in enumerate("xy")}
         | {f"{name}: loss": float(values[i]) for name, values in losses.items()} for i in range(STEPS + 1)],
        lambda frame: asked.of_optimisers(rate, momentum),
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _walks(ground: str, rate: float, momentum: float) -> dict[str, np.ndarray]:
    return {name: ways.walk(name, ways.GROUNDS[ground], rate, momentum, STEPS) for name in ways.OPTIMISERS}


def _race(ground: ways.Ground, paths: dict, losses: dict, seen: str) -> list[dict]:
    width, height = ground.view
    worth = [ground.loss(at) for at in ((0, 0), (width, 0), (0, height), (width, height))]
    steps = np.arange(STEPS + 1)
    saddle = min(ground.curves) < 0
    kept = np.concatenate(list(losses.values()))
    limits = (min(worth), ground.loss(ground.start) * 1.05) if saddle else (max(float(kept.min()), 1e-6), max(worth))
    finding = words.race_said(paths, ground, STEPS)
    return [
        player.plane(f"The ground: {ground.story}", f"Three paths from one start. {finding}", [ground.six()],
                     [player.path(name, path, colour) for (name, path), colour in zip(paths.items(), COLOURS)],
                     (-width, width), (-height, height), ("weight "
                         "x", "weight y"), seen, (min(worth), max(worth)), grey=True),
        player.lines("Loss", finding, [player.line(name, steps, values, colour, grows=True)
                                       for (name, values), colour in zip(losses.items(), COLOURS)],
                     (0, STEPS), limits, ("step", "loss" if saddle else "loss (log "
                         "scale)"), cursor=steps, log=not saddle, ratio=0.7),
    ]


def _story_of_optimisers(ground: str, rate: float) -> list[str]:
    curves = ways.GROUNDS[ground].curves
    told = ["**Plain descent** follows the slope of here and now. **Momentum** keeps a part of its last steps, like a "
            "ball that rolls. **Adam** "
            "divides each weight's step by the usual size of its slope, so that flat directions move as fast as steep "
            "ones."]
    if ground == "ravine":
        told.append(f"In the ravine the steep direction allows no rate above 2 / {curves[1]:g} = {2 / curves[1]:g} "
                    f"for plain descent; with "
                    f"{rate:g} each step along the floor covers only {rate * curves[0]:.1%} of the way that is left. "
                    f"Momentum gathers speed along "
                    "the floor while its steps across cancel out.")
    else:
        told.append("At the saddle the slope along y is almost nothing: the start lies 0.001 beside the ridge. Plain "
                    "descent slides to the middle "
                    "and waits there; momentum leaves sooner, Adam at once, for it does not care how small a slope "
                    "is. In the many dimensions of a "
                    "network saddles are far more frequent than valleys that lead nowhere.")
    return told + ["On these smooth grounds nothing is noisy. In real training slopes come from batches: see *Batch "
                   "size*."]


# Schedules


def schedule_rates(highest: float) -> dict[str, np.ndarray]:
    """The learning rate of each of TOTAL steps, by the schedules that the trainer uses."""
    base = Config(lr=highest, epochs=EPOCHS)
    return {name: np.array([schedules.learning_rate(replace(base, **plan), step, TOTAL) for step in range(TOTAL)])
            for name, plan in PLANS.items()}


def plans() -> Scene:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        highest = st.select_slider("Highest learning rate", (0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6), 0.8, key="highest",
                                   bind="query-params", width=300)
    rates, losses = schedule_rates(highest), _noisy(highest)
    steps = np.arange(TOTAL + 1)
    ends = sorted((float(values[-1]), name) for name, values in losses.items())
    finding = "At the end: " + ", ".join(f"{name} {short(value, 3)}" for value, name in ends) + "."
    drawn = [("Learning rate", rates, steps[:-1], (0, highest * 1.05), "learning rate", False, "wide", 0.55),
             (f"Mean loss of {ways.DRAWS} noisy "
              f"runs", losses, steps, (ends[0][0] * 0.7, max(values[0] for values in losses.values()) * 1.3),
              "loss (log scale)", True, "side", 0.8)]
    panels = [player.lines(title, finding, [player.line(name, at[: len(values)], values, colour, grows=True)
                                            for (name, values), colour in zip(which.items(), COLOURS)],
                           (0, TOTAL), limits, ("step", label), cursor=steps, log=log, ratio=ratio,
                           place=place, rule=True)
              for title, which, at, limits, label, log, place, ratio in drawn]
    return Scene(
        player.film(panels, [_rates_said(rates, losses, i) for i in range(TOTAL + 1)],
                    [f"step {i} of {TOTAL}, epoch {i * EPOCHS // TOTAL}" for i in range(TOTAL + 1)], TOTAL, 80),
        ["A large rate covers the long way quickly, but keeps jumping about in the noise. A small rate settles, but "
         "never gets there. A "
         "**schedule** does the one after the other.",
         "All four meet the same noise on the same ground, " + ways.NOISY.story + ". " + finding,
         "**Cyclical** (Smith 2017) goes up and down again and again: the loss falls whenever the rate falls. "
         "**One-cycle** (Smith and Topin 2017) "
         "does it once, and ends at almost 0. These are the trainer's own schedules: the page *Training* offers them."],
        lambda frame: [r"w_{t+1} = w_t - \eta_t\,(g_t + \text{noise})"] + [
            rf"\eta_{{{min(frame, TOTAL - 1)}}}^{{\text{{{name}}}}} = "
            rf"{words.tex(values[min(frame, TOTAL - 1)])}" for name, values in rates.items()],
        SCHEDULE_CODE.format(rate=highest, epochs=EPOCHS, total=TOTAL),
        [{"step": i} | {f"rate, {name}": float(values[min(i, TOTAL - 1)]) for name, values in rates.items()}
         | {f"loss, {name}": float(values[i]) for name, values in losses.items()} for i in steps.tolist()],
        lambda frame: asked.of_schedules(rates),
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _noisy(highest: float) -> dict[str, np.ndarray]:
    return {name: ways.noisy_losses(rates) for name, rates in schedule_rates(highest).items()}


def _rates_said(rates: dict, losses: dict, i: int) -> str:
    ordered = sorted((float(values[i]), name) for name, values in losses.items())
    now = {name: float(values[min(i, TOTAL - 1)]) for name, values in rates.items()}
    return "Loss, lowest first: " + ", ".join(f"{name} {short(value, 3)} (rate "
        f"{short(now[name], 2)})" for value, name in ordered) + "."


# Batch size


def batches() -> Scene:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        rate = st.select_slider("Learning rate", (0.01, 0.03, 0.1, 0.2, 0.3), 0.1, key="pace", bind="query-params", width=240)
        seen = choose_seen("from above")
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params", width=110,
                               help="Other samples, another order")
    samples = ways.known_offset(seed)
    runs, noise = _batched(rate, seed)
    moments = np.arange(0, ways.COUNT * ways.EPOCHS + 1, 4)
    paths = {size: run.path[np.searchsorted(run.seen, moments, side="right") - 1] for size, run in runs.items()}
    losses = {size: run.loss[np.searchsorted(run.seen, moments, side="right") - 1] for size, run in runs.items()}
    said = [_batches_said(runs, losses, i, int(seen_now)) for i, seen_now in enumerate(moments)]
    return Scene(
        player.film(_batch_panels(samples, paths, losses, moments, noise, seen), said,
                    [f"{int(m)} samples seen, epoch "
                     f"{int(m) // ways.COUNT}" for m in moments], len(moments) // 3, 150, "Samples seen"),
        [f"{ways.COUNT} samples, {ways.EPOCHS} epochs. All four sizes look at the same number of samples: batch size "
         f"1 has taken "
         f"{ways.COUNT} steps after an epoch, batch size {ways.COUNT} has taken one.",
         "A small batch's slope is that of a few samples and points somewhere near the right way; a large batch's "
         "points straight down. The noise "
         "falls with the root of the batch: four times as many samples, half the noise.",
         "So small batches get far in few epochs and then jitter; large ones are calm and slow, unless their learning "
         "rate grows with them. On a "
         "GPU a large batch takes hardly longer than a small one, until the memory is full. Some noise also helps: "
         "small batches tend to "
         "end where new pictures are answered better."],
        lambda frame: [rf"\sqrt{{E\,\lVert g_B - g \rVert^2}} = \frac{{\sigma}}{{\sqrt B}} \sqrt{{\frac{{N - B}}{{N - "
                       rf"1}}}} \qquad N = {len(samples)}"] + [
            rf"B = {size}: \quad \text{{expected }} {words.tex(noise[size][1])}, \text{{ measured }} "
            rf"{words.tex(noise[size][0])}" for size in noise],
        f"from torch.utils.data import DataLoader\n\nfor inputs, targets in DataLoader(data, "
        f"batch_size={ways.BATCHES[1]}, shuffle=True):\n"
        "    loss = ((inputs @ w - targets) ** 2).mean()\n    optimiser.zero_grad()\n    loss.backward()\n    "
        "optimiser.step()",
        [{"samples seen": int(m)} | {f"loss, batch size {size}": float(values[i]) for size, values in losses.items()}
         for i, m in enumerate(moments)],
        lambda frame: asked.of_batches(samples, paths[1][frame], rate),
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _batched(rate: float, seed: int) -> tuple[dict[int, ways.Batched], dict[int, tuple[float, float]]]:
    samples = ways.known_offset(seed)
    runs = {size: ways.by_batches(samples, size, rate, seed=seed) for size in ways.BATCHES}
    start = runs[1].path[0]
    return runs, {size: (ways.noise_of(samples, start, size), ways.expected_noise(samples, start, size))
                  for size in ways.BATCHES[:-1]}


def _batch_panels(samples, paths: dict, losses: dict, moments, noise: dict, seen: str) -> list[dict]:
    start, best = next(iter(paths.values()))[0], np.array([2.0, -1.0])
    middle, half = (start + best) / 2, np.abs(start - best) * 0.5 + 1.2
    first, low = float(losses[1][0]), min(float(values.min()) for values in losses.values())
    sizes, finding = list(noise), "The noise falls with the root of the batch size."
    names = {size: f"batch size {size}" for size in paths}
    return [
        player.plane("The loss for each x and y (z is known "
                     "here)", f"Four paths from one start. {finding}", [ways.learning.slice_at(0.0, samples)],
                     [player.path(names[size], path, colour) for (size, path), colour in zip(paths.items(), COLOURS)],
                     (middle[0] - half[0], middle[0] + half[0]), (middle[1] - half[1], middle[1] + half[1]),
                     ("weight x", "weight y"), seen,
                     (0.0, 1.3 * first), grey=True),
        player.lines("Loss of all samples", finding, [player.line("", moments, values, colour, grows=True)
                                                      for values, colour in zip(losses.values(), COLOURS)],
                     (0, moments[-1]), (low * 0.8, first * 1.3), ("samples "
                         "seen", "loss (log scale)"), cursor=moments, log=True, ratio=0.6),
        player.lines("Noise of a batch's slope at the start", finding,
                     [player.line("σ/√B, without "
                                  "replacement", sizes, [noise[size][1] for size in sizes], player.BLUE, dashed=True),
                      player.line("measured", sizes, [noise[size][0] for size in sizes], player.VERMILLION)],
                     (1, 1.25 * max(sizes)), (min(one[1] for one in noise.values()) * 0.7, noise[1][1] * 1.4),
                     ("batch size (log scale)", "distance (log scale)"), log=True, log_x=True, ratio=0.45),
    ]


def _batches_said(runs: dict[int, ways.Batched], losses: dict, i: int, seen: int) -> str:
    steps = {size: int(np.searchsorted(run.seen, seen, side="right") - 1) for size, run in runs.items()}
    return (f"After {seen:,} samples: "
            f"" + ", ".join(f"batch size {size} has taken {steps[size]:,} step{'' if steps[size] == 1 else 's'} "
                                                    f"(loss {short(float(losses[size][i]), 3)})" for size in runs) + ".")
