"""The command line: the functions behind the pages, without a browser. `python -m resnet_viz` lists the commands.

Exit 0 done; 2 bad argument, file or name (one sentence on stderr); 1 partial or failed; train also 3 stopped.
With --json one JSON document goes to stdout and nothing else; progress goes to stderr.
"""

import os
import sys

from . import logs
from .commands import data, explaining, landscape, machine, networks, runs, training, weights
from .commands.output import Parser, json_flag, table
from .problems import Problem

COMMANDS = {  # name -> the function that runs it, the one that declares its options
    "networks": (networks.networks, json_flag),
    "summary": (networks.summary, networks.summary_arguments),
    "doctor": (weights.doctor, weights.doctor_arguments),
    "predict": (weights.predict, weights.predict_arguments),
    "evaluate": (weights.evaluate, weights.evaluate_arguments),
    "explain": (explaining.explain, explaining.explain_arguments),
    "export": (weights.export, weights.export_arguments),
    "landscape": (landscape.landscape, landscape.landscape_arguments),
    "train": (training.train, training.train_arguments),
    "metrics": (training.metrics, training.metrics_arguments),
    "runs": (runs.runs, json_flag),
    "results": (training.results, training.results_arguments),
    "sort-val": (data.sort_val, data.sort_val_arguments),
    "resources": (networks.resources, networks.resources_arguments),
    "check": (machine.check, json_flag),
    "bench": (machine.bench, json_flag),
}
FLAGS = ("--json", "--tensorboard", "--conv-bias", "--measure", "--forget")  # options without a value


def _help() -> str:
    commands = table(["command", ""], [[name, run.__doc__] for name, (run, _) in COMMANDS.items()])
    return (f"usage: python -m resnet_viz COMMAND ...\n\n{commands}\n\n"
            "python -m resnet_viz COMMAND --help lists a command's options.")


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
    logs.begin("command")
    sys.stdout.reconfigure(errors="backslashreplace")  # a class may be called what this terminal cannot print
    sys.exit(main(sys.argv[1:]))
