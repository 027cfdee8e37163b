"""How long the server takes for a page that was opened before; for `make bench`."""

import time

from streamlit.testing.v1 import AppTest

from ..runs import PROJECT


def slowest_page() -> tuple[str, float]:
    """(page, seconds) of the slowest warm change to a page, the best of three for each."""
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=120).run()
    best = {}
    for page in sorted(PROJECT.glob("pages/*/*.py")):
        path = str(page.relative_to(PROJECT))
        app.switch_page(path).run()  # warms it
        for _ in range(3):
            app.switch_page("pages/start/home.py").run()
            started = time.perf_counter()
            app.switch_page(path).run()
            best[page.stem] = min(best.get(page.stem, float("inf")), time.perf_counter() - started)
    return max(best.items(), key=lambda item: item[1])
