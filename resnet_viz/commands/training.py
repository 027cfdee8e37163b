"""Training in the foreground, and what a run wrote down as a table."""

from pathlib import Path

from .output import Parser, json_flag, show, table, tell


def train_arguments(parser: Parser) -> None:
    parser.add_argument("--preset")
    parser.add_argument("--network")
    parser.add_argument("--data")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--set", action="extend", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", metavar="RUN_DIR")
    parser.add_argument("--resume", metavar="RUN_DIR")
    parser.add_argument("--tensorboard", action="store_true",
                        help="also write TensorBoard event files, into RUN_DIR/tensorboard")


def train(options) -> int:
    """train a network, or continue a run; exit 3 when it was stopped"""
    from ..training import terminal

    return terminal.train(options)


def metrics_arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN_DIR")
    json_flag(parser)


def metrics(options) -> int:
    """every recorded point of a run as CSV: split, epoch, step, images, loss, accuracy, learning rate, seconds"""
    from .. import runs
    from ..problems import Problem

    run = Path(options.run)
    if not runs.is_run(run):
        raise Problem(f"{run} is not a run: it has no config.json; give the directory of one.")
    show(options, runs.read_lines(run / "metrics.jsonl"), lambda: runs.metrics_csv(run).rstrip("\n"))
    return 0


def results_arguments(parser: Parser) -> None:
    parser.add_argument("presets", nargs="*", metavar="PRESET", help="what to run; none: only write the document again")
    parser.add_argument("--data", metavar="NAME|FOLDER|ZIP",
                        help="instead of the presets' own data; the document says so")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",  # one: else it would take presets, too
                        help="a setting that differs from the preset; the document says so")
    parser.add_argument("--runs", metavar="FOLDER",
                        help="where the runs go, each under its preset's name (runs/results)")
    parser.add_argument("--out", metavar="FILE", default="RESULTS.md")
    json_flag(parser)


def results(options) -> int:
    """run presets, and write what they gave beside what their sources printed into RESULTS.md (and RESULTS.json)"""
    from dataclasses import asdict

    from .. import runs
    from ..training import results as gathering

    folder = Path(options.runs) if options.runs else runs.root() / "results"
    gathering.run(options.presets, folder, options.data, options.set, tell)
    found = gathering.write(folder, Path(options.out))
    show(options, [asdict(row) for row in found], lambda: table(
        ["preset", "test accuracy", "minutes", "data"],
        [[row.preset, f"{row.accuracy:.2%}", f"{row.seconds / 60:,.1f}", row.data] for row in found], right={1, 2}))
    return 0
