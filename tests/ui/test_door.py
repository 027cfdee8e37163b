"""The door before every route: the password, tries that slow down, tickets that end, and other sites' pages."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
import time

import pytest
import streamlit as st

from resnet_viz.ui import door

SECRET = b"s" * 32


async def inside(scope, receive, send):
    """What stands behind the door."""
    await send({"type": "inside"})


def ask(guard: door.Door, path: str = "/", method: str = "GET", body: bytes = b"", kind: str = "http", query: bytes = b"",
        client: str = "10.0.0.1", **headers: str) -> list[dict]:
    """All messages that come back to one request."""
    sent = []
    headers = {"host": "localhost:8501", **headers}
    scope = {"type": kind, "path": path, "method": method, "query_string": query, "scheme": "http", "client": (client, 5),
             "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    # a thread of its own: where a browser's driver is in this process, a loop of events runs here already
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, guard(scope, receive, send)).result()
    return sent


def status(messages: list[dict]) -> int | str:
    return messages[0].get("status", messages[0]["type"])


@pytest.fixture
def guard(monkeypatch):
    """A door with a password whose clock stands still until the test moves it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    made = door.Door(inside, "open, sesame")
    made.clock = now
    return made


def test_without_a_password_everybody_from_here_comes_in(monkeypatch):
    monkeypatch.delenv(door.PASSWORD, raising=False)
    guard = door.Door(inside)
    assert [status(ask(guard, path)) for path in ("/", "/_stcore/stream", "/media/1.png")] == ["inside"] * 3
    assert status(ask(guard, kind="lifespan")) == "inside"


def test_nothing_but_the_health_line_passes_without_the_password(guard):
    for path in ("/", "/kernels", "/static/js/main.js", "/media/1.png", "/component/x/y.js"):
        assert status(ask(guard, path)) == 401
    for path in ("/_stcore/host-config", "/_stcore/upload_file/a/b", "/_stcore/metrics"):
        assert status(ask(guard, path)) == status(ask(guard, path, "PUT")) == status(ask(guard, path, "POST")) == 403
    assert status(ask(guard, "/_stcore/stream", kind="websocket")) == "websocket.close"
    assert status(ask(guard, "/_stcore/health")) == "inside"


def test_the_right_password_is_answered_by_a_ticket_and_the_page_that_was_asked_for(guard):
    (start, _) = ask(guard, "/kernels", "POST", b"password=open%2C+sesame", query=b"layer=conv1&x=%0d%0aSet-Cookie")
    headers = dict(start["headers"])
    assert start["status"] == 303 and headers[b"location"] == b"/kernels?layer=conv1&x=%0d%0aSet-Cookie"
    cookie = headers[b"set-cookie"].decode()
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/")) and "sesame" not in cookie
    ticket = cookie.split(";")[0]
    for path, kind in (("/", "http"), ("/_stcore/stream", "websocket"), ("/_stcore/upload_file/a/b", "http")):
        assert status(ask(guard, path, kind=kind, cookie=f"other=1; {ticket}")) == "inside"
    assert status(ask(guard, cookie=ticket[:-1] + ("0" if ticket[-1] != "0" else "1"))) == 401
    assert status(ask(door.Door(inside, "another"), cookie=ticket)) == 401


@pytest.mark.parametrize("path", ["//elsewhere.example/", "/\\elsewhere.example", "///x", "/\r\nSet-Cookie: a=b"])
def test_the_way_back_never_leads_elsewhere(guard, path):
    (start, _) = ask(guard, path, "POST", b"password=open%2C+sesame")
    where = dict(start["headers"])[b"location"].decode()
    assert where.startswith("/") and not where.startswith(("//", "/\\")) and "\r" not in where and "\n" not in where


def test_a_ticket_ends_and_cannot_be_made_longer():
    made = door.ticket(SECRET, 1_000_000)
    until, proof = made.split(".")
    week = door.DAYS * 86_400
    assert door.known(f"{door.COOKIE}={made}", SECRET, 1_000_000 + week - 1)
    assert not door.known(f"{door.COOKIE}={made}", SECRET, 1_000_000 + week)
    for bad in (f"{int(until) + 1}.{proof}", f"{until}.", "", ".", f"{until}.é", "x" * 10_000, f"{until}.{proof}.more"):
        assert not door.known(f"{door.COOKIE}={bad}", SECRET, 1_000_000)
    assert not door.known(made, SECRET, 1_000_000)


def test_wrong_tries_cost_ever_more_time_but_only_their_own_address(guard):
    for _ in range(door.FREE_TRIES):
        assert status(ask(guard, "/", "POST", b"password=guess")) == 401
    waits = []
    for _ in range(9):
        waits.append(guard.tries.wait_s("10.0.0.1", guard.clock[0]))
        assert status(ask(guard, "/", "POST", b"password=open%2C+sesame")) == 429  # not even the right one, before its time
        guard.clock[0] += waits[-1]
        assert status(ask(guard, "/", "POST", b"password=guess")) == 401
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60] and door.LONGEST_WAIT_S == 60
    assert status(ask(guard, "/", "POST", b"password=open%2C+sesame", client="10.0.0.2")) == 303
    guard.clock[0] += 60
    assert status(ask(guard, "/", "POST", b"password=open%2C+sesame")) == 303
    assert guard.tries.wait_s("10.0.0.1", guard.clock[0]) == 0


def test_what_is_remembered_of_wrong_tries_is_bounded(guard):
    for number in range(door.REMEMBERED + 50):
        guard.tries.note(f"address {number}", 0.0)
    assert len(guard.tries.wrong) == door.REMEMBERED


@pytest.mark.parametrize("body", [b"", b"password=", b"password=%ff%fe", b"x" * 100_000, b"password=a&password=open%2C+sesame"])
def test_a_strange_form_is_a_wrong_password(guard, body):
    assert status(ask(guard, "/", "POST", body)) == 401


@pytest.mark.parametrize(("address", "host", "comes_in"), [
    ("localhost", "localhost:8501", True), ("127.0.0.1", "127.0.0.1:8501", True), ("::1", "[::1]:8501", True),
    ("localhost", "app.localhost", True), ("localhost", "rebound.example:8501", False), ("localhost", "", False),
    ("0.0.0.0", "gpu-server.example:8501", True), (None, "gpu-server", True),
])
def test_where_only_this_machine_listens_it_is_called_by_this_machines_names(address, host, comes_in):
    assert door.from_here("http", {"host": host}, address) is comes_in


@pytest.mark.parametrize(("origin", "comes_in"), [
    (None, True), ("http://server:8501", True), ("http://evil.example", False), ("null", False), ("http://server.evil.example:8501", False),
    ("http://localhost:3000", True),
])
def test_a_websocket_is_opened_by_pages_of_this_server_only(origin, comes_in, monkeypatch):
    monkeypatch.setattr(door, "own_address", lambda: None)
    assert st.get_option("server.enableCORS") is True
    headers = {"host": "server:8501"} | ({"origin": origin} if origin else {})
    assert door.from_here("websocket", headers, "0.0.0.0") is comes_in
