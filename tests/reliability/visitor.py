"""A visitor without a browser: speaks to the server what Streamlit's own page speaks (BackMsg and ForwardMsg over its
WebSocket, uploads by HTTP with the XSRF token), keeps what a browser would show, and draws none of it.

What it sends was read off Chromium: widget states, cached messages, the query string with its bound widgets, the timers of
fragments, and the requests for the page's pictures. One thread uses one visitor.
"""

import json
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

LIMIT_S = 60  # that an answer may take
DONE = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
TRIGGER = "$$STREAMLIT_INTERNAL_KEY_{}__events"
ERROR = 1  # Alert.Format


class Fault(Exception):
    """What a person would have seen as broken: a traceback, an error, a lost connection, an answer that never came."""


@dataclass
class Shown:
    """One element on the screen: of which run of the script, of which fragment, and whether app.py drew it for all pages."""

    element: object
    run: str
    fragment: str
    common: bool


@dataclass
class Timing:
    """One interaction: when it began (time.monotonic), what it was, how long until all of it was there, bytes received."""

    began: float
    kind: str
    seconds: float
    size: int


@dataclass
class Visitor:
    """`screen` is what the browser would show, by place; `timings` are all interactions so far."""

    url: str
    screen: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)
    timings: list = field(default_factory=list)

    def open(self, page: str, query: str = "") -> "Visitor":
        """A new browser tab: the page's own files are cached, the cookie and the connection are new."""
        began = time.monotonic()
        self.query, self.page_hash, self.main_hash = parse_qs(query), "", ""
        self.known, self.runs, self.timers, self.pictures, self.size = {}, 0, {}, {}, 0
        self.http = requests.Session()
        self.http.get(f"{self.url}/{page}").raise_for_status()
        self.http.get(f"{self.url}/_stcore/health").raise_for_status()  # brings the XSRF cookie
        self.token = self.http.cookies["_streamlit_xsrf"]
        self.opened = ExitStack()
        self.socket = self.opened.enter_context(connect(
            self.url.replace("http", "ws", 1) + "/_stcore/stream", origin=self.url, max_size=None, compression=None,
            subprotocols=["streamlit", self.token], additional_headers={"Cookie": f"_streamlit_xsrf={self.token}"}))
        self.page = page
        self._run(page_name=page)
        self._settle("open", began)
        return self

    def close(self) -> None:
        self.opened.close()
        self.http.close()
        self.screen.clear()
        self.values.clear()

    # What a person does

    def go(self, page: str) -> None:
        """A click on a page's name in the navigation: only what app.py draws for all pages keeps its values."""
        began = time.monotonic()
        self.page, self.page_hash = page, self.pages[page]
        self.screen = {place: shown for place, shown in self.screen.items() if shown.common}
        self.timers.clear()
        kept = {element.id for element in self._elements() if hasattr(element, "id")}
        self.values = {name: value for name, value in self.values.items() if name in kept}
        bound = {element.query_param_key for element in self._elements() if getattr(element, "query_param_key", "")}
        self.query = {name: value for name, value in self.query.items() if name in bound}
        self._run()
        self._settle("go", began)

    def choose(self, key: str, value: str) -> None:
        """An entry of a select box, or of a row of choices."""
        element, began = self.widget(key), time.monotonic()
        many = type(element).__name__ == "ButtonGroup"
        options = [option.content for option in element.options] if many else list(element.options)
        if value not in options:
            raise Fault(f"{key} offers no {value!r}, only {options}")
        self.values[element.id] = _state(element.id, string_array_value=[value]) if many else _state(element.id, string_value=value)
        if element.query_param_key:
            first = [options[place] for place in element.default] if many else [options[element.default]] if element.HasField("default") else []
            self.query.pop(element.query_param_key, None)
            if [value] != first:
                self.query[element.query_param_key] = [value]
        self._run()
        self._settle("choose", began)

    def press(self, key: str, value, event: str = "picked") -> None:
        """A click inside a component, which tells the server once what was meant."""
        element, began = self.widget(key), time.monotonic()
        text = json.dumps([{"event": event, "value": value}])
        self._run(_state(TRIGGER.format(element.id), json_trigger_value=text))
        self._settle("press", began)

    def upload(self, key: str, name: str, data: bytes) -> None:
        """A file dropped on an uploader."""
        element, began = self.widget(key), time.monotonic()
        request = BackMsg()
        request.file_urls_request.request_id = str(uuid.uuid4())
        request.file_urls_request.file_names.append(name)
        request.file_urls_request.session_id = self.session
        self.socket.send(request.SerializeToString())
        self.places = None
        while self.places is None:
            self._receive(began + LIMIT_S)
        (place,) = self.places
        answer = self.http.put(self.url + place.upload_url, files={"file": (name, data, "application/octet-stream")},
                               headers={"X-Xsrftoken": self.token})
        if answer.status_code != 204:
            raise Fault(f"the upload of {name} was answered {answer.status_code}: {answer.text[:200]}")
        state = WidgetState(id=element.id)
        state.file_uploader_state_value.uploaded_file_info.add(file_id=place.file_id, name=name, size=len(data), file_urls=place)
        self.values[element.id] = state
        self._run()
        self._settle("upload", began)

    def stay(self, seconds: float) -> None:
        """Look at the page so long: its timers go off, whatever the server sends is taken in."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            due = min(self.timers, key=lambda name: self.timers[name][1], default=None)
            if due is not None and self.timers[due][1] <= now:
                self.timers[due] = (self.timers[due][0], now + self.timers[due][0])
                self._run(fragment_id=due, is_auto_rerun=True)
                self._settle("look", now)
                continue
            self._receive(min([until, *(at for _, at in self.timers.values())]), patient=True)

    # What a person sees

    def widget(self, key: str):
        """The element whose id ends with the key that the program gave it."""
        found = [element for element in self._elements() if getattr(element, "id", "").endswith(f"-{key}")]
        if len(found) != 1:
            raise Fault(f"{len(found)} elements are called {key!r} on {self.page}")
        return found[0]

    def key(self, beginning: str) -> str:
        """The key of the one element whose key begins so; the program counts some of them up."""
        found = {element.id.split("-", 2)[2] for element in self._elements() if f"-{beginning}" in getattr(element, "id", "")}
        if len(found) != 1:
            raise Fault(f"{sorted(found)} begin with {beginning!r} on {self.page}")
        return found.pop()

    def texts(self, *kinds: str) -> list[str]:
        """Bodies of markdown, heading and alert elements in the order of the screen; all of them unless kinds are named."""
        kinds = kinds or ("heading", "markdown", "alert")
        return [getattr(shown.element, kind).body for _, shown in sorted(self.screen.items())
                for kind in [shown.element.WhichOneof("type")] if kind in kinds]

    def data(self, key: str) -> dict | bytes:
        """What a component was given."""
        element = self.widget(key)
        return element.bytes if element.WhichOneof("data") == "bytes" else json.loads(element.json)

    def images(self) -> list[bytes]:
        """The files of the pictures on the screen, in its order."""
        return [self.pictures[url] for url in self._addresses()]

    def _elements(self) -> list:
        kinds = ((shown.element, shown.element.WhichOneof("type")) for _, shown in sorted(self.screen.items()))
        return [getattr(element, kind) for element, kind in kinds if kind]

    def _addresses(self) -> list[str]:
        found = [image.url for element in self._elements() if type(element).__name__ == "ImageList" for image in element.imgs]
        return [url for url in found if url.startswith("/media/")]

    # The conversation

    def _run(self, trigger: WidgetState | None = None, **about) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = urlencode(self.query, doseq=True)
        state.widget_states.widgets.extend([*self.values.values(), *([trigger] if trigger else [])])
        state.page_script_hash = self.page_hash
        state.cached_message_hashes.extend(self.known)
        state.context_info.timezone, state.context_info.locale = "UTC", "en-US"
        state.context_info.url, state.context_info.color_scheme = f"{self.url}/{self.page}", "light"
        for name, value in about.items():
            setattr(state, name, value)
        self.finished = None
        self.socket.send(message.SerializeToString())

    def _settle(self, kind: str, began: float) -> None:
        """Wait until the script is through and the page's pictures are here; what went wrong is raised."""
        self.size = 0
        while self.finished not in DONE:
            self._receive(began + LIMIT_S)
            if self.finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                raise Fault(f"{self.page} does not compile")
        wanted = self._addresses()
        self.pictures = {url: self.pictures.get(url) or self._picture(url) for url in wanted}
        self.timings.append(Timing(began, kind, time.monotonic() - began, self.size))
        for shown in self.screen.values():
            what = shown.element.WhichOneof("type")
            if what == "exception" or what == "alert" and shown.element.alert.format == ERROR:
                raise Fault(f"{self.page} says: {shown.element.alert.body or shown.element.exception.message}")

    def _picture(self, url: str) -> bytes:
        answer = self.http.get(self.url + url)
        if answer.status_code != 200:
            raise Fault(f"the picture {url} was answered {answer.status_code}")
        self.size += len(answer.content)
        return answer.content

    def _receive(self, until: float, patient: bool = False) -> None:
        """Take in one message; none until then is a fault, unless nothing was asked."""
        try:
            data = self.socket.recv(max(0.0, until - time.monotonic()))
        except TimeoutError:
            if patient:
                return
            raise Fault(f"{self.page}: no answer within {LIMIT_S} s") from None
        except ConnectionClosed as error:
            raise Fault(f"{self.page}: the server closed the connection ({error})") from None
        self.size += len(data)
        message = ForwardMsg.FromString(data)
        handler = getattr(self, f"_on_{message.WhichOneof('type')}", None)
        if handler:
            handler(message)

    def _on_new_session(self, message: ForwardMsg) -> None:
        new = message.new_session
        self.session, self.run = new.initialize.session_id or self.session, message.metadata.run.script_run_id
        self.main_hash, self.page_hash, self.max_age = new.main_script_hash, new.page_script_hash, new.config.max_cached_message_age
        self.fragments = set(message.metadata.run.fragment_ids)
        if not self.fragments:
            self.timers.clear()

    def _on_navigation(self, message: ForwardMsg) -> None:
        self.pages = {page.url_pathname or "": page.page_script_hash for page in message.navigation.app_pages}
        self.page_hash = message.navigation.page_script_hash

    def _on_page_info_changed(self, message: ForwardMsg) -> None:
        self.query = parse_qs(message.page_info_changed.query_string)

    def _on_page_not_found(self, message: ForwardMsg) -> None:
        raise Fault(f"there is no page {message.page_not_found.page_name!r}")

    def _on_file_urls_response(self, message: ForwardMsg) -> None:
        self.places = list(message.file_urls_response.file_urls)

    def _on_auto_rerun(self, message: ForwardMsg) -> None:
        timer = message.auto_rerun
        self.timers[timer.fragment_id] = (timer.interval, time.monotonic() + timer.interval)

    def _on_stop_auto_rerun(self, message: ForwardMsg) -> None:
        for name in message.stop_auto_rerun.fragment_ids:
            self.timers.pop(name, None)

    def _on_ref_hash(self, message: ForwardMsg) -> None:
        known, _ = self.known[message.ref_hash]
        self.known[message.ref_hash] = (known, self.runs)
        again = ForwardMsg()
        again.CopyFrom(known)
        again.metadata.CopyFrom(message.metadata)
        self._on_delta(again)

    def _on_delta(self, message: ForwardMsg) -> None:
        if message.metadata.cacheable and message.hash not in self.known:
            self.known[message.hash] = (message, self.runs)
        if message.delta.WhichOneof("type") != "new_element":
            return  # what holds elements, and what passes, like a spinner
        common = message.metadata.active_script_hash == self.main_hash
        element = message.delta.new_element
        self.screen[tuple(message.metadata.delta_path)] = Shown(element, self.run, message.delta.fragment_id, common)
        self._begin_value(getattr(element, element.WhichOneof("type") or "empty", None))

    def _on_script_finished(self, message: ForwardMsg) -> None:
        self.finished = message.script_finished
        if self.finished not in DONE:
            return  # it begins again at once
        of_this_run = lambda shown: shown.run == self.run or self.fragments and shown.fragment not in self.fragments
        self.screen = {place: shown for place, shown in self.screen.items() if of_this_run(shown)}
        left = {getattr(element, "id", "") for element in self._elements()}
        self.values = {name: value for name, value in self.values.items() if name in left}
        self.runs += 1
        self.known = {name: (kept, at) for name, (kept, at) in self.known.items() if self.runs - at <= self.max_age}

    def _begin_value(self, element) -> None:
        """A widget that comes new has its default, one that the program sets has that; otherwise it keeps its own."""
        kind = type(element).__name__
        if kind not in BEGINNINGS or element.id in self.values and not getattr(element, "set_value", False):
            return
        self.values[element.id] = BEGINNINGS[kind](element)


def _state(name: str, **value) -> WidgetState:
    state = WidgetState(id=name)
    for kind, given in value.items():
        if kind == "string_array_value":
            state.string_array_value.data.extend(given)
        elif given is not None:
            setattr(state, kind, given)
    return state


def _selected(box) -> WidgetState:
    value = box.raw_value if box.set_value else box.options[box.default] if box.HasField("default") and box.options else None
    return _state(box.id, string_value=value)


def _pressed(group) -> WidgetState:
    options = [option.content for option in group.options]
    return _state(group.id, string_array_value=group.raw_values if group.set_value else [options[place] for place in group.default])


def _empty_uploader(uploader) -> WidgetState:
    state = WidgetState(id=uploader.id)
    state.file_uploader_state_value.SetInParent()
    return state


BEGINNINGS = {
    "Selectbox": _selected,
    "ButtonGroup": _pressed,
    "Checkbox": lambda box: _state(box.id, bool_value=box.value if box.set_value else box.default),
    "FileUploader": _empty_uploader,
}
