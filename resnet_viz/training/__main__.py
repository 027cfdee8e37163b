"""The training process: `python -m resnet_viz.training RUN_DIR` starts or continues the run that config.json describes.

Exit 0 finished, 3 stopped, 2 something the person can mend (a sentence on stderr), 1 a fault of the program. Under
torchrun a stop is 0 too: torchrun would take 3 for a failure, and might begin again.
"""

import logging
import signal
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from .. import logs, runs
from ..problems import Problem
from . import failures, launch, lock, queue
from .status import Status

EXIT = {"finished": 0, "stopped": 3}
_log = logging.getLogger(__package__)  # this module's own name is __main__ in a process of its own


def run_here(run: Path, progress=lambda text: None) -> str:
    """Train in this process; returns "finished" or "stopped". Raises Problem after writing it into status.json."""
    values = runs.read_config(run)
    if values is None:
        raise Problem(f"{run} is not a run: it has no readable config.json; give the directory of one.")
    if runs.state(run) in runs.ALIVE_STATES:
        raise Problem(f"{run} is in use by process {runs.read_status(run).get('pid')}; stop it first.")
    try:
        with lock.held(run):
            runs.clear_leavings(run)
            _log.info("training of %s begins", run.name)
            ended = _train(run, values, progress)
            _log.info("training of %s has %s", run.name, ended)
            return ended
    except Problem as problem:
        _log.warning("training of %s ended: %s", run.name, problem)
        raise
    except (OSError, MemoryError, RuntimeError) as error:
        if problem := failures.explained(error, run):
            _log.warning("training of %s ended: %s", run.name, problem, exc_info=error)
            raise problem from error
        raise


def _train(run: Path, values: dict, progress) -> str:
    with Status(run) as status:  # before torch is imported: the page sees that somebody is there
        try:
            from .config import from_dict, resolve

            # A terminal's Ctrl-C and a system's shutdown are a stop: the same file as the button writes.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: runs.send(run, "stop"))
            config = from_dict(values)
            if config.device == "auto":
                config = resolve(config)
            with _with_others(run, config, status) as ways, queue.turn(run, config, _devices(config.device), status, progress) as ours:
                return _learn(run, resolve(config), status, progress, **ways) if ours else "stopped"
        except BaseException as error:
            message = str(failures.explained(error, run) or f"{type(error).__name__}: {str(error)[:300]}")
            status.update(state="failed", message=message, images_per_s=None, eta_s=None)
            raise


def _with_others(run: Path, config, status: Status):
    """The other processes of this run, if there are any, for as long as the block lasts: how `train` shares its updates."""
    if not launch.several():
        return nullcontext({})
    from . import distributed

    return distributed.leading(run, config, status)


def _devices(device: str) -> list[str]:
    return [queue.device_name(device, index) for index in range(launch.here() if device == "cuda" else 1)]


def _learn(run: Path, config, status: Status, progress, **ways) -> str:
    failures.check_there(run)  # it may have waited for hours
    from .loop import train  # torch: only now, so that a run that waits its turn takes no memory

    if config.to_dict() != runs.read_config(run):
        runs.write_config(run, config.to_dict())
    return train(run, replace(config, threads=max(1, config.threads // launch.here())), status, progress, **ways)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m resnet_viz.training RUN_DIR", file=sys.stderr)
        return 2
    logs.begin("training")
    try:
        if launch.rank():
            from .distributed import follow

            return follow(Path(arguments[0]))
        ended = run_here(Path(arguments[0]), progress=lambda text: print(text, flush=True))
        return 0 if launch.restarts() else EXIT[ended]
    except Problem as problem:
        print(problem, file=sys.stderr)
        if launch.several():
            from .processes import end_now

            end_now(2)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
