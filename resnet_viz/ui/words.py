"""Text from outside on the page."""

import re

MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!~$|<>:-])")
TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f]")  # text round, or are no text at all


def plain(text: str) -> str:
    """Text from outside (file and class names) for Markdown: shown as it is, neither formatted nor loading anything.

    Letters that turn the reading direction (a file "exe.png" that ends in .exe) and control characters become U+FFFD.
    """
    return MARKDOWN.sub(r"\\\1", TURNS.sub("\ufffd", text))
