"""Every network as it is drawn: no label on another, arcs counted, heights true; and the rows of its table."""

import json
from itertools import combinations

import pytest
from streamlit.testing.v1 import AppTest

from resnet_viz.analysis import architecture
from resnet_viz.drawing.architecture import SIZES, drawn
from resnet_viz.networks import zoo
from resnet_viz.ui import architecture_boxes, architecture_drawing

CUSTOM = {"block": "basic", "depths": [1, 5, 2], "widths": [24, 24, 300], "heads": [7, 1200], "stem": "cifar",
          "stem_width": 200, "shortcut": "B", "in_channels": 1}
DEEP = {"block": "basic", "depths": [120, 3], "widths": [16, 32], "heads": [10], "stem": "cifar", "stem_width": 16,
        "shortcut": "A"}
NETWORKS = {name: (name, {}, None) for name in ("resnet8", "resnet20", "resnet110", "resnet18", "resnet50", "resnet152",
                                                "plain20", "simple-cnn", "hw4-resnet", "grapheme-resnet")}
NETWORKS |= {"custom": (zoo.CUSTOM, CUSTOM, 64), "deep": (zoo.CUSTOM, DEEP, 32), "large": ("resnet50", {}, 4096),
             "small": ("resnet18", {}, 1), "shortcut A": ("resnet50", {"shortcut": "A"}, 224)}
VIEWS = [(name, level, folded) for name in NETWORKS for level in ("stage", "block", "layer")
         for folded in (True, False)]


def summary(name: str):
    network, arguments, size = NETWORKS[name]
    return architecture.summary(network, arguments, size or zoo.NETWORKS[network].input_size)


def laid_out(name: str, level: str, folded: bool):
    return drawn(architecture_boxes.of(summary(name), level, folded)[1], architecture_drawing.TALLEST[level])


def room(text):
    left = text.x - text.width / 2 if text.middle else text.x
    size = SIZES[text.look]  # the letters' own box, from the highest to the lowest of any
    return left, text.y - 0.99 * size, left + text.width, text.y + 0.275 * size


def overlap(one, other) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.short(20)
@pytest.mark.parametrize("name, level, folded", VIEWS)
def test_nothing_overlaps(name, level, folded):
    drawing = laid_out(name, level, folded)
    texts = sorted(((*room(text), text.text) for text in drawing.texts), key=lambda at: (at[1], at[0]))
    boxes = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in drawing.boxes]
    by_row = {}
    for at in texts:
        by_row.setdefault(round(at[1] / 40), []).append(at)
    for number, row in by_row.items():  # labels farther apart than a row's height cannot meet
        near = row + by_row.get(number + 1, [])
        assert [(a[4], b[4]) for a, b in combinations(near, 2) if overlap(a, b)] == []
    columns = sorted((box.y + box.height / 2, *box.column) for box in drawing.boxes)
    assert all(a[2] <= b[1] + 1e-6 for a, b in zip(columns, columns[1:]) if a[0] == b[0])
    assert [at[4] for at in texts if any(overlap(at, box) for box in boxes)] == []
    for at in texts:
        assert at[0] >= 0 and at[1] >= 0 and at[2] <= drawing.width and at[3] <= drawing.height, at


@pytest.mark.short(8)
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("folded", [True, False])
def test_every_level_has_every_shortcut(name, folded):
    whole = summary(name)
    adds = sum(layer.kind == "Add" for layer in whole.layers)
    changed = len({layer.name.rpartition(".downsample")[0] for layer in whole.layers if "downsample" in layer.name})
    for level in ("stage", "block", "layer"):
        arcs = [placed.arc for placed in laid_out(name, level, folded).arcs]
        assert sum(arc.count for arc in arcs) == adds
        assert sum(arc.count for arc in arcs if arc.dashed) == changed


def test_resnet152_is_fifty_arcs_four_of_them_dashed():
    arcs = [placed.arc for placed in laid_out("resnet152", "block", folded=False).arcs]
    assert len(arcs) == 50 and sum(arc.dashed for arc in arcs) == 4 and {arc.count for arc in arcs} == {1}
    folded = [placed.arc for placed in laid_out("resnet152", "block", folded=True).arcs]
    assert [arc.tag for arc in folded] == ["1×1", "× 2", "1×1", "× 7", "1×1", "× 35", "1×1", "× 2"]
    assert not laid_out("plain20", "layer", folded=False).arcs


def test_a_folded_plain_network_says_how_many_too():
    words = [text.text for text in laid_out("plain20", "block", folded=True).texts]
    assert words.count("× 3") == 1 and words.count("× 2") == 2


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("level", ["stage", "block", "layer"])
def test_boxes_are_as_tall_as_their_maps_are_large(name, level):
    drawing = laid_out(name, level, folded=True)
    found = sorted({(placed.box.side, placed.height) for placed in drawing.boxes if placed.box.look != "add"})
    assert [side for side, _ in found] == sorted({side for side, _ in found}), "one height for each side"
    assert all(a[1] <= b[1] for a, b in zip(found, found[1:]))
    wide = sorted({(placed.box.channels, placed.width) for placed in drawing.boxes if placed.box.look == "part"})
    assert all(a[1] <= b[1] for a, b in zip(wide, wide[1:])) and len(wide) == len({channels for channels, _ in wide})


