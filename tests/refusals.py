"""What every refusal has in common: a Problem of one short sentence."""

from contextlib import contextmanager

import pytest

from resnet_viz.problems import Problem


@contextmanager
def refused(words: str | None = None):
    """The block must raise a Problem whose text matches `words` (a regular expression) and is one short sentence."""
    with pytest.raises(Problem, match=words) as caught:
        yield
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text and 20 < len(text) <= 300, text
