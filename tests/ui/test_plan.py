"""The lecture plan on the screen: every link of the shipped one is valid; steps are asked, ordered, deleted, opened, added."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from resnet_viz.analysis import plan as plans
from resnet_viz.analysis.plan import Plan, Step
from resnet_viz.training import fine_tuning_film
from resnet_viz.ui import lecture
from resnet_viz.ui import plan as ui_plan

from ..pages.test_every_page import PAGES

ROOT = Path(__file__).parents[2]
SHIPPED = plans.shipped(lecture.scripts())


def open_page(script: str, runs, monkeypatch, query=(), plan: Plan | None = None) -> AppTest:
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(runs))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for name, value in query:
        app.query_params[name] = value
    if plan:
        app.session_state[lecture.PLAN] = plan
    app.switch_page(script).run()
    assert not app.exception
    return app


def links(app: AppTest) -> list[tuple[str, str]]:
    return [(link.proto.label.replace("\\", ""), link.proto.query_string) for link in app.get("page_link")]


@pytest.fixture
def page(tmp_path, monkeypatch):
    return lambda plan=None, edit="true": open_page(lecture.PAGE, tmp_path, monkeypatch, [("edit", edit)], plan)


@pytest.mark.parametrize("step", [step for step in SHIPPED.steps if step.settings], ids=plans.title)
def test_every_step_that_ships_opens_the_view_that_it_says(tmp_path, monkeypatch, step):
    """Its settings are taken: what a page does not know is dropped from the address, or is no choice of the page's. Steps
    without settings are pages as they open, which tests/pages/test_every_page.py holds."""
    monkeypatch.setattr(fine_tuning_film, "STEPS", 8)
    app = open_page(lecture.scripts()[step.page], tmp_path, monkeypatch, step.settings)
    assert not app.error and app.title[0].value == PAGES[lecture.scripts()[step.page].removeprefix("pages/").removesuffix(".py")]
    assert {name: app.query_params.get(name) for name, _ in step.settings} == dict(step.settings)
    known = {element.proto.query_param_key for kind in ("button_group", "selectbox", "select_slider", "slider", "number_input", "toggle",
             "checkbox", "text_input") for element in app.get(kind)} | {"at", "picture", "class"}
    assert {name for name, _ in step.settings} <= known


def test_the_scripts_are_the_pages_of_the_application():
    assert set(lecture.scripts().values()) >= {f"pages/{name}.py" for name in PAGES}


def test_the_shipped_plan_is_read_with_a_link_for_each_step(page):
    app = page(edit="false")
    found = links(app)
    assert found[0][0] == "Begin the lecture" and len(found) == 1 + len(SHIPPED.steps)
    for number, (label, query) in enumerate(found[1:], 1):
        step = SHIPPED.steps[number - 1]
        assert label == f"{number}. {plans.title(step)}"
        assert query == "&".join(filter(None, [step.query, "present=true", f"lecture={number}-{SHIPPED.mark}"]))
    assert not app.text_area


def test_steps_are_asked_ordered_deleted_and_brought_back(page):
    plan = Plan("Mine", (Step("learning", (("part", "A slope"),), "One?"), Step("kernels", (), "Two?", 7), Step("home", (), "Three?")))
    app = page(plan)
    app.text_area[1].set_value("Now what?").run()
    assert app.session_state[lecture.PLAN].steps[1] == Step("kernels", (), "Now what?", 7)
    next(field for field in app.number_input if field.value == 7).set_value(9).run()
    assert app.session_state[lecture.PLAN].minutes == 5 + 9 + 5

    def press(icon: str, row: int) -> None:
        [button for button in app.button if button.key and f"plan_{icon}_" in button.key][row].click().run()
        assert not app.exception

    press("Down", 0)
    assert [step.page for step in app.session_state[lecture.PLAN].steps] == ["kernels", "learning", "home"]
    press("Up", 2)
    before = app.session_state[lecture.PLAN]
    assert [step.page for step in before.steps] == ["kernels", "home", "learning"]
    press("delete", 1)
    assert [step.page for step in app.session_state[lecture.PLAN].steps] == ["kernels", "learning"]
    next(button for button in app.button if button.label == "Undo").click().run()
    assert app.session_state[lecture.PLAN] == before and not [button for button in app.button if button.label == "Undo"]
    app.text_input(key=f"plan_title_{before.mark}").set_value("Ours").run()
    assert app.session_state[lecture.PLAN].title == "Ours"


def test_a_plan_is_opened_and_a_hostile_one_is_one_sentence(page):
    app = page(edit="false")
    app.file_uploader(key="plan_file_0").set_value(("own.json", plans.write(Plan("Own", (Step("home", (), "**Who?**"),))), "application/json")).run()
    assert [label for label, _ in links(app)] == ["Begin the lecture", "1. Home"] and not app.error
    assert r"\*\*Who?\*\*" in [part.value for part in app.markdown]
    app.file_uploader(key="plan_file_1").set_value(("evil.json", b'{"resnet_viz_plan": 1, "steps": [{"page": "javascript:alert(1)"}]}',
                                                    "application/json")).run()
    assert [error.value.replace("\\", "").startswith("Step 1 of the plan asks for the page") or
            error.value.replace("\\", "").startswith("Step 1 asks for the page") for error in app.error] == [True]
    assert [label for label, _ in links(app)] == ["Begin the lecture", "1. Home"], "the plan from before stays"
    next(button for button in app.button if button.label == "An empty plan").click().run()
    assert "no steps" in app.info[0].value and not links(app)
    next(button for button in app.button if button.label.startswith("The plan that comes")).click().run()
    assert len(links(app)) == 1 + len(SHIPPED.steps)


def test_a_pasted_link_becomes_a_step_and_one_to_elsewhere_does_not(page):
    app = page(Plan("Mine"), "false")
    app.text_input(key="plan_link").set_value("http://localhost:8501/learning?part=A+slope&present=true").run()
    assert app.session_state[lecture.PLAN].steps == (Step("learning", (("part", "A slope"),)),)
    assert app.text_input(key="plan_link").value == ""
    app.text_input(key="plan_link").set_value("https://elsewhere.example/learning").run()
    assert "leads to elsewhere.example" in app.error[0].value.replace("\\", "")
    assert len(app.session_state[lecture.PLAN].steps) == 1


def test_a_step_shows_its_question_and_the_ways_on_and_an_unknown_plan_shows_none(tmp_path, monkeypatch):
    plan = Plan("Mine", (Step("learning", (("part", "A slope"),), "![x](http://elsewhere.example/x.png)?"), Step("home")))
    query = [("part", "A slope"), ("lecture", f"1-{plan.mark}")]
    app = open_page("pages/learn/learning.py", tmp_path, monkeypatch, query, plan)
    assert r"**\!\[x\]\(http\://elsewhere.example/x.png\)?**" in [part.value for part in app.markdown], "shown, not loaded"
    assert [label for label, _ in links(app)][:2] == ["Next: Home", "Plan"]
    assert app.session_state["present"] is True
    for strange in (f"3-{plan.mark}", f"0-{plan.mark}", "1-00000000", "one", "", "9" * 5_000):
        app = open_page("pages/learn/learning.py", tmp_path, monkeypatch, [("lecture", strange)], plan)
        assert "Plan" not in [label for label, _ in links(app)]


def test_hosts_are_names_of_this_machine_only():
    assert "localhost" in ui_plan.hosts() and all(name and "/" not in name for name in ui_plan.hosts())