# The table


@pytest.mark.short(8)
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("folded", [True, False])
def test_rows_add_up_and_every_box_has_its_row(name, folded):
    whole = summary(name)
    for level in ("stage", "block", "layer"):
        document = json.loads(architecture_drawing.pack(whole, level, folded))
        rows = [dict(zip(document["fields"], row)) for row in document["rows"]]
        for number in ("params", "macs", "activation_bytes"):
            assert sum(rows[id][number] for id in document["level"]) == document["totals"][number]
        inner = [sum(row["params"] for row in rows if row["parent"] == id) for id in range(len(rows))]
        assert all(total in (0, row["params"]) for total, row in zip(inner, rows))
        drawing = laid_out(name, level, folded)
        boxed = {placed.box.row for placed in drawing.boxes} - {None}
        assert boxed <= set(document["level"])
        around = {id for id in document["level"] if "downsample" in rows[id]["key"]}
        assert set(document["level"]) - boxed == around
        assert {placed.arc.row for placed in drawing.arcs} <= set(document["level"]) | {None}


def test_a_row_in_its_own_words():
    whole = summary("resnet152")
    rows = {row["key"]: row for row in architecture_boxes.rows(whole, architecture_boxes.of(whole, "layer", True)[0])}
    first = rows["conv1"]
    assert (first["window"], first["weight"], first["params"]) == ("7 / 2 / 3", "64 × 3 × 7 × 7", 9408)
    assert (first["input"], first["output"], first["sees"], first["jump"]) == (
        "3 × 224 × 224", "64 × 112 × 112", "7", 2)
    repeated = rows["layer3.1.conv2"]
    assert repeated["count"] == 35 and repeated["params"] == 35 * 256 * 256 * 9
    fields = {layer.name: layer.receptive_field[0] for layer in whole.layers}
    assert repeated["sees"] == f"{fields['layer3.1.conv2']:,} – {fields['layer3.35.conv2']:,}"
    assert rows["layer3.1"]["name"] == "layer3.1 … 35" and rows["layer3"]["kind"] == "36 × Bottleneck"


def test_a_network_of_every_layer_travels_light():
    sizes = {level: len(architecture_drawing.pack(summary("resnet152"), level, False).encode())
             for level in ("stage", "block", "layer")}
    assert max(sizes.values()) < 155_000
    assert len(architecture_drawing.pack(summary("resnet152"), "block", True)) < 40_000


# On the page


def open_page(**query: str) -> AppTest:
    from ..pages.test_inside import open_page as opened

    app = opened("architecture", **query)
    assert not app.error
    return app


def words(app: AppTest) -> str:
    return " ".join(markdown.value.replace("\\", "") for markdown in app.markdown)


def test_the_chosen_layer_is_worked_out(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    app = open_page(network="resnet152", fold="layer", layer="conv1")
    assert "64 × 3 × 7 × 7 = 9,408" in app.table[0].value["Arithmetic"].tolist()
    assert any("⌊(224 + 2 × 3 − 7) / 2⌋ + 1 = 112" in line for line in app.table[0].value["Arithmetic"])
    app = open_page(network="resnet152", layer="layer3.7", folded="false")
    assert "**layer3.7**" in words(app)
    app = open_page(network="resnet152", layer="layer3.7")  # folded: it is one of 35
    assert "**layer3.1 × 35**" in words(app)
    app = open_page(network="resnet18", layer="no such layer")
    assert "**conv1 + bn1 + act1**" in words(app)


def test_the_weights_of_a_checkpoint_stand_beside_the_arithmetic(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    app = open_page(fold="layer", layer="layer2.0.conv1")
    chart = app.get("plotly_chart")[0].proto
    assert "layer2.0.conv1.weight, a convolution of 32 x 16 x 3 x 3" in chart.alt
    assert not open_page(network="resnet20", fold="layer", layer="layer2.0.conv1").get("plotly_chart")


def test_the_depth_slider_chooses_the_next_network(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    app = open_page()
    slider = app.select_slider[0]
    assert slider.value in (20, "20") and [str(option) for option in slider.options] == "8 14 20 32 44 56 110".split()
    slider.set_value(110).run()
    assert not app.exception and app.selectbox(key="network").value == "resnet110"
    assert "1,727,962" in [metric.value for metric in app.metric]
    app.selectbox(key="network").select("resnet152").run()
    assert [str(option) for option in app.select_slider[0].options] == "18 34 50 101 152".split()
    app.select_slider[0].set_value(34).run()
    assert app.selectbox(key="network").value == "resnet34" and "21,797,672" in [metric.value for metric in app.metric]
    app.selectbox(key="network").select("simple-cnn").run()
    assert not app.exception and not app.select_slider
