"""Training in the foreground."""

from .output import Parser, tell


def train_arguments(parser: Parser) -> None:
    parser.add_argument("--preset")
    parser.add_argument("--network")
    parser.add_argument("--data")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--set", action="extend", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", metavar="RUN_DIR")
    parser.add_argument("--resume", metavar="RUN_DIR")


def train(options) -> int:
    """train a network, or continue a run; exit 3 when it was stopped"""
    from ..training import terminal

    return terminal.train(options, tell)
