"""The loss over a plane of weights, written as a file that pages draw; stopped and run again, it goes on."""

import signal
from pathlib import Path

from ..problems import Problem
from .output import Parser, progress, tell


def landscape_arguments(parser: Parser) -> None:
    parser.add_argument("checkpoint")
    parser.add_argument("--data", required=True, metavar="NAME|FOLDER|ZIP")
    parser.add_argument("--grid", type=int, default=21, metavar="N", help="points along each side, an odd number (21)")
    parser.add_argument(
        "--limit",
        type=int,
        default=1000,
        metavar="N",
        help="pictures, the same at every point: a draw with every class in its share (1000)",
    )
    parser.add_argument("--split", choices=["train", "val", "test"], default="test")
    parser.add_argument(
        "--plane",
        default="random",
        metavar="random|path",
        help="through two random directions, or through the training path of a run that kept its "
        "weights (keep_weights)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random directions (0)")
    parser.add_argument("--out", required=True, metavar="NPZ", help="a file that exists is gone on with")


def landscape(options) -> int:
    """the loss around a network, over a plane of weights; Ctrl-C keeps what is done, the same line goes on; exit 1
    then"""
    from .. import checkpoints
    from ..analysis import landscape_file, landscape_work
    from ..analysis.landscape import middle_loss

    out = _writable(Path(options.out))
    checkpoint = checkpoints.read(checkpoints.find(options.checkpoint, progress))
    work = landscape_work.prepare(
        checkpoint, options.data, options.grid, options.limit, options.seed, options.plane, options.split, progress
    )
    begun = landscape_work.read_or_empty(out, work)
    landscape_file.write(out, begun)  # a place that cannot be written is told now, not after minutes
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it keeps what is done
    try:
        found = landscape_work.compute(work, begun, lambda now: landscape_file.write(out, now), progress)
    except KeyboardInterrupt:
        tell(
            f"\nStopped: {out} holds {int(begun.done.sum()):,} of {begun.done.size:,} points; the same command goes on."
        )
        return 1
    worst = float(found.loss[found.finite].max(initial=0))
    lost = int((~found.finite).sum())
    print(
        f"{out} written: {found.grid} x {found.grid} points on {found.recipe['images']:,} pictures in "
        f"{found.recipe['seconds']:,.0f} s; loss {middle_loss(found):.4f} in the middle, {worst:.4g} at most"
        + (f"; {lost:,} points are no finite number" if lost else "")
    )
    return 0


def _writable(path: Path) -> Path:
    if path.suffix.lower() != ".npz":
        raise Problem(f"{path} must end in .npz: that is what is written.")
    if path.is_dir():
        raise Problem(f"{path} is a directory; give the name of a file, e.g. {path / 'landscape.npz'}.")
    return path
