"""Text from outside on the page."""

import re

MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!~$|<>:-])")


def plain(text: str) -> str:
    """Text from outside (file and class names) for Markdown: shown as it is, neither formatted nor loading anything."""
    return MARKDOWN.sub(r"\\\1", text)
