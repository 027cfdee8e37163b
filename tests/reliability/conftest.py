"""What the long tests print is kept, for RELIABILITY.md to quote."""

from pathlib import Path

import pytest

KEPT = Path(__file__).parents[2] / "build" / "printed"


@pytest.fixture
def printed(request):
    """A function like print, whose lines are also in build/printed/<test>.txt."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{request.node.name}.txt"
    path.write_text("")

    def tell(text: str) -> None:
        print(text)
        with path.open("a") as file:
            file.write(f"{text}\n")

    return tell
