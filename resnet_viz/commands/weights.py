"""Weights files: what they are, what they say of pictures, how good they are, and other formats of them."""

import os
import sys

from ..problems import Problem
from .output import Parser, json_flag, progress, show


def doctor_arguments(parser: Parser) -> None:
    parser.add_argument("file")
    parser.add_argument("--set", action="extend", nargs="+", default=[], metavar="KEY=VALUE",
                        help="what the file does not tell, remembered for it: size, normalisation, classes (a text "
                             "file, or names parted by commas), and what shapes leave open: variant, shortcut, activation")
    parser.add_argument("--forget", action="store_true", help="forget what was set by hand for this file")
    json_flag(parser)


def doctor(options) -> int:
    """what network a weights file holds; exit 2 when it is none that we know"""
    from dataclasses import replace

    from .. import checkpoints
    from ..doctor import Diagnosis

    try:
        found, _ = checkpoints.examine(options.file)
    except Problem as problem:
        found = Diagnosis(False, warnings=(str(problem),))
    if found.recognised:
        checkpoint = _set_by_hand(checkpoints.read(options.file), options)
        found = replace(checkpoint.diagnosis, warnings=checkpoint.warnings, assumed=checkpoint.assumed)
    document = found.to_dict()
    if found.recognised or options.json:
        show(options, document, lambda: "\n".join(f"{key:12} {_plain(value)}" for key, value in document.items()))
    if not found.recognised:
        print(found.notes[0], file=sys.stderr)
    return 0 if found.recognised else 2


def _set_by_hand(checkpoint, options):
    """The checkpoint with what --set says, remembered; as it was read where the options say nothing."""
    from .. import checkpoints, corrections

    if not options.set and not options.forget:
        return checkpoint
    if checkpoint.digest is None:
        raise Problem(f"{options.file} says itself how it is to be used; leave out what was set by hand.")
    known = None if options.forget else corrections.recall(checkpoint.digest)
    correction = corrections.changed(known or corrections.Correction(), options.set, sum(checkpoint.heads))
    checkpoint = checkpoints.corrected(checkpoint, correction)
    if correction == corrections.Correction():
        corrections.forget(checkpoint.digest)
    else:
        corrections.remember(checkpoint.digest, correction)
    return checkpoint


def _plain(value) -> str:
    if isinstance(value, list):
        return "\n             ".join(map(str, value)) or "-"
    return "-" if value is None else f"{value:,}" if type(value) is int else str(value)


def predict_arguments(parser: Parser) -> None:
    parser.add_argument("checkpoint")
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    parser.add_argument("--top-k", type=int, default=5)
    parser.add_argument("--normalise")
    json_flag(parser)


def predict(options) -> int:
    """what a network says of pictures; exit 1 if any of them could not be read"""
    from .. import checkpoints
    from ..analysis import predictions

    if options.top_k < 1:
        raise Problem(f"--top-k must be 1 or more, not {options.top_k}.")
    checkpoint = checkpoints.read(checkpoints.find(options.checkpoint, progress))
    checkpoint = checkpoints.with_normalisation(checkpoint, options.normalise)
    rows = predictions.of_files(checkpoint, options.images, options.top_k)
    show(options, rows, lambda: "\n".join(_answer(row) for row in rows))
    return 1 if any(row["error"] for row in rows) else 0


def _answer(row: dict) -> str:
    if row["error"]:
        return f"{row['image']}: {row['error']}"
    answers = ", ".join(f"{t['label']} {t['probability']:.1%}" for t in row["top"])
    if row["caution"] and row["caution"]["unlike"]:
        answers += f"; caution: only {row['caution']['share']:.1%} of the validation pictures look as strange to this network"
    return f"{row['image']}: {answers}"


def evaluate_arguments(parser: Parser) -> None:
    parser.add_argument("checkpoint")
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", choices=["train", "val", "test"], default="test")
    parser.add_argument("--normalise")
    parser.add_argument("--limit", type=int)
    json_flag(parser)


def evaluate(options) -> int:
    """accuracy and loss of a checkpoint on a data set, folder or zip"""
    from .. import checkpoints
    from ..analysis import measurement

    checkpoint = checkpoints.read(checkpoints.find(options.checkpoint, progress))
    checkpoint = checkpoints.with_normalisation(checkpoint, options.normalise)
    found = measurement.measure(checkpoint, options.data, options.split, options.limit, progress)
    show(options, found, lambda: f"accuracy {found['accuracy']:.2%}, loss {found['loss']:.4f} on {found['images']:,} "
                                 f"pictures, {found['images_per_s']:,.0f} pictures/s")
    return 0


def export_arguments(parser: Parser) -> None:
    parser.add_argument("checkpoint")
    parser.add_argument("--format", required=True)
    parser.add_argument("--out", metavar="FILE", required=True)


def export(options) -> int:
    """write a checkpoint as safetensors, state-dict or onnx"""
    from .. import checkpoints
    from .. import export as exporting

    checkpoint = checkpoints.read(checkpoints.find(options.checkpoint, progress))
    exporting.export(checkpoint, options.format, options.out)
    print(f"{options.out} written, {os.path.getsize(options.out) / 2**20:,.2f} MiB")
    return 0
