"""What was chosen on one page does not become the choice of a control of the same name on another."""

import re
from collections import defaultdict

from streamlit.testing.v1 import AppTest

from resnet_viz.runs import PROJECT
from resnet_viz.ui import page_change

SHARED = {  # the same thing on each of its pages, or its options are those of the checkpoint: it may come along
    "convolution", "layer", "log", "twin", "view"}


def test_a_picture_and_then_one_layer(tmp_path, monkeypatch):
    """Predictions leaves its "beside" empty, which the feature maps took for an answer of theirs."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=120)
    app.switch_page("pages/inspect/predictions.py").run()
    app.run()
    assert app.selectbox(key="beside").value is None
    app.switch_page("pages/inspect/feature_maps.py").run()
    app.button_group(key="look").set_value("layer").run()
    assert not app.exception and not app.error
    assert app.selectbox(key="beside").value == "nothing"
    app.selectbox(key="beside").set_value("before").run()
    app.run()
    assert app.selectbox(key="beside").value == "before" and not app.error  # on its own page it stays


def test_names_that_several_pages_use_are_known():
    found = defaultdict(set)
    for path in [*PROJECT.glob("resnet_viz/ui/*.py"), *PROJECT.glob("pages/*/*.py")]:
        for key in re.findall(r'key="([\w-]+)",\s+bind="query-params"', path.read_text(encoding="utf-8")):
            found[key].add(path.name)
    several = {key for key, files in found.items() if len(files) > 1}
    assert {"beside", "look", "order"} <= several
    assert several <= SHARED | set(page_change.OF_EACH_PAGE)
