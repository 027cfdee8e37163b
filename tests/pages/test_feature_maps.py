"""The page of feature maps through the app's entry file: the whole network, one layer, one residual block."""

import json

import numpy as np
import pytest

from resnet_viz import checkpoints
from resnet_viz.analysis import feature_maps, receptive_field, residual_view
from resnet_viz.analysis.architecture import summary
from resnet_viz.data import examples
from resnet_viz.data.preprocessing import see
from resnet_viz.networks import zoo

from ..analysis.conftest import write_run
from .test_inside import choose, open_page, runs_folder, shown_walls

__all__ = ["runs_folder"]  # the fixture


def head(app, component: str) -> tuple[dict, bytes]:
    """JSON head, and all that follows, of what a component of the page got."""
    data = next(c for c in app.get("bidi_component") if c.proto.component_name.endswith(component)).proto.bytes
    end = 4 + int.from_bytes(data[:4], "little")
    return json.loads(data[4:end]), data[end:]


@pytest.fixture
def run(runs_folder):
    return write_run(runs_folder / "mine", keep_weights=False)


def model_and_tensor(run, weights="best", picture=0):
    checkpoint = checkpoints.read(run / f"{weights}.safetensors")
    image = examples.read(examples.examples(checkpoint.data)[picture])
    return checkpoints.model(checkpoint), see(image, checkpoint.preprocessing).tensor


def values_of(found: dict, rest: bytes) -> dict[str, np.ndarray]:
    """The numbers behind every map of the cells, by title."""
    values, start = {}, 0
    for panel in found["panels"]:
        start += panel["bytes"]
        if panel["numbers"]:
            numbers = np.frombuffer(rest[start:start + panel["numbers"]], "<f4")
            values[panel["title"]] = numbers.reshape(found["rows"], found["columns"])
        start += panel["numbers"]
    assert start == len(rest)
    return values


def test_the_whole_network_as_a_column_of_strips(run):
    strips = head(open_page("feature_maps"), "strips")[0]["strips"]
    assert [strip["title"] for strip in strips] == ["What the network sees", "act1", "layer1.0.act2", "layer2.0.act2",
                                                    "layer3.0.act2", "fc"]
    seen = feature_maps.feature_maps(*model_and_tensor(run), "layer2.0.act2")
    dead = f"; {int(seen.dead.sum()):,} dead" if seen.dead.any() else ""
    assert strips[3]["line"] == f"32 maps, 16 × 16{dead}"
    assert strips[3]["names"][2].startswith(f"map 2: mean {seen.mean[2]:.3g}, largest {seen.maximum[2]:.3g}")
    every = head(open_page("feature_maps", strips="after every layer", sorted="by mean"), "strips")[0]["strips"]
    assert len(every) == 1 + len(summary("resnet8", {}, 32).layers)


def test_maps_of_every_kind_of_layer(run):
    app = open_page("feature_maps", look="One layer")
    assert "16 feature maps of 32 x 32 of act1" in shown_walls(app)[0]["alt"]
    for layer, words in (("layer2.0.downsample", "32 feature maps of 16 x 16"),
                         ("layer3.0.add", "64 feature maps of 8 x 8"),
                         ("fc", "10 feature maps of 1 x 1")):
        app = choose(app, "Layer", layer)
        assert not app.error and words in shown_walls(app)[0]["alt"]
    for scale in ("layer", "network"):
        app = choose(choose(app, "Order", "variance"), "Colour scale for", scale)
        assert not app.error


def test_a_cell_comes_with_its_numbers_and_what_it_sees(run):
    found, rest = head(open_page("feature_maps", look="One layer", layer="layer2.0.act2", map="5", cell="0-3"), "cells")
    seen = feature_maps.feature_maps(*model_and_tensor(run), "layer2.0.act2")
    assert np.allclose(values_of(found, rest)["Its map"], seen.maps[5], atol=1e-5) and found["chosen"] == [0, 3]
    layers = summary("resnet8", {}, 32).layers
    row = next(i for i, layer in enumerate(layers) if layer.name == "layer2.0.act2")
    sides = receptive_field.fields(layers)[row]
    assert found["field"] == list(layers[row].receptive_field) and found["size"] == [32, 32]
    assert found["down"] == [list(receptive_field.span(sides[0], unit, 32)) for unit in range(16)]
    other = head(open_page("feature_maps", look="One layer", layer="layer3.0.act2", map="5", cell="9-3"), "cells")[0]
    assert other["chosen"] != [9, 3] and max(other["chosen"]) < 8  # the link's cell does not exist there


