"""Who comes in at all: other sites' pages do not, and with RESNET_VIZ_PASSWORD nobody without the password.

It stands before every route of the server: pages, pictures, uploads and the connection behind them. In plain ASGI
(https://asgi.readthedocs.io), so that nothing is added to what the framework needs.
"""

import hashlib
import hmac
import html
import ipaddress
import logging
import os
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

import streamlit as st

from .share import own_address

PASSWORD = "RESNET_VIZ_PASSWORD"
COOKIE = "resnet_viz_door"
DAYS = 7  # that a browser is remembered
FREE_TRIES, LONGEST_WAIT_S = 3, 60
REMEMBERED = 1_000  # addresses with wrong tries
FORM_BYTES = 4_096
OPEN_PATHS = ("/_stcore/health",)  # whether it runs, for who watches over servers; it says "ok" and nothing else
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>ResNet Viz</title><style>:root{{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}}
body{{max-width:22rem;margin:18vh auto 0;padding:0 1rem}}input,button{{font:inherit;padding:.5rem .75rem;width:100%;
box-sizing:border-box;margin-top:.75rem}}</style><h1>ResNet Viz</h1><p role="status">{said}</p>
<form method="post"><label>Password<input type="password" name="password" autocomplete="current-password" autofocus
required></label><button>Enter</button></form></html>"""
ASKS = "Whoever runs this server gave it a password; ask them for it."
_log = logging.getLogger(__name__)


@dataclass
class Tries:
    """Wrong tries by address: the first FREE_TRIES cost nothing, each further one twice the wait before it."""

    wrong: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)

    def wait_s(self, address: str, now: float) -> float:
        count, last = self.wrong.get(address, (0, 0.0))
        pause = min(2.0 ** min(count - FREE_TRIES, 30), LONGEST_WAIT_S) if count > FREE_TRIES - 1 else 0.0
        return max(0.0, last + pause - now)

    def note(self, address: str, now: float) -> None:
        self.wrong[address] = (self.wrong.pop(address, (0, 0.0))[0] + 1, now)
        while len(self.wrong) > REMEMBERED:
            self.wrong.popitem(last=False)


class Door:
    """ASGI middleware around the server; `password` and `address` are those it was started with."""

    def __init__(self, app, password: str | None = None):
        self.app, self.tries = app, Tries()
        self.password = os.environ.get(PASSWORD) if password is None else password
        # a restart of the server forgets nobody, another password everybody
        self.secret = self.password and hashlib.pbkdf2_hmac("sha256", self.password.encode(), b"resnet-viz door", 200_000)

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if not from_here(scope["type"], headers, st.get_option("server.address")):
            return await _refuse(scope, send, "This address is of another site; open the server by its own.")
        if not self.secret or scope["path"] in OPEN_PATHS or known(headers.get("cookie", ""), self.secret, time.time()):
            return await self.app(scope, receive, send)
        if scope["type"] == "http" and scope["method"] == "POST" and "/_stcore/" not in scope["path"]:
            return await self._answer(scope, receive, send)
        if scope["type"] == "http" and scope["method"] == "GET" and "/_stcore/" not in scope["path"]:
            return await _page(send, 401, ASKS)
        await _refuse(scope, send, ASKS)

    async def _answer(self, scope, receive, send) -> None:
        """The form came back: a cookie and the page that was asked for, or the form again."""
        body = await _body(receive)  # nothing is awaited from here on: two tries at once are one after the other
        address, now = (scope.get("client") or ("?",))[0], time.monotonic()
        if wait := self.tries.wait_s(address, now):
            return await _page(send, 429, f"Too many wrong tries; wait {wait:,.0f} s, then try again.")
        given = parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]
        if not hmac.compare_digest(*(hmac.digest(self.secret, word.encode(), "sha256") for word in (given, self.password))):
            self.tries.note(address, now)
            _log.warning("wrong password from %s", address)
            return await _page(send, 401, "That is not the password; try again.")
        self.tries.wrong.pop(address, None)
        query = scope["query_string"].decode("latin-1")
        where = "/" + quote(scope["path"].lstrip("/\\")) + (f"?{query}" if query else "")  # //elsewhere would be another site
        secure = "; Secure" if scope["scheme"] == "https" else ""
        cookie = f"{COOKIE}={ticket(self.secret, time.time())}; Path=/; Max-Age={DAYS * 86_400}; HttpOnly; SameSite=Lax{secure}"
        await _send(send, 303, b"", [(b"location", where.encode("latin-1")), (b"set-cookie", cookie.encode())])


def ticket(secret: bytes, now: float) -> str:
    """What a browser shows instead of the password: until when it holds, and the proof that this server wrote that."""
    until = str(int(now) + DAYS * 86_400)
    return f"{until}.{hmac.new(secret, until.encode(), 'sha256').hexdigest()}"


def known(cookies: str, secret: bytes, now: float) -> bool:
    """Whether one of the browser's cookies is a ticket of this server that still holds."""
    for part in cookies.split(";"):
        name, _, value = part.strip().partition("=")
        until, _, proof = value.partition(".")
        right = hmac.new(secret, until.encode("latin-1"), "sha256").hexdigest()
        if name == COOKIE and hmac.compare_digest(proof.encode("latin-1"), right.encode()) and until.isdecimal():
            return int(until) > now
    return False


def from_here(kind: str, headers: dict[str, str], address: str | None) -> bool:
    """Whether the request comes from a page of this server.

    A browser names the page's site in Origin: that of a websocket must be ours. And where only this machine can reach
    the server, the name it is called by must be one of this machine's: another site's name that was pointed here
    (DNS rebinding) makes that site's pages look like ours.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    names = {"localhost", str(st.get_option("browser.serverAddress") or "").lower(), *map(_name, st.get_option("server.corsAllowedOrigins"))}
    if on_this_machine(address) and not (_name(host) in names or _name(host).endswith(".localhost") or _number(_name(host))):
        return False
    if kind != "websocket" or origin is None or not st.get_option("server.enableCORS"):
        return True
    return urlsplit(origin).netloc == host or _name(origin) in names - {""} | {"127.0.0.1", own_address()}


def on_this_machine(address: str | None) -> bool:
    """Whether only this machine itself reaches a server that listens there; None is every address."""
    try:
        return address == "localhost" or ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _name(url: str) -> str:
    try:
        return (urlsplit(url if "//" in url else f"//{url}").hostname or "").lower()
    except ValueError:
        return ""


def _number(name: str) -> bool:
    """An address in numbers, which no other site can have pointed here."""
    return ":" in name or name.replace(".", "").isdecimal()


async def _body(receive) -> bytes:
    body = b""
    while len(body) <= FORM_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body[:FORM_BYTES]


async def _refuse(scope, send, said: str) -> None:
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008, "reason": said})
    await _send(send, 403, said.encode(), [(b"content-type", b"text/plain; charset=utf-8")])


async def _page(send, status: int, said: str) -> None:
    await _send(send, status, PAGE.format(said=html.escape(said)).encode(),
                [(b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", b"frame-ancestors 'none'")])


async def _send(send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status,
                "headers": [*headers, (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]})
    await send({"type": "http.response.body", "body": body})
