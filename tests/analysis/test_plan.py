"""A lecture plan: written and read again, changed, taken from links, and hostile files refused in one sentence."""

import json

import pytest

from resnet_viz.analysis import plan as plans
from resnet_viz.analysis.plan import Plan, Step
from resnet_viz.problems import Problem
from resnet_viz.ui import lecture

PAGES = ("home", "learning", "kernels", "feature_maps")
HOSTS = ("localhost", "192.0.2.7")
PLAN = Plan("Mine — 1", (Step("learning", (("part", "A slope"), ("at", "3")), "Which way?\nAnd why?", 5), Step("home"),
                         Step("kernels", (("convolution", "layer2.0.conv1"), ("order", "größe & =?#"), ("many", "1"), ("many", "2")), "", 80)))


def as_json(**changes) -> bytes:
    found = json.loads(plans.write(PLAN))
    return json.dumps({**found, **changes}).encode()


def step(**changes) -> bytes:
    return as_json(steps=[{"page": "learning", "settings": "part=A+slope", "question": "?", "minutes": 5, **changes}])


def test_what_is_written_is_read_again():
    assert plans.read(plans.write(PLAN), PAGES) == PLAN
    assert plans.read(b"\xef\xbb\xbf" + plans.write(PLAN), PAGES) == PLAN, "an editor's mark at the beginning"
    assert json.loads(plans.write(PLAN))["steps"][0] == {"page": "learning", "settings": "part=A+slope&at=3",
                                                         "question": "Which way?\nAnd why?", "minutes": 5}
    assert plans.read(b'{"resnet_viz_plan": 1, "steps": [{"page": "home"}]}', PAGES) == Plan("", (Step("home"),))


HOSTILE = {
    "empty": b"", "no text": b"\xff\xfe\x00", "no JSON": b"<html>", "a number": b"7", "a list": b"[]", "null": b"null",
    "no version": b"{}", "another version": b'{"resnet_viz_plan": 2, "steps": []}', "true for 1": b'{"resnet_viz_plan": true, "steps": []}',
    "deep": b"[" * 100_000, "deep in a plan": b'{"resnet_viz_plan": 1, "steps": ' + b"[" * 100_000, "large": b" " * 300_000,
    "no steps": b'{"resnet_viz_plan": 1}', "steps as text": as_json(steps="all"), "too many": as_json(steps=[{"page": "home"}] * 101),
    "a number as title": as_json(title=3), "long title": as_json(title="x" * 2_000), "more in the plan": as_json(script="alert(1)"),
    "a step as text": as_json(steps=["learning"]), "a link": step(link="https://elsewhere.example"),
    "no page": as_json(steps=[{"settings": ""}]), "another page": step(page="shop"), "javascript as page": step(page="javascript:alert(1)"),
    "another host as page": step(page="//elsewhere.example/learning"), "a way out": step(page="../../etc/passwd"), "a list as page": step(page=["learning"]),
    "settings as object": step(settings={"part": "A slope"}), "no settings": step(settings="part"), "long settings": step(settings="a=" + "b" * 3_000),
    "many settings": step(settings="&".join(f"a{i}=1" for i in range(70))), "a tag as setting": step(settings="<img>=1"),
    "control characters": step(settings="part=%00"), "minutes as text": step(minutes="5"), "negative": step(minutes=-1), "true minutes": step(minutes=True),
    "fraction": step(minutes=1.5), "huge minutes": step(minutes=10**9), "NaN minutes": step(minutes=float("nan")),
    "a number as question": step(question=1), "long question": step(question="x" * 1_001),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_one_sentence(data):
    with pytest.raises(Problem) as raised:
        plans.read(data, PAGES)
    said = str(raised.value)
    assert 20 < len(said) < 400 and "\n" not in said and "Traceback" not in said


def test_what_only_belongs_to_the_projector_is_left_out_and_turned_text_is_straightened():
    found = plans.read(step(settings="part=A+slope&present=true&lecture=3-abc&embed=true", question="a\u202eb\x07c"), PAGES)
    assert found.steps[0] == Step("learning", (("part", "A slope"),), "abc", 5)


@pytest.mark.parametrize(("link", "expected"), [
    ("http://localhost:8501/learning?part=A+slope", Step("learning", (("part", "A slope"),))),
    ("https://192.0.2.7/base/kernels", Step("kernels")),
    ("http://localhost:8501/?checkpoint=x", Step("home", (("checkpoint", "x"),))),
    ("  /learning?at=1#top ", Step("learning", (("at", "1"),))),
    ("learning", Step("learning")),
])
def test_a_link_of_this_application_becomes_a_step(link, expected):
    assert plans.from_link(link, PAGES, HOSTS) == expected


@pytest.mark.parametrize("link", ["javascript:alert(1)", "JavaScript:alert(1)//learning", "data:text/html,learning", "http://elsewhere.example/learning",
                                  "//elsewhere.example/learning", "http://localhost@elsewhere.example/learning", "file:///learning",
                                  "http://[::1/learning", "http:learning", "http://localhost/shop", "ftp://localhost/learning",
                                  "https:///learning", "/learning?x"])
def test_other_links_are_refused(link):
    with pytest.raises(Problem):
        plans.from_link(link, PAGES, HOSTS)


def test_steps_are_moved_changed_deleted_and_brought_back():
    names = lambda plan: [step.page for step in plan.steps]  # noqa: E731
    assert names(plans.moved(PLAN, 0, 1)) == ["home", "learning", "kernels"]
    assert names(plans.moved(PLAN, 2, -1)) == ["learning", "kernels", "home"]
    assert plans.moved(PLAN, 0, -1) == PLAN == plans.moved(PLAN, 2, 1)
    for index in range(3):
        assert plans.with_step(plans.without(PLAN, index), index, PLAN.steps[index]) == PLAN
    assert plans.changed(PLAN, 1, question="Now?").steps[1] == Step("home", (), "Now?")
    assert plans.added(PLAN, Step("home")).steps[3] == Step("home") and plans.added(PLAN, Step("home")).mark != PLAN.mark
    with pytest.raises(Problem, match="at most 100"):
        plans.added(Plan("", (Step("home"),) * 100), Step("home"))


def test_words():
    assert plans.title(PLAN.steps[0]) == "Learning: A slope" and plans.title(Step("feature_maps")) == "Feature maps"
    assert plans.details(PLAN.steps[0]) == "at 3"
    assert plans.begins(PLAN) == [0, 5, 10] and [plans.clock(minute) for minute in (5, 90)] == ["0:05", "1:30"]


def test_the_plan_that_ships_is_one_lecture_over_the_lessons():
    pages = lecture.scripts()
    plan = plans.shipped(pages)
    assert plan.minutes == 90 and len({step.query + step.page for step in plan.steps}) == len(plan.steps) >= 10
    lessons = {word for word, script in pages.items() if script.startswith("pages/learn/")} - {"plan"}
    assert lessons <= {step.page for step in plan.steps}
    assert all(step.question.endswith("?") and step.minutes for step in plan.steps)
    assert plans.read(plans.write(plan), pages) == plan
