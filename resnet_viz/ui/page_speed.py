"""How long the server takes for a page that was opened before, and for another view of it; for `make bench`."""

import time

from streamlit.testing.v1 import AppTest
from torch.nn.modules.module import register_module_forward_pre_hook

from ..networks.resnet import ResNet
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


CHANGES = (  # page, key of the widget, its two values, in the URL as well as here
    ("kernels", "order", ("index", "norm")),
    ("kernels", "colour-scale", ("layer", "kernel")),
    ("feature_maps", "sorted", ("mean", "channel")),
    ("feature_maps", "map-scale", ("layer", "map")),
    ("attributions", "opacity", (30, 60)),
    ("attributions", "heat-scale", ("each map", "each method")),
)


def slowest_change() -> tuple[str, float, int]:
    """(page and widget, seconds, forward passes of all changes) of the slowest change of view, the best of several for each.

    Both views were seen before, as after the first look at each.
    """
    passes, best, asked = [], {}, 0
    counting = register_module_forward_pre_hook(lambda module, inputs: passes.append(1) if isinstance(module, ResNet) else None)
    try:
        for page, key, values in CHANGES:
            app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=120).run()
            app.switch_page(f"pages/inspect/{page}.py").run()
            name = f"{page}: {_widget(app, key).label.lower()}"
            for value in values:
                _widget(app, key).set_value(value).run()
            for value in 3 * values:
                before, started = len(passes), time.perf_counter()
                _widget(app, key).set_value(value).run()
                best[name] = min(best.get(name, float("inf")), time.perf_counter() - started)
                asked += len(passes) - before
    finally:
        counting.remove()
    slowest = max(best, key=best.get)
    return slowest, best[slowest], asked


def _widget(app: AppTest, key: str):
    return next(one for kind in (app.selectbox, app.slider, app.segmented_control) for one in kind if one.key == key)
