"""The lab's table: which run is which experiment, and that only runs of one kind stand beside each other."""

from dataclasses import replace

from resnet_viz.training import lab
from resnet_viz.training.presets import PRESETS
from resnet_viz.training.results import Row


def config(name, **changed):
    return replace(PRESETS[name].config, **changed).to_dict()


def by_preset(finished, kept=()):
    return {one.preset: one for one in lab.experiments(list(finished), list(kept))}


def test_the_table_holds_the_baseline_and_every_variant():
    assert lab.names()[0] == lab.BASELINE and len(lab.names()) == 13 and "lab-simple-cnn" not in lab.names()
    assert {one.reference for one in by_preset([]).values()} == {None}


def test_a_run_is_known_by_its_directory_or_by_its_recipe():
    assert lab.preset_of("lab-lr-0.3,train_limit=5000", {}) == "lab-lr-0.3"
    for name in lab.names():  # also one that was started from the page, on other data, with another seed
        assert lab.preset_of("20261121-resnet18", config(name, data="mine.zip", seed=7, device="cuda", threads=3)) == name
    assert lab.preset_of("20261121-resnet18", config("lab-baseline", lr=0.05)) is None
    assert lab.preset_of("lab-simple-cnn", config("lab-simple-cnn")) is None


def test_only_runs_of_one_kind_stand_beside_each_other():
    small = {"train_limit": 5000, "data": "a.zip"}
    finished = [
        ("r/full", "lab-baseline", config("lab-baseline", data="a.zip")),
        ("r/small", "lab-baseline,train_limit=5000", config("lab-baseline", **small)),
        ("r/small-again", "lab-baseline,train_limit=5000-2", config("lab-baseline", **small)),
        ("r/small-lr", "lab-lr-0.3,train_limit=5000", config("lab-lr-0.3", **small)),
        ("r/other-data", "lab-batch-32,train_limit=5000", config("lab-batch-32", train_limit=5000, data="b.zip")),
        ("r/none", "something", config("he-resnet20")),
    ]
    found = {name: one.reference for name, one in by_preset(finished).items() if one.reference}
    assert found == {"lab-baseline": "r/small", "lab-lr-0.3": "r/small-lr"}


def test_kept_rows_stand_in_only_where_no_run_is_here():
    row = Row("lab-baseline", "resnet18-cifar", "cifar10", 0.7, 0.8, 3, 60.0, 100.0, {}, "a machine")
    assert by_preset([], [row])["lab-baseline"].kept == row
    finished = [("r/lr", "lab-lr-0.3", config("lab-lr-0.3"))]
    assert by_preset(finished, [row])["lab-baseline"].kept is None
    assert by_preset(finished, [row])["lab-lr-0.3"].reference == "r/lr"
