"""What all commands print with: a document or a text, tables, and progress beside them on stderr."""

import argparse
import json
import sys

from ..problems import Problem


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong argument is a Problem of one sentence like any other."""

    def error(self, message: str):
        raise Problem(f"{self.prog}: {message}; see {self.prog} --help.")


def json_flag(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")


def show(options, document, text) -> None:
    """The document with --json, else text()."""
    # ASCII only: a file name may hold bytes that no encoding of the terminal can print
    print(json.dumps(document, indent=1, allow_nan=False) if options.json else text())


def table(head: list[str], rows: list[list[str]], right: set[int] = frozenset()) -> str:
    """Columns of text; those whose numbers are in `right` end at the same place."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    return "\n".join("  ".join(cell.rjust(width) if i in right else cell.ljust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in [head, *rows])


def progress(done: int, total: int, text: str) -> None:
    """One line of a terminal that is written again and again; nothing where stderr is a file."""
    if sys.stderr.isatty():
        figures = "" if f"{total:,}" in text else f" {done:,} of {total:,}"  # a download says megabytes itself
        print(f"\r{text}{figures}", end="\n" if done >= total else "", file=sys.stderr, flush=True)


def tell(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)
