"""Questions: shuffled by their number alone, marked, explained."""

from random import Random

import pytest

from resnet_viz.analysis import questions


def sums(random: Random) -> questions.Question:
    a, b = random.randint(1, 9), random.randint(1, 9)
    return questions.ask(f"What is {a} + {b}?", str(a + b), {str(a * b): "That multiplies.", str(a + b + 1): ""},
                         f"{a} and {b} more.", random)


def test_the_same_number_asks_the_same_and_others_ask_otherwise():
    assert questions.draw([sums], 3) == questions.draw([sums], 3)
    assert len({questions.draw([sums], seed).text for seed in range(20)}) > 5
    assert {questions.draw([sums], seed).right for seed in range(20)} > {0, 1}, "the right one has no place of its own"


def test_makers_take_turns():
    asked = []
    makers = [lambda random, name=name: asked.append(name) or sums(random) for name in "abc"]
    for seed in range(6):
        questions.draw(makers, seed)
    assert asked == list("abcabc")


def test_an_answer_is_marked_and_explained():
    question = questions.ask("2 + 3?", "5", {"6": "That multiplies."}, "Two and three more.", Random(0))
    assert questions.mark(question, question.options.index("5")) == (True, "Yes. Two and three more.")
    assert questions.mark(question, question.options.index("6")) == (
        False, "No: it is 5. That multiplies. Two and three more.")


def test_a_mistake_that_gives_the_right_answer_is_no_option():
    question = questions.ask("2 + 2?", "4", {"4": "That multiplies.", "5": ""}, "", Random(0))
    assert sorted(question.options) == ["4", "5"]
    with pytest.raises(ValueError):
        questions.ask("2 + 2?", "4", {"4": "That multiplies."}, "", Random(0))
