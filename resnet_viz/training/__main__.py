"""The training process: `python -m resnet_viz.training RUN_DIR` starts or continues the run that config.json describes.

Exit 0 finished, 3 stopped, 2 something the person can mend (a sentence on stderr), 1 a fault of the program.
"""

import signal
import sys
from pathlib import Path

from .. import runs
from ..problems import Problem
from . import failures, lock
from .status import Status

EXIT = {"finished": 0, "stopped": 3}


def run_here(run: Path, progress=lambda text: None) -> str:
    """Train in this process; returns "finished" or "stopped". Raises Problem after writing it into status.json."""
    values = runs.read_config(run)
    if values is None:
        raise Problem(f"{run} is not a run: it has no readable config.json.")
    if runs.state(run) in runs.ALIVE_STATES:
        raise Problem(f"{run} is in use by process {runs.read_status(run).get('pid')}; stop it first.")
    try:
        with lock.held(run):
            runs.clear_leavings(run)
            return _train(run, values, progress)
    except (OSError, MemoryError, RuntimeError) as error:
        if problem := failures.explained(error, run):
            raise problem from error
        raise


def _train(run: Path, values: dict, progress) -> str:
    with Status(run) as status:  # before torch is imported: the page sees that somebody is there
        try:
            from . import queue
            from .config import from_dict, resolve

            # A terminal's Ctrl-C and a system's shutdown are a stop: the same file as the button writes.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: runs.send(run, "stop"))
            config = from_dict(values)
            if config.device == "auto":
                config = resolve(config)
            with queue.turn(run, config, [queue.device_name(config.device)], status, progress) as ours:
                return _learn(run, resolve(config), status, progress) if ours else "stopped"
        except BaseException as error:
            message = str(failures.explained(error, run) or f"{type(error).__name__}: {str(error)[:300]}")
            status.update(state="failed", message=message, images_per_s=None, eta_s=None)
            raise


def _learn(run: Path, config, status: Status, progress) -> str:
    from .loop import train  # torch: only now, so that a run that waits its turn takes no memory

    if config.to_dict() != runs.read_config(run):
        runs.write_config(run, config.to_dict())
    return train(run, config, status, progress)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m resnet_viz.training RUN_DIR", file=sys.stderr)
        return 2
    try:
        return EXIT[run_here(Path(arguments[0]), progress=lambda text: print(text, flush=True))]
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
