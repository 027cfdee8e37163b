"""The benchmark's row about an update of the live page: as small as promised, whatever the machine."""

import pytest

from resnet_viz import live_page_speed

pytestmark = pytest.mark.browser


@pytest.mark.hard
def test_an_update_of_10_000_points_stays_under_40_kb(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(live_page_speed, "LOOKS", 4)
    found = live_page_speed.update_cost(10_000)(browser, tmp_path)
    assert 20_000 < found["bytes"] < 40_000 and found["seconds"] > 0, found
