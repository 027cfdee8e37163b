"""What ends a run through no fault of the program, each as a sentence: a full disk, and memory that does not suffice."""

import errno
from pathlib import Path

from .. import runs
from ..problems import Problem

FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "Cannot allocate memory")


def explained(error: BaseException, run: Path) -> Problem | None:
    """The sentence for an error that the person can mend; None for a fault of the program."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, OSError) and error.errno in FULL:
        return Problem(f"The disk that holds the run {run.name} is full; free some space and continue it: what it had saved last is intact.")
    if isinstance(error, OSError) and error.errno in CLOSED and str(error.filename).startswith(str(run)):
        return Problem(f"The directory of the run {run.name} cannot be written ({error.strerror}); allow it and continue the run.")
    if isinstance(error, FileNotFoundError) and not runs.is_run(run):
        return gone(run)
    if ran_out(error):
        return Problem("The memory does not suffice for the pictures and the network together; lower batch_size, size or train_limit.")
    return None


def ran_out(error: BaseException) -> bool:
    """Whether an allocator, the GPU's or the machine's, had nothing left to give."""
    return isinstance(error, MemoryError) or isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)


def check_there(run: Path) -> None:
    """Problem where somebody deleted the run's directory: going on would write into a folder that nobody finds again."""
    if not runs.is_run(run):
        raise gone(run)


def gone(run: Path) -> Problem:
    return Problem(f"The directory of the run {run.name} was deleted or moved while it trained; it has ended. Start it anew.")


def diverged(step: int, lr: float) -> Problem:
    return Problem(f"The loss is no longer a number at step {step:,}: the learning rate {lr:g} is too high. "
                   "The weights of the last good epoch are kept; start again with a smaller one.")


def too_large(update, samples, choices) -> Problem:
    """The sentence for a batch that did not fit, with the largest of its halves, quarters, ... that does.

    Tries them by real steps, so the weights of `update` are of no use afterwards; what was saved is not touched.
    """
    import torch

    batch, device = len(samples), update.work.device
    # other processes would wait for their part of a step that only this one tries
    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    tried = batch
    while not together and (tried := tried // 2) >= 2:  # batch norm needs two
        if device.type == "cuda":
            torch.cuda.empty_cache()
        if _fits(update, samples[:tried], choices):
            return Problem(f"A batch of {batch} pictures does not fit into the memory of this {device.type}; {tried} fit: "
                           f"start again with batch_size {tried}.")
    advice = "lower batch_size" if together else "not even two fit: choose a smaller network or smaller pictures"
    return Problem(f"A batch of {batch} pictures does not fit into the memory of this {device.type}; {advice}.")


def _fits(update, samples, choices) -> bool:
    try:
        update.step(samples, choices, 0.0)
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
        return False
    return True
