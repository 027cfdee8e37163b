"""The command `train`: a run in the foreground, from a preset and settings, or continued."""

from dataclasses import replace
from pathlib import Path

from .. import runs
from ..problems import Problem
from . import presets, process
from .__main__ import EXIT, run_here
from .config import Config, with_settings
from .progress_bar import ProgressBar


def train(options) -> int:
    """options: preset, network, data, epochs, set, out, resume, tensorboard as the command line parsed them. Returns the exit code."""
    if options.resume:
        if any((options.preset, options.network, options.data, options.epochs, options.set, options.out)):
            raise Problem("--resume continues a run as its config.json says; give nothing else with it.")
        run = Path(options.resume)
        process.check_resumable(run)
        process.forget_orders(run)
        if options.tensorboard:
            runs.write_config(run, {**runs.read_config(run), "tensorboard": True})
    else:
        if not options.out:
            raise Problem("Say where the run goes: --out RUN_DIR (or continue one: --resume RUN_DIR).")
        run = Path(options.out)
        process.create(config_from(options), run)
    with ProgressBar(run) as bar:
        return EXIT[run_here(run, bar.tell)]


def config_from(options) -> Config:
    """The preset (or the defaults), with network, data, epochs and KEY=VALUE settings put over it."""
    config = presets.find(options.preset).config if options.preset else Config()
    given = {key: getattr(options, key) for key in ("network", "data", "epochs") if getattr(options, key) is not None}
    return with_settings(replace(config, **given, tensorboard=config.tensorboard or options.tensorboard), options.set)
