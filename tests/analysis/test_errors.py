"""What a network gets wrong: counts and shares as scikit-learn has them, answers as the model gives them, pictures
in order."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save
from sklearn import metrics

from resnet_viz import checkpoints, evaluation, runs
from resnet_viz.analysis import error_words, errors, measurement
from resnet_viz.data import sources
from resnet_viz.problems import Problem

from .conftest import write_run


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return checkpoints.read(write_run(tmp_path_factory.mktemp("run") / "mine", keep_weights=False) / "best.safetensors")


@pytest.fixture(scope="module", autouse=True)
def some_shapes():
    """Sixty pictures under the network's names, in place of two thousand."""
    random = torch.Generator().manual_seed(1)
    pictures = sources.Pictures(torch.randint(0, 256, (60, 3, 32, 32), generator=random, dtype=torch.uint8),
                                torch.arange(60)[:, None] % 10, tuple("0123456789"), (10,), "shapes",
                                ("one was broken",))
    patch = pytest.MonkeyPatch()
    patch.setattr(sources, "load", lambda *arguments, **more: pictures)
    yield pictures
    patch.undo()


def asked(checkpoint, exam, count):
    model, step = checkpoints.model(checkpoint), 7
    return errors.joined([errors.ask(model, exam.images[i:min(i + step, count)], checkpoint.preprocessing)
                          for i in range(0, count, step)])


def random_counts(classes=6, pictures=500, seed=0):
    random = np.random.default_rng(seed)
    true = random.integers(0, classes, pictures)
    return true, np.where(random.random(pictures) < 0.6, true, random.integers(0, classes, pictures))


# The pass


def test_accuracy_and_confusion_are_those_of_the_evaluation(checkpoint):
    exam = errors.exam(checkpoint, "shapes", "test", 60)
    verdicts = errors.of_head(checkpoint, exam, asked(checkpoint, exam, 60))
    expected = evaluation.evaluate(checkpoints.model(checkpoint), exam.images, exam.labels, (10,),
                                   checkpoint.preprocessing)
    counts = errors.confusion(verdicts.true, verdicts.answered, 10)
    assert np.array_equal(counts, expected.confusion.numpy())
    assert verdicts.right.mean() == pytest.approx(measurement.measure(checkpoint, "shapes")["accuracy"])
    assert exam.notes == ("one was broken",)


def test_a_stopped_pass_is_the_beginning_of_the_whole_one(checkpoint):
    exam = errors.exam(checkpoint, "shapes", "test", 60)
    whole, part = (errors.of_head(checkpoint, exam, asked(checkpoint, exam, count)) for count in (60, 21))
    assert len(part) == 21 and np.allclose(part.probabilities, whole.probabilities[:21], atol=1e-6)
    assert len(set(part.true)) == 10  # shuffled: the first few stand for all


def test_every_picture_can_be_found_again(checkpoint, some_shapes):
    exam = errors.exam(checkpoint, "shapes", "test", 30)
    assert torch.equal(exam.images, some_shapes.images[exam.numbers]) and len(set(exam.numbers.tolist())) == 30


def test_the_last_features_make_the_logits(checkpoint):
    exam = errors.exam(checkpoint, "shapes", "test", 9)
    model = checkpoints.model(checkpoint)
    found = errors.ask(model, exam.images, checkpoint.preprocessing)
    assert torch.allclose(model.fc(found.features.float()), found.logits, atol=1e-2)


def test_the_model_is_left_as_found(checkpoint):
    model = checkpoints.model(checkpoint).train()
    errors.ask(model, torch.zeros(2, 3, 32, 32, dtype=torch.uint8), checkpoint.preprocessing)
    assert model.training and not any(module._forward_pre_hooks for module in model.modules())


def test_damaged_weights_are_a_sentence(checkpoint):
    model = checkpoints.model(checkpoint)
    with torch.no_grad():
        model.fc.bias = torch.nn.Parameter(torch.full((10,), float("nan")))
    with pytest.raises(Problem, match="not finite"):
        errors.ask(model, torch.zeros(2, 3, 32, 32, dtype=torch.uint8), checkpoint.preprocessing)


def test_data_with_some_of_the_classes_will_do(checkpoint, some_shapes, monkeypatch):
    few = sources.Pictures(some_shapes.images[:8], torch.arange(8)[:, None] % 2, ("7", "3"), (2,), "mine")
    monkeypatch.setattr(sources, "load", lambda *arguments, **more: few)
    assert set(errors.exam(checkpoint, "mine", "test", 8).labels[:, 0].tolist()) == {7, 3}
    strange = sources.Pictures(few.images, few.labels, ("7", "llama"), (2,), "mine")
    monkeypatch.setattr(sources, "load", lambda *arguments, **more: strange)
    with pytest.raises(Problem, match="only the data has llama"):
        errors.exam(checkpoint, "mine", "test", 8)


def test_what_is_kept_is_bounded(checkpoint):
    recipe = checkpoint.preprocessing
    assert errors.most_pictures(recipe) * 3 * 32 * 32 <= errors.PICTURE_BYTES
    with pytest.raises(Problem, match="at least one"):
        errors.exam(checkpoint, "shapes", "test", 0)


# Counting


