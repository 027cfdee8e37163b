"""The benchmark's rows about the live page: what they measure with, and that an update stays as small as promised."""

import shutil
import sys

import pytest

from resnet_viz import live_page_speed, runs


def test_without_a_browser_the_row_says_what_it_needs(monkeypatch):
    measured = live_page_speed.with_browser(lambda *_: pytest.fail("there is nothing to measure with"))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "playwright.sync_api", None)
        assert measured() == live_page_speed.NO_BROWSER
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "Chromium" in measured()["figure"]


class Page:
    """A page whose waiting writes what a training wrote meanwhile: 40 images a row, a row in half a second."""

    def __init__(self, run):
        self.run, self.addresses = run, []

    def goto(self, address):
        self.addresses.append(address)

    def wait_for_timeout(self, milliseconds):
        done = len(runs.read_lines(self.run / "metrics.jsonl"))
        more = int(milliseconds / 500)
        runs.append(self.run / "metrics.jsonl", *({"split": "train", "images": 40 * n, "elapsed_s": n / 2} for n in range(done + 1, done + more + 1)))


def test_the_rate_is_that_of_the_window(tmp_path):
    pages = [Page(tmp_path), Page(tmp_path)]
    assert live_page_speed._rate(tmp_path, pages, "about:blank") == pytest.approx(80)
    assert pages[0].addresses == pages[1].addresses == ["about:blank"]


def test_a_look_ends_with_the_last_word_of_its_answer(monkeypatch):
    clock = iter([1.0, 1.25, 1.5, 7.0])
    monkeypatch.setattr(live_page_speed.time, "perf_counter", lambda: next(clock))
    hands = {}

    class Channel:
        on = staticmethod(hands.__setitem__)

    class Browser:
        on = staticmethod(lambda event, hand: hand(Channel))

    talk = live_page_speed.Conversation(Browser)
    hands["framereceived"](b"greeting")
    hands["framesent"](b"look")
    hands["framereceived"](b"12345")
    hands["framereceived"](b"678")
    hands["framesent"](b"look again")
    assert talk.answered() == [(0.5, 8)]