def test_before_training_and_now(run):
    app = open_page("feature_maps", look="One layer", layer="layer1.0.act2", beside="before training")
    titles = [wall["title"] for wall in shown_walls(app)]
    found, rest = head(app, "cells")
    values, chosen = values_of(found, rest), shown_walls(app)[0]["chosen"]
    for place, (title, weights) in enumerate((("Before training", "initial"), ("Now", "best"))):
        expected = feature_maps.feature_maps(*model_and_tensor(run, weights), "layer1.0.act2")
        dead = int(expected.dead.sum())
        assert titles[place] == (f"{title}: {dead} dead" if dead else title)
        assert np.allclose(values[title], expected.maps[chosen], atol=1e-4)


def test_a_run_whose_beginning_is_not_known_says_so(run):
    (run / "initial.safetensors").unlink()
    app = open_page("feature_maps", look="One layer", beside="before training")
    assert app.info[0].value and len(shown_walls(app)) == 1


def test_two_pictures_keep_the_pinned_channel(run):
    app = open_page("feature_maps", look="One layer", beside="a second picture", map="7")
    first, second = (wall["title"].split(":")[0] for wall in shown_walls(app))
    found, rest = head(app, "cells")
    assert first != second and list(values_of(found, rest)) == [f"Map for {first}", f"Map for {second}"]
    assert [panel["title"] for panel in found["panels"]][::2] == [first, second]
    app = choose(app, "Second picture", app.selectbox(key="second").options[1])
    assert not shown_walls(app)[1]["title"].startswith(second) and shown_walls(app)[0]["chosen"] == 7


def test_a_residual_block_adds_up(run):
    app = open_page("feature_maps", look="One residual block", block="layer2.0", map="3")
    assert len(shown_walls(app)) == 4 and "padded with empty maps" in shown_walls(app)[0]["title"]
    found, rest = head(app, "cells")
    parts = {name: part[3] for name, part in residual_view.parts(*model_and_tensor(run), "layer2.0").named().items()}
    values = values_of(found, rest)
    for (title, numbers), (name, part) in zip(values.items(), parts.items()):
        assert title.startswith(name) and np.allclose(numbers, part, atol=1e-5)
    assert np.allclose(values["x"] + values["F(x)"], values["x + F(x)"], atol=1e-5)
    share = residual_view.shares(*model_and_tensor(run))[1]
    assert f"F(x) is **{share.ratio:.2f}** times as long as x" in "".join(text.value for text in app.markdown)


@pytest.mark.short(4)
@pytest.mark.parametrize("look", ["Whole network", "One layer", "One residual block"])
@pytest.mark.parametrize("view", ["Story", "Formula", "Code", "Numbers"])
def test_every_view_of_every_look(run, look, view):
    app = open_page("feature_maps", look=look, view=view)
    assert not app.error
    if view == "Code":
        compile(app.code[0].value, "code", "exec")


@pytest.mark.short(2)
@pytest.mark.parametrize(("network", "arguments"), [("grapheme-resnet", {}), ("simple-cnn", {}), ("plain8", {}),
                                                    ("hw4-resnet", {}), ("resnet50-cifar", {"in_channels": 1})])
def test_other_networks_and_heads(runs_folder, network, arguments):
    size, channels = (64 if network == "grapheme-resnet" else 32), zoo.channels_of(network, arguments)
    header = {"network": network, "arguments": arguments,
              "preprocessing": {"size": size, "resize": size, "mean": [0.5] * channels, "std": [0.5] * channels}}
    runs_folder.mkdir()
    checkpoints.write(runs_folder / "other.safetensors", zoo.build(network, arguments).state_dict(), header)
    assert not open_page("feature_maps").error
    assert not open_page("feature_maps", look="One layer").error
    app = open_page("feature_maps", look="One residual block")
    assert ["no shortcuts" in error.value for error in app.error] == [True] * (network in ("simple-cnn", "plain8"))
