"""A lesson's page without a browser, and what it sends to the parts that run in one."""

import json
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]


def open_lesson(name: str, **query: str) -> AppTest:
    """pages/learn/<name>.py alone, as it is after a link with this query."""
    app = AppTest.from_file(str(ROOT / f"pages/learn/{name}.py"), default_timeout=60)
    app.query_params.update(query)
    app.run()
    assert not app.exception
    return app


def open_in_app(name: str, **query: str) -> AppTest:
    """The same page inside the app, for lessons that link to other pages."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=100)
    app.query_params.update(query)
    app.switch_page(f"pages/learn/{name}.py").run()
    assert not app.exception
    return app


def sent(app: AppTest, component: str) -> dict:
    """What the component of this name was given."""
    return next(json.loads(c.proto.json) for c in app.get("bidi_component") if c.proto.component_name.endswith(component))
