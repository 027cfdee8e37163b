"""What is said of attribution maps: places, costs, gaps, and the class that a picture's name gives away."""

import numpy as np
import pytest

from resnet_viz.analysis import attribution_words as words
from resnet_viz.analysis.attribution_costs import Speed, passes
from resnet_viz.analysis.attribution_sanity import Gap
from resnet_viz.analysis.attributions import METHODS


def test_the_strongest_ninth_and_its_share():
    heat = np.full((9, 9), -1.0)
    heat[0, 8], heat[4, 4] = 3.0, 1.0
    assert words.strongest(heat) == ("upper right", 0.75)
    assert words.strongest(-np.ones((9, 9))) is None
    assert words.finding("gradcam", "cat", heat) == (
        "Grad-CAM: 75% of what speaks for cat lies in the upper right ninth of the picture")
    assert words.finding("gradcam", "cat", -np.ones((9, 9))).endswith("all of it speaks against it")


def test_seconds_count_passes_and_the_way_back():
    speed = Speed(0.5, 0.1)
    assert words.seconds("gradcam", 32, 32, speed) == pytest.approx(1.5)
    assert words.seconds("integrated-gradients", 32, 32, speed) == pytest.approx(3 * (0.5 + 4.9))
    assert words.seconds("occlusion", 224, 224, speed) == pytest.approx(0.5 + 0.1 * (passes("occlusion", 224, 224) - 1))
    assert [words.duration(s) for s in (0.3, 12.2, 240)] == ["under a second", "about 12 s", "about 4 minutes"]


def test_the_gap_in_words():
    text = words.completeness(Gap(score=9.0, of_grey=4.0, total=4.5), "cat")
    assert "adds up to 4.50" in text and "5.00 were to be shared out, so the gap is 0.50 (10.0% of it)" in text


@pytest.mark.parametrize(("name", "index"), [("Cat", 0), ("n02123045_tabby cat.JPEG", 1), ("my-dog.png", 2),
                                             ("concat", None), ("rocket", None)])
def test_the_class_that_a_name_gives_away(name, index):
    assert words.likely_class(("cat", "tabby cat", "dog"), name) == index
    assert words.likely_class(None, name) is None


def test_every_method_has_a_formula_and_lines_of_code():
    assert set(words.FORMULAS) == set(METHODS)
    for method in METHODS:
        assert ("layer2" in words.code("mine", method, "cat", 3, "layer2")) == METHODS[method].of_layer
        assert ("--layer layer2" in words.command("mine", method, 3, "layer2")) == METHODS[method].of_layer
        compile(words.code("mine", method, "cat", 3, "layer2"), "code", "exec")
