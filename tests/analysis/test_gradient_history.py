"""The thermometer's numbers: what the trainer wrote, read on line by line; first against last; the table."""

import json

import numpy as np
import pytest

from resnet_viz import checkpoints, runs
from resnet_viz.analysis.gradient_history import Reader, reach, table


def row(step: int, **norms: float) -> dict:
    norms = norms or {"conv1": 0.1 * step, "layer1.0.conv1": 0.2 * step, "fc": 1.0}
    return {"step": step, "epoch": 0, "norm": norms, "update_ratio": {name: v / 100 for name, v in norms.items()}}


def test_rows_become_columns_and_only_new_ones_are_read(tmp_path):
    reader = Reader(tmp_path)
    assert reader.refresh() is None
    runs.append(tmp_path / "gradients.jsonl", row(1), row(10))
    first = reader.refresh()
    assert first.layers == ("conv1", "layer1.0.conv1", "fc") and first.steps.tolist() == [1, 10]
    np.testing.assert_allclose(first.norm, [[0.1, 1.0], [0.2, 2.0], [1, 1]])
    np.testing.assert_allclose(first.update_ratio, first.norm / 100)
    with open(tmp_path / "gradients.jsonl", "a") as file:
        file.write(json.dumps(row(20)) + "\n" + json.dumps(row(30))[:20])
    second = reader.refresh()
    assert second.steps.tolist() == [1, 10, 20] and second.every == 9
    assert first.norm.shape == (3, 2) and first.norm[1].tolist() == [0.2, 2.0], "who holds an older history keeps it"
    assert second.layers[second.last_convolution] == "layer1.0.conv1"


def test_row_by_row_is_the_same_as_all_at_once(tmp_path):
    reader = Reader(tmp_path)
    for step in range(1, 40):
        runs.append(tmp_path / "gradients.jsonl", row(step))
        grown = reader.refresh()
    whole = Reader(tmp_path).refresh()
    assert grown.steps.tolist() == whole.steps.tolist() == list(range(1, 40))
    assert np.array_equal(grown.norm, whole.norm) and np.array_equal(grown.update_ratio, whole.update_ratio)


def test_a_continuation_that_cut_the_file_is_read_anew(tmp_path):
    path = tmp_path / "gradients.jsonl"
    runs.append(path, row(1), row(10), row(20))
    reader = Reader(tmp_path)
    reader.refresh()
    runs.write_atomic(path, (json.dumps(row(1)) + "\n" + json.dumps(row(11)) + "\n").encode())
    assert reader.refresh().steps.tolist() == [1, 11]


def test_rows_that_are_none_and_layers_that_are_missing(tmp_path):
    runs.append(tmp_path / "gradients.jsonl", {"step": 1}, {"norm": 3, "update_ratio": {}, "step": 2}, row(3),
                {"step": 4, "norm": {"fc": 2.0}, "update_ratio": {"fc": 0.5}})
    history = Reader(tmp_path).refresh()
    assert history.steps.tolist() == [3, 4]
    assert np.isnan(history.norm[0, 1]) and history.norm[2].tolist() == [1.0, 2.0]
    assert [one["layer"] for one in table(history)] == list(history.layers)


def test_a_bundled_run_as_plain_json_says_it():
    run = checkpoints.BUNDLED / "resnet20-cifar10-jpeg"
    history = Reader(run).refresh()
    rows = [json.loads(line) for line in (run / "gradients.jsonl").read_text().splitlines()]
    assert len(history.layers) == 20 and len(history.steps) == len(rows)
    status, config = (json.loads((run / f"{name}.json").read_text()) for name in ("status", "config"))
    steps_an_epoch = status["total_steps"] / config["epochs"]
    assert ((history.steps - 1) // steps_an_epoch).tolist() == [one["epoch"] for one in rows], "as the page counts epochs"
    for index in (0, 17, len(rows) - 1):
        assert history.norm[:, index].tolist() == list(rows[index]["norm"].values())
        assert history.update_ratio[:, index].tolist() == list(rows[index]["update_ratio"].values())
    found = table(history)[7]
    assert found["layer"] == history.layers[7] and found["gradient, now"] == rows[-1]["norm"][history.layers[7]]
    assert found["gradient, most"] == max(one["norm"][history.layers[7]] for one in rows)


@pytest.mark.parametrize(("first", "last", "expected"), [([1, 4], [2, 2], 1.0), ([1, 0], [10, 3], 0.1),
                                                        ([0, 0], [1, 1], float("nan"))])
def test_reach_is_the_geometric_mean_of_what_is_known(first, last, expected):
    assert reach(np.array([first, last], float), 0, 1) == pytest.approx(expected, nan_ok=True)
