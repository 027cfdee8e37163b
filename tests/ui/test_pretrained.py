"""The choice of published weights: what it says, and a download that goes on, can be stopped, and is then used."""

import hashlib
import http.server
import threading
import time
from dataclasses import replace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from resnet_viz import pretrained
from resnet_viz.ui import pretrained as display

REFERENCE = "ResNet50_Weights.IMAGENET1K_V2"
CONTENT = b"weights" * 200_000  # 1.4 MB: five blocks and a half


class SlowServer:
    """Sends the first half at once, and the second when `go` is set."""

    def __init__(self):
        self.go = go = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                half = len(CONTENT) // 2
                try:
                    self.wfile.write(CONTENT[:half])
                    go.wait(20)
                    self.wfile.write(CONTENT[half:])
                except ConnectionError:
                    pass  # the download was stopped

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/weights"


@pytest.fixture
def server():
    slow = SlowServer()
    yield slow
    slow.go.set()
    slow.server.shutdown()
    slow.server.server_close()


@pytest.fixture
def published(tmp_path, server, monkeypatch):
    """An empty cache, and REFERENCE as if it had been published with a small file on the slow server."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    st.cache_resource.clear()
    file_name = f"resnet50-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"
    entry = replace(pretrained.PRETRAINED()[REFERENCE], file_name=file_name, url=server.url)
    everything = pretrained.PRETRAINED() | {REFERENCE: entry}
    for module in (pretrained, display):
        monkeypatch.setattr(module, "PRETRAINED", lambda: everything)
    return entry


def page():
    import streamlit as st

    from resnet_viz.ui import pretrained, state

    if state.NEXT in st.session_state:  # as the picker does it
        st.session_state[state.CHOSEN] = st.session_state.pop(state.NEXT)
    pretrained.choose_pretrained()
    st.text(st.session_state.get(state.CHOSEN))


def start() -> AppTest:
    app = AppTest.from_function(page, default_timeout=30).run()
    app.selectbox[0].select(REFERENCE).run()
    assert not app.exception
    return app


def until(app: AppTest, reached) -> AppTest:
    """Look again, as the timer would, until it is so."""
    end = time.monotonic() + 20
    while not reached(app):
        assert time.monotonic() < end, [element.value for element in (*app.caption, *app.error)]
        time.sleep(0.05)
        app.run()
        assert not app.exception
    return app


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def progress(app: AppTest) -> str:
    return app.get("progress")[0].proto.text if app.get("progress") else ""


def used(app: AppTest) -> str | None:
    return app.text[0].value if app.text else None


def test_every_entry_says_how_good_and_how_large_it_is(published):
    app = start()
    assert len(app.selectbox[0].options) == len(pretrained.PRETRAINED())
    assert "resnet50, version 2: 80.9 %, 103 MB" in app.selectbox[0].options
    assert "80.9 %" in app.caption[0].value and published.recipe in app.caption[0].value
    assert labels(app) == ["Download 103 MB and use it"]


def test_a_download_shows_how_far_it_is_and_is_used_when_it_is_here(published, server):
    app = start()
    app.button(key="pretrained_download").click().run()
    until(app, lambda app: " MB, " in progress(app) and progress(app).endswith(" left"))
    assert labels(app) == ["Stop"] and used(app) != REFERENCE
    server.go.set()
    until(app, lambda app: used(app) == REFERENCE)
    assert pretrained.cached(published).read_bytes() == CONTENT and labels(app) == ["Use it"]


def test_a_download_can_be_stopped_and_leaves_nothing(published, server):
    app = start()
    app.button(key="pretrained_download").click().run()
    until(app, lambda app: " left" in progress(app))
    app.button(key="pretrained_stop").click().run()
    server.go.set()  # the next bytes are the last ones that are looked at
    until(app, lambda app: labels(app) == ["Download 103 MB and use it"])
    assert list(pretrained.folder().iterdir()) == [] and not app.error and used(app) != REFERENCE


def test_who_chose_something_else_meanwhile_is_left_alone(published, server):
    app = start()
    app.button(key="pretrained_download").click().run()
    app.session_state["checkpoint"] = "another"
    server.go.set()
    until(app, lambda app: labels(app) == ["Use it"])
    assert used(app) == "another"
    app.button(key="pretrained_use").click().run()
    assert used(app) == REFERENCE


def test_without_a_network_one_sentence_says_what_to_do(published, monkeypatch):
    unreachable = pretrained.PRETRAINED() | {REFERENCE: replace(published, url="http://127.0.0.1:9/")}
    for module in (pretrained, display):
        monkeypatch.setattr(module, "PRETRAINED", lambda: unreachable)
    app = start()
    app.button(key="pretrained_download").click().run()
    until(app, lambda app: len(app.error) == 1)
    said = app.error[0].value.replace("\\", "")
    assert said.startswith(REFERENCE) and "connect to the internet" in said
    assert labels(app) == ["Download 103 MB and use it"]
    assert not start().error  # somebody else's session
