"""What holds for every maker of questions."""

from random import Random

from resnet_viz.analysis.questions import Maker, mark


def check(makers: list[Maker], seeds) -> None:
    """At least three kinds; each time two to five different options, one of them right, and a reason."""
    assert len(makers) >= 3
    for maker in makers:
        for seed in seeds:
            question = maker(Random(seed))
            assert 2 <= len(question.options) == len(set(question.options)) <= 5
            assert question.why and mark(question, question.right)[0]
            assert question.wrongs[question.right] == ""
