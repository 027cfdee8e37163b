"""The one error that is meant for the person in front of the screen."""

import re

LONG_WORD = re.compile(r"[^\s/\\]{161,}")  # a name that nobody reads to its end; a path of many folders stays whole


class Problem(Exception):
    """Something the person can mend: one plain sentence that says what is wrong and what to do.

    Pages show it and stay usable; the command line prints it to stderr and exits with 2.
    Every other exception is a bug and stays visible. Names of strangers stand in such sentences: what would turn the
    text about, clear a terminal or break the line is taken out of them.
    """

    def __init__(self, sentence: str):
        super().__init__(LONG_WORD.sub(lambda word: f"{word[0][:120]}...{word[0][-20:]}", printable(sentence)))


def printable(text: str) -> str:
    """Text of a stranger for a line on screen: no control characters, marks of direction or halves of characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\u00a0\u202f" else " " if c.isspace() else "\ufffd" for c in text)


def one_of(what: str, value, known):
    """Return `value` if it is among `known`, else raise a Problem that lists the known ones."""
    if value not in known:
        raise Problem(f"Unknown {what} {value!r:.60}; choose one of: {', '.join(str(k) for k in known)}.")
    return value
