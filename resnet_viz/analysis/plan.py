"""A lecture plan: views of the pages in the order of a lecture, each with its question; a small JSON that a teacher keeps.

    {"resnet_viz_plan": 1, "title": "...", "steps": [{"page": "learning", "settings": "part=A+slope&at=3",
     "question": "Which way is down?", "minutes": 5}, ...]}

`settings` is what stands behind the question mark in the page's address. A plan holds no address of its own: links are
made from page and settings, so that they lead to a page of this application or are refused.
"""

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from ..problems import Problem

SHIPPED = Path(__file__).with_name("plan_90_minutes.json")
VERSION_KEY, VERSION = "resnet_viz_plan", 1
LIMIT_BYTES, LIMIT_STEPS = 2**18, 100
LIMIT_TEXT, LIMIT_SETTINGS, LIMIT_MINUTES = 1_000, 2_000, 600
HOME = "home"  # the page whose address is empty
NAME = re.compile(r"[^\x00-\x1f\x7f<>&=#\ud800-\udfff]{1,120}")  # of a setting
PASSING = ("present", "lecture", "embed", "embed_options")  # how a view is shown, not what
BROKEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # control characters, turned text, halves of characters


@dataclass(frozen=True)
class Step:
    """One view: the page's word, its settings as (name, value), what is asked there, and how long it takes."""

    page: str
    settings: tuple[tuple[str, str], ...] = ()
    question: str = ""
    minutes: int = 5

    @property
    def query(self) -> str:
        return urlencode(self.settings)


@dataclass(frozen=True)
class Plan:
    title: str
    steps: tuple[Step, ...] = ()

    @property
    def minutes(self) -> int:
        return sum(step.minutes for step in self.steps)

    @property
    def mark(self) -> str:
        """A short text that changes with what the plan holds."""
        return hashlib.sha256(write(self)).hexdigest()[:8]


# From outside


def read(data: bytes, pages: Collection[str]) -> Plan:
    """A plan from a file, or a Problem of one sentence.

    pages   the words of the pages that there are
    """
    if len(data) > LIMIT_BYTES:
        raise Problem(f"This file has {len(data) / 2**10:,.0f} KiB; a lecture plan has at most {LIMIT_BYTES // 2**10}; shorten it.")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # of bytes that are no text, of text that is no JSON, of brackets without end
        raise Problem("This file is no lecture plan: it is not JSON; open one that this page has saved.") from error
    if not isinstance(found, dict) or found.get(VERSION_KEY) != VERSION or isinstance(found.get(VERSION_KEY), bool):
        raise Problem(f"This file is no lecture plan of this application: it must begin with \"{VERSION_KEY}\": {VERSION}.")
    steps = found.get("steps")
    if not isinstance(steps, list) or len(steps) > LIMIT_STEPS:
        raise Problem(f"The plan's steps must be a list of at most {LIMIT_STEPS}.")
    _only(found, (VERSION_KEY, "title", "steps"), "The plan")
    title = _text(found.get("title", ""), "The plan's title")
    return Plan(title, tuple(_step(step, f"Step {number}", pages) for number, step in enumerate(steps, 1)))


def _step(found, where: str, pages: Collection[str]) -> Step:
    if not isinstance(found, dict):
        raise Problem(f"{where} of the plan has no braces; write page, settings, question and minutes into them.")
    _only(found, ("page", "settings", "question", "minutes"), where)
    minutes = found.get("minutes", 5)
    if type(minutes) is not int or not 0 <= minutes <= LIMIT_MINUTES:
        raise Problem(f"{where}: the minutes must be a whole number from 0 to {LIMIT_MINUTES}.")
    settings = found.get("settings", "")
    if not isinstance(settings, str):
        raise Problem(f"{where}: the settings must be a text such as part=A+slope.")
    return Step(_page(found.get("page"), where, pages), _settings(settings, where), _text(found.get("question", ""), f"{where}: the question"),
                minutes)


def _only(found: dict, known: Sequence[str], where: str) -> None:
    strange = next((key for key in found if key not in known), None)
    if strange is not None:
        raise Problem(f"{where} has something called {strange!r:.40}; known are {', '.join(known)}.")


def _page(word, where: str, pages: Collection[str]) -> str:
    if not isinstance(word, str) or word not in pages:
        raise Problem(f"{where} asks for the page {word!r:.60}, which is not here; known are {', '.join(sorted(pages))}.")
    return word


