"""The command line: the functions behind the pages, without a browser. `python -m resnet_viz` lists the commands.

Exit 0 done; 2 bad argument, file or name (one sentence on stderr); 1 partial or failed; train also 3 stopped.
With --json one JSON document goes to stdout and nothing else; progress goes to stderr.
"""

import argparse
import json
import os
import sys

from .problems import Problem


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong argument is a Problem of one sentence like any other."""

    def error(self, message: str):
        raise Problem(f"{self.prog}: {message}.")


def _json_flag(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")


def networks(options) -> int:
    """list every network that can be built"""
    from .networks import zoo

    rows = [{"name": n.name, "family": n.family, "params": zoo.num_params(zoo.build(n.name, device="meta")), "description": n.description}
            for n in zoo.NETWORKS.values()]
    _print(options, rows, lambda: _table(["name", "params", "family", "description"],
                                         [[r["name"], f"{r['params']:,}", r["family"], r["description"]] for r in rows], right={1}))
    return 0


def summary_arguments(parser: Parser) -> None:
    parser.add_argument("network")
    parser.add_argument("--num-classes", type=int)
    parser.add_argument("--heads", metavar="N,N,...", help="classes of each of several classifiers")
    parser.add_argument("--conv-bias", action="store_true")
    parser.add_argument("--variant", choices=["v1", "v1.5"])
    parser.add_argument("--shortcut", choices=["A", "B"])
    parser.add_argument("--stem", choices=["imagenet", "cifar"])
    parser.add_argument("--activation", metavar="NAME", help="relu, leaky-relu, elu, tanh or sigmoid")
    parser.add_argument("--norm", metavar="NAME", help="batch or none")
    parser.add_argument("--in-channels", type=int)
    parser.add_argument("--input-size", type=int)
    parser.add_argument("--format", choices=["text", "csv", "markdown", "latex"], default="text",
                        help="csv, markdown and latex have all columns, also receptive fields and shares")
    _json_flag(parser)


def summary(options) -> int:
    """every layer of a network: shapes, parameters, multiply-adds"""
    from .analysis import architecture
    from .networks import zoo

    arguments = {key: getattr(options, key) for key in architecture.OPTIONS if getattr(options, key) is not None}
    if options.heads is not None:
        arguments["heads"] = architecture.heads_in(options.heads)
    if options.num_classes is not None:
        if options.heads is not None:
            raise Problem("--num-classes is for one classifier, --heads for several; give one of them.")
        arguments["heads"] = [options.num_classes]
    if options.conv_bias:
        arguments["conv_bias"] = True
    network = zoo.find(options.network)
    if options.variant == "v1" and network.spec and network.spec.block == "basic":
        raise Problem(f"{network.name} has no bottlenecks, so there is no --variant v1 of it.")
    size = network.input_size if options.input_size is None else options.input_size
    found = architecture.summary(options.network, arguments, size)
    _print(options, architecture.to_json(found), lambda: _written(found, options.format))
    return 0


def _written(found, form: str) -> str:
    from .analysis import table_text

    return _summary_table(found) if form == "text" else table_text.FORMATS[form](table_text.of_layers(found)).rstrip("\n")


def _summary_table(found) -> str:
    def times(shape):
        return "" if shape is None else " x ".join(f"{n:,}" for n in shape)

    rows = [[r.name, r.kind, times(r.output_shape), times(r.weight_shape), f"{r.params:,}", f"{r.macs:,}"] for r in found.layers]
    totals = found.totals
    return (_table(["layer", "kind", "output", "weight", "params", "MACs"], rows, right={4, 5})
            + f"\n\n{totals['params']:,} parameters, {totals['macs']:,} MACs (FLOPs = 2 x MACs), "
              f"{totals['weights_bytes'] / 2**20:,.2f} MiB of weights")


def doctor_arguments(parser: Parser) -> None:
    parser.add_argument("file")
    parser.add_argument("--set", action="extend", nargs="+", default=[], metavar="KEY=VALUE",
                        help="what the file does not tell, remembered for it: size, normalisation, classes (a text file, or "
                             "names parted by commas), and what shapes leave open: variant, shortcut, activation")
    parser.add_argument("--forget", action="store_true", help="forget what was set by hand for this file")
    _json_flag(parser)


def doctor(options) -> int:
    """what network a weights file holds; exit 2 when it is none that we know"""
    from dataclasses import replace

    from . import checkpoints
    from .doctor import Diagnosis

    try:
        found, _ = checkpoints.examine(options.file)
    except Problem as problem:
        found = Diagnosis(False, warnings=(str(problem),))
    if found.recognised:
        checkpoint = _set_by_hand(checkpoints.read(options.file), options)
        found = replace(checkpoint.diagnosis, warnings=checkpoint.warnings, assumed=checkpoint.assumed)
    document = found.to_dict()
    if found.recognised or options.json:
        _print(options, document, lambda: "\n".join(f"{key:12} {_plain(value)}" for key, value in document.items()))
    if not found.recognised:
        print(found.notes[0], file=sys.stderr)
    return 0 if found.recognised else 2


def _set_by_hand(checkpoint, options):
    """The checkpoint with what --set says, remembered; as it was read where the options say nothing."""
    from . import checkpoints, corrections

    if not options.set and not options.forget:
        return checkpoint
    if checkpoint.digest is None:
        raise Problem(f"{options.file} says itself how it is to be used; there is nothing to set by hand.")
    correction = corrections.Correction() if options.forget else corrections.recall(checkpoint.digest) or corrections.Correction()
    correction = corrections.changed(correction, options.set, sum(checkpoint.heads))
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
    _json_flag(parser)


def predict(options) -> int:
    """what a network says of pictures; exit 1 if any of them could not be read"""
    from . import checkpoints
    from .analysis import predictions

    if options.top_k < 1:
        raise Problem(f"--top-k must be 1 or more, not {options.top_k}.")
    checkpoint = checkpoints.with_normalisation(checkpoints.read(checkpoints.find(options.checkpoint, _progress)), options.normalise)
    rows = predictions.of_files(checkpoint, options.images, options.top_k)
    _print(options, rows, lambda: "\n".join(_answer(row) for row in rows))
    return 1 if any(row["error"] for row in rows) else 0


def _answer(row: dict) -> str:
    if row["error"]:
        return f"{row['image']}: {row['error']}"
    return f"{row['image']}: " + ", ".join(f"{t['label']} {t['probability']:.1%}" for t in row["top"])


def evaluate_arguments(parser: Parser) -> None:
    parser.add_argument("checkpoint")
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", choices=["train", "val", "test"], default="test")
    parser.add_argument("--normalise")
    parser.add_argument("--limit", type=int)
    _json_flag(parser)


def evaluate(options) -> int:
    """accuracy and loss of a checkpoint on a data set, folder or zip"""
    from . import checkpoints
    from .analysis import measurement

    checkpoint = checkpoints.with_normalisation(checkpoints.read(checkpoints.find(options.checkpoint, _progress)), options.normalise)
    found = measurement.measure(checkpoint, options.data, options.split, options.limit, _progress)
    _print(options, found, lambda: f"accuracy {found['accuracy']:.2%}, loss {found['loss']:.4f} on {found['images']:,} pictures, "
                                   f"{found['images_per_s']:,.0f} pictures/s")
    return 0


def export_arguments(parser: Parser) -> None:
    parser.add_argument("checkpoint")
    parser.add_argument("--format", required=True)
    parser.add_argument("--out", metavar="FILE", required=True)


def export(options) -> int:
    """write a checkpoint as safetensors, state-dict or onnx"""
    from . import checkpoints
    from . import export as exporting

    checkpoint = checkpoints.read(checkpoints.find(options.checkpoint, _progress))
    exporting.export(checkpoint, options.format, options.out)
    print(f"{options.out} written, {os.path.getsize(options.out) / 2**20:,.2f} MiB")
    return 0


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
    from .training import terminal

    return terminal.train(options, lambda text: print(text, file=sys.stderr, flush=True))


def resources_arguments(parser: Parser) -> None:
    from .analysis import resource_terminal

    resource_terminal.arguments(parser)
    _json_flag(parser)


def resources(options) -> int:
    """memory that training a network takes and the largest batch that fits; exit 1 if a measured batch did not"""
    from .analysis import resource_terminal

    document, code = resource_terminal.document(options, _progress_text)
    _print(options, document, lambda: resource_terminal.text(document, _table))
    return code


def check(options) -> int:
    """this machine, its devices, versions, folders, data and weights: for a bug report"""
    from .analysis import machine

    found = machine.check()
    _print(options, found, lambda: "\n".join(f"{key:14} {json.dumps(value) if isinstance(value, (dict, list)) else value}" for key, value in found.items()))
    return 0


def bench(options) -> int:
    """how fast this machine trains and answers, beside the peers that are named"""
    from . import bench as benchmark

    found = benchmark.run(_progress_text)
    _print(options, found, lambda: _table(["what", "figure", "bar"], [[r["what"], r["figure"], r["bar"]] for r in found["rows"]], right={1}))
    return 0


COMMANDS = {
    "networks": (networks, _json_flag), "summary": (summary, summary_arguments), "doctor": (doctor, doctor_arguments),
    "predict": (predict, predict_arguments), "evaluate": (evaluate, evaluate_arguments),
    "export": (export, export_arguments), "train": (train, train_arguments),
    "resources": (resources, resources_arguments), "check": (check, _json_flag), "bench": (bench, _json_flag),
}


FLAGS = ("--json", "--conv-bias", "--measure")  # options without a value


def _print(options, document, text) -> None:
    # ASCII only: a file name may hold bytes that no encoding of the terminal can print
    print(json.dumps(document, indent=1, allow_nan=False) if options.json else text())


def _table(head: list[str], rows: list[list[str]], right: set[int] = frozenset()) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    return "\n".join("  ".join(cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip()
                     for row in [head, *rows])


def _progress(done: int, total: int, text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text} {done:,} of {total:,}", end="\n" if done >= total else "", file=sys.stderr, flush=True)


def _progress_text(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _help() -> str:
    return "usage: python -m resnet_viz COMMAND ...\n\n" + _table(["command", ""], [[name, c[0].__doc__] for name, c in COMMANDS.items()]) + \
        "\n\npython -m resnet_viz COMMAND --help lists a command's options."


def _place_of_command(argv: list[str]) -> int | None:
    """Where the command stands; a word behind an option may be that option's value, e.g. a folder called "train"."""
    places = [i for i, word in enumerate(argv) if word in COMMANDS]
    free = [i for i in places
            if i == 0 or not argv[i - 1].startswith("--") or "=" in argv[i - 1] or argv[i - 1] in FLAGS]
    return next(iter(free or places), None)


def main(argv: list[str]) -> int:
    """Run one command; options may stand before or after it."""
    place = _place_of_command(argv)
    if place is None:
        if not argv or {"-h", "--help"} & set(argv):
            print(_help())
            return 0
        word = next((word for word in argv if not word.startswith("-")), argv[0])
        print(f"Unknown command {word!r:.60}; choose one of: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    command, rest = argv[place], argv[:place] + argv[place + 1:]
    function, add_arguments = COMMANDS[command]
    parser = Parser(prog=f"resnet_viz {command}", description=function.__doc__, allow_abbrev=False)
    add_arguments(parser)
    try:
        code = function(parser.parse_intermixed_args(rest))
        print(end="", flush=True)  # a reader that has gone away shows here, not when Python ends
        return code
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 1
    except BrokenPipeError:  # the reader, e.g. `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # a class may be called what this terminal cannot print
    sys.exit(main(sys.argv[1:]))
