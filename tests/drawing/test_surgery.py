"""The chart of single removals holds its numbers: bars, whole lines, guessing, and the mark of what is operated on."""

from resnet_viz.drawing import surgery as drawing
from resnet_viz.drawing.surgery import Series

BLOCKS = ["layer1.0", "layer1.1", "layer2.0"]


def test_bars_lines_and_marks():
    series = [Series("residual", [0.6, 0.8, 0.7], 0.9), Series("plain", [0.1, 0.2, 0.1], 0.65)]
    figure = drawing.profile(BLOCKS, series, "right", ["layer1.1"], 0.1)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [(bar.name, list(bar.y)) for bar in bars] == [("residual", [60, 80, 70]), ("plain", [10, 20, 10])]
    assert bars[0].marker.color != bars[1].marker.color
    assert [round(shape.y0, 9) for shape in figure.layout.shapes] == [90, 65, 10]
    assert [list(trace.x) for trace in figure.data if trace.type == "scatter"] == [[1]]
    assert list(figure.layout.xaxis.ticktext) == BLOCKS and figure.layout.yaxis.title.text == "right, %"


def test_deep_networks_name_their_stages_only():
    blocks = [f"layer{stage}.{index}" for stage in (1, 2, 3) for index in range(18)]
    figure = drawing.profile(blocks, [Series("one", [0.5] * 54, 0.9)], "answers kept")
    assert list(figure.layout.xaxis.ticktext) == ["layer1", "layer2", "layer3"]
    assert list(figure.layout.xaxis.tickvals) == [0, 18, 36] and len(figure.layout.shapes) == 1
    assert [trace.type for trace in figure.data] == ["bar"]