def _settings(text: str, where: str) -> tuple[tuple[str, str], ...]:
    if len(text) > LIMIT_SETTINGS:
        raise Problem(f"{where}: its settings have more than {LIMIT_SETTINGS:,} characters; shorten them.")
    try:
        pairs = parse_qsl(text.removeprefix("?"), keep_blank_values=True, strict_parsing=bool(text), max_num_fields=60)
    except ValueError as error:
        raise Problem(f"{where}: its settings {text!r:.60} are not what stands behind the ? of an address; copy it from there.") from error
    if strange := next((name for name, value in pairs if not NAME.fullmatch(name) or BROKEN.search(value)), None):
        raise Problem(f"{where}: its settings hold {strange!r:.60}, which no page knows; leave it out.")
    return tuple((name, value) for name, value in pairs if name not in PASSING)


def _text(value, what: str) -> str:
    if not isinstance(value, str) or len(value) > LIMIT_TEXT:
        raise Problem(f"{what} must be a text of at most {LIMIT_TEXT:,} characters.")
    return BROKEN.sub("", value)


def from_link(link: str, pages: Collection[str], hosts: Collection[str]) -> Step:
    """The view behind a pasted address, with an empty question.

    hosts   what this application is called, e.g. localhost; other hosts and schemes are refused
    """
    link = link.strip()
    try:
        parts = urlsplit(link)
        host = parts.hostname
    except ValueError as error:
        raise Problem("This is no address; copy one with the button “Copy link” of a page.") from error
    if parts.scheme not in ("", "http", "https"):
        raise Problem(f"A link that begins with {parts.scheme[:20]}: is no page of this application; copy one with “Copy link”.")
    if (parts.netloc or parts.scheme) and host not in hosts:
        raise Problem(f"This link leads to {host or 'no host':.60}, and a plan holds views of this application only: open the view here, "
                      "and add it from “Copy link”.")
    word = parts.path.rstrip("/").rpartition("/")[2] or HOME
    return Step(_page(word, "The link", pages), _settings(parts.query, "The link"))


def write(plan: Plan) -> bytes:
    """The JSON that `read` reads."""
    steps = [{**asdict(step), "settings": step.query} for step in plan.steps]
    return (json.dumps({VERSION_KEY: VERSION, "title": plan.title, "steps": steps}, indent=1, ensure_ascii=False) + "\n").encode()


def shipped(pages: Collection[str]) -> Plan:
    """The plan of one lecture of 90 minutes that comes with the project."""
    return read(SHIPPED.read_bytes(), pages)


# Changing it


def added(plan: Plan, step: Step) -> Plan:
    if len(plan.steps) >= LIMIT_STEPS:
        raise Problem(f"A plan has at most {LIMIT_STEPS} steps; delete one first.")
    return replace(plan, steps=(*plan.steps, step))


def moved(plan: Plan, index: int, by: int) -> Plan:
    """The step `by` places further down (up where negative), as far as there is room."""
    steps = list(plan.steps)
    step = steps.pop(index)
    steps.insert(min(max(index + by, 0), len(steps)), step)
    return replace(plan, steps=tuple(steps))


def without(plan: Plan, index: int) -> Plan:
    return replace(plan, steps=plan.steps[:index] + plan.steps[index + 1:])


def with_step(plan: Plan, index: int, step: Step) -> Plan:
    """`step` put in at that place, e.g. one that was deleted by mistake."""
    return replace(plan, steps=plan.steps[:index] + (step,) + plan.steps[index:])


def changed(plan: Plan, index: int, **fields) -> Plan:
    """Another question or time of one step."""
    step = replace(plan.steps[index], **fields)
    return replace(plan, steps=plan.steps[:index] + (step,) + plan.steps[index + 1:])


# In words


def page_title(word: str) -> str:
    """"feature_maps" -> "Feature maps"."""
    return word.replace("_", " ").capitalize()


def title(step: Step) -> str:
    """The page, and the part of it where it has parts: "Learning: A slope"."""
    part = next((value for name, value in step.settings if name in ("part", "section", "operation")), None)
    return page_title(step.page) + (f": {part}" if part else "")


def details(step: Step) -> str:
    """The other settings: "rate 0.1, view Formula"."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in step.settings
                     if name not in ("part", "section", "operation"))


def begins(plan: Plan) -> list[int]:
    """The minute at which each step begins."""
    found, minute = [], 0
    for step in plan.steps:
        found.append(minute)
        minute += step.minutes
    return found


def clock(minutes: int) -> str:
    """"0:05", "1:30"."""
    return f"{minutes // 60}:{minutes % 60:02d}"