def test_counts_and_shares_are_scikit_learns():
    true, answered = random_counts()
    counts = errors.confusion(true, answered, 6)
    assert np.array_equal(counts, metrics.confusion_matrix(true, answered, labels=range(6)))
    assert np.allclose(errors.rates(counts), metrics.confusion_matrix(true, answered, normalize="true"))
    rows = {row["class"]: row for row in errors.class_rows(counts, tuple("abcdef"))}
    precision, recall, _, support = metrics.precision_recall_fscore_support(true, answered)
    for i, name in enumerate("abcdef"):
        assert rows[name]["right"] == pytest.approx(recall[i]) and rows[name]["trust"] == pytest.approx(precision[i])
        assert rows[name]["pictures"] == support[i]
    assert sum(row["pictures"] for row in rows.values()) == len(true)


def test_a_class_without_pictures_or_answers():
    counts = np.array([[0, 4, 0], [0, 6, 0], [0, 0, 0]])
    assert [row["class"] for row in errors.class_rows(counts, tuple("abc"))] == ["a", "b"]
    assert errors.class_rows(counts, tuple("abc"))[0]["trust"] is None
    assert errors.rates(counts)[2].tolist() == [0, 0, 0]


def test_of_very_many_classes_those_with_the_most_mistakes_are_shown():
    counts = np.diag(np.full(300, 5))
    counts[7, 250], counts[3, 3] = 9, 1000
    shown = errors.shown_classes(counts)
    assert len(shown) == errors.FEWER_CLASSES and {7, 250} <= set(shown) and list(shown) == sorted(shown)
    assert len(errors.shown_classes(counts[:100, :100])) == 100
    few = np.zeros((300, 300), int)
    few[7, 250], few[3, 3] = 9, 2
    assert errors.shown_classes(few).tolist() == [3, 7, 250]


def verdicts_of(true, probabilities):
    logits = np.log(np.array(probabilities, dtype=np.float32))
    return errors.Verdicts(tuple("ab"), np.array(true), logits, np.array(probabilities, dtype=np.float32))


def test_the_surest_come_first():
    seen = verdicts_of([0, 0, 0, 1, 1], [[.3, .7], [.1, .9], [.8, .2], [.6, .4], [.05, .95]])
    assert errors.cell(seen, 0, 1).tolist() == [1, 0] and errors.cell(seen, 1, 0).tolist() == [3]
    assert errors.surest_mistakes(seen, 2).tolist() == [1, 0]
    assert errors.worst_pair(errors.confusion(seen.true, seen.answered, 2)) == (0, 1)
    assert errors.worst_pair(np.diag([3, 4])) is None
    counts = np.array([[9, 2, 5], [0, 9, 7], [1, 0, 9]])
    assert errors.frequent_mistakes(counts, 3) == [(1, 2), (0, 2), (0, 1)]
    assert len(errors.frequent_mistakes(counts, 9)) == 4


# A run's own


def test_the_history_of_a_run(tmp_path):
    for step, epoch in ((0, 0), (8, 1), (16, 2)):
        tensors = {"confusion": np.array([[step, 16 - step], [0, 5]])}
        header = {"step": str(step), "epoch": str(epoch), "images": "0", "lr": "0.1"}
        runs.write_atomic(tmp_path / "snapshots" / f"{step:08d}.safetensors", save(tensors, metadata=header))
    found = errors.history(tmp_path)
    assert found.step.tolist() == [0, 8, 16] and found.counts[1].tolist() == [[8, 8], [0, 5]]
    assert errors.frame_of(found, 1) == 1 and errors.frame_of(found, None) == 2 and errors.frame_of(found, 77) == 2
    assert "23.8 %" in error_words.growth(found, 1).replace("\xa0", " ")  # 5 of 21 before
    assert "61.9 %" in error_words.growth(found, 1).replace("\xa0", " ")  # 13 of 21
    assert errors.history(tmp_path / "nothing") is None


def test_a_run_that_held_nothing_out_has_no_history(written_run):
    assert errors.history(written_run) is None


# Words


def test_the_story_says_the_worst_pair_and_both_ways():
    counts = np.array([[90, 10, 0], [2, 97, 1], [0, 0, 50]])
    text = " ".join(error_words.story(counts, ("cat", "dog", "car"))).replace("\xa0", " ")
    assert "94.8 % of 250" in text and "cat taken for dog, 10 of 100" in text
    assert "dog taken for cat: twice, of 100" in text
    assert "Hardest is cat (90.0 %" in text and "easiest car (100.0 %)" in text
    assert "answer dog: right in 90.7 % of 107" in text
    alike = " ".join(error_words.story(np.array([[1, 1], [1, 1]]), ("cat", "dog")))
    assert "Hardest" not in alike and "never" not in alike
    assert error_words.story(np.diag([3, 4]), ("cat", "dog")) == ["All 7 pictures are right."]


def test_one_picture_in_words():
    seen = verdicts_of([0, 0], [[.3, .7], [.8, .2]])
    assert error_words.verdict(seen, 0).replace("\xa0", " ") == "b 70.0 %, in truth a"
    assert error_words.verdict(seen, 1).endswith("and so it is")
    assert error_words.spoken(seen, 0).replace("\xa0", " ") == "b 70.0 %, a 30.0 %"
