"""What torchrun tells a process it starts: that there are others, and which of them it is (torch's "Environment Variables")."""

import os


def rank() -> int:
    """This process's number among those of its run; 0 leads, and is the only one where torchrun is not in play."""
    return int(os.environ.get("RANK") or 0) if several() else 0


def several() -> bool:
    """Whether this is one of several processes that share a run."""
    return "RANK" in os.environ and int(os.environ.get("WORLD_SIZE") or 1) > 1


def here() -> int:
    """How many processes of the run there are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE") or 1) if several() else 1


def restarts() -> bool:
    """Whether torchrun looks after this process: it takes every exit code but 0 for a failure, and may begin again."""
    return "TORCHELASTIC_RUN_ID" in os.environ
