"""The predictions page: what is on the screen is what the analysis says of the same picture."""

import io
import json

import pytest
import torch
from PIL import Image

from resnet_viz import checkpoints, familiarity
from resnet_viz.analysis import predictions
from resnet_viz.data import examples, uploads
from resnet_viz.networks import zoo
from resnet_viz.number_text import percent

from .test_every_page import alts, captions, open_page

NAME = "resnet20-cifar10-jpeg"


@pytest.fixture(scope="module")
def network():
    checkpoint = checkpoints.read(checkpoints.find(NAME))
    return checkpoint, checkpoints.model(checkpoint)


@pytest.fixture(autouse=True)
def no_own_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))


def file_of(image: Image.Image, kind: str) -> bytes:
    data = io.BytesIO()
    image.save(data, kind)
    return data.getvalue()


def headline(network, image: Image.Image) -> str:
    checkpoint, model = network
    first = predictions.predict(model, checkpoint, [image])[0][0].answers[0]
    return f"{first.label}, {percent(first.probability)}"


def upload(app, *files):
    next(zone for zone in app.file_uploader if zone.label == "Your pictures").set_value(list(files))
    app.run()
    assert not app.exception
    return app


def test_the_first_paint_is_a_true_answer(network):
    app = open_page("inspect/predictions")
    wanted = headline(network, examples.read(examples.default()))
    assert app.header[0].value == wanted and wanted.startswith("cat, ")
    assert "the network gets its middle, 66.5 % of it" in alts(app)


@pytest.mark.parametrize("example", ["rocket", "coffee"])
def test_a_link_carries_the_picture(network, example):
    app = open_page("inspect/predictions", picture=example)
    assert app.header[0].value == headline(network, examples.read(examples.find(example)))
    assert app.query_params["picture"] in (example, [example])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_upload_is_answered(network, kind):
    data = file_of(examples.read(examples.find("motorcycle")).rotate(90, expand=True), kind)
    app = upload(open_page("inspect/predictions"), (f"mine.{kind.lower()}", data, f"image/{kind.lower()}"))
    assert app.header[0].value == headline(network, uploads.decode(data, "x").image)
    assert "500 x 741 pixels" in captions(app)


def test_a_bad_file_among_good_ones_gets_its_sentence(network):
    good = [(f"{e.name}.png", file_of(examples.read(e), "PNG"), "image/png") for e in examples.examples()[:2]]
    app = upload(open_page("inspect/predictions"), good[0], ("text.png", b"a text", "image/png"), good[1])
    assert len(app.error) == 1 and "text.png is not a picture" in app.error[0].value.replace("\\", "")
    table = app.dataframe[0].value
    assert list(table["picture"]) == ["cat.png", "motorcycle.png"]
    for row, (name, data, _) in zip(table.itertuples(), good):
        assert headline(network, uploads.decode(data, name).image).startswith(row[3] + ", ")
    assert app.header[0].value.startswith("cat, ")


def test_only_bad_files_leave_the_page_usable(network):
    app = upload(open_page("inspect/predictions"), ("empty.jpg", b"", "image/jpeg"))
    assert "empty.jpg is empty" in app.error[0].value.replace("\\", "")
    assert app.header[0].value.startswith("cat, ")
    app = upload(app, ("cat.png", file_of(examples.read(examples.default()), "PNG"), "image/png"))
    assert not app.error and app.header[0].value.startswith("cat, ")


def test_the_picture_is_remembered_from_page_to_page(network):
    data = file_of(examples.read(examples.find("coffee")), "PNG")
    app = upload(open_page("inspect/predictions"), ("mine.png", data, "image/png"))
    app.switch_page("pages/inspect/feature_maps.py").run()
    assert "mine.png" in alts(app)
    app.switch_page("pages/inspect/predictions.py").run()
    assert app.header[0].value == headline(network, uploads.decode(data, "x").image)


@pytest.mark.short(2)
@pytest.mark.parametrize("view", ["Story", "Formula", "Code", "Numbers"])
def test_every_view_under_the_picture(view):
    app = open_page("inspect/predictions", view=view)
    shown = {
        "Story": lambda: "has only 10 words" in "".join(m.value for m in app.markdown),
        "Formula": lambda: r"p_{\text{cat}}" in app.latex[1].value,
        "Code": lambda: "v2.Resize(32), v2.CenterCrop(32)" in app.code[0].value and NAME in app.code[1].value,
        "Numbers": (
            lambda: len(app.dataframe[0].value) == 10 and abs(app.dataframe[0].value["probability"].sum() - 1) < 0.01
        ),
    }[view]
    assert shown()


def test_another_network_stands_beside_it(network):
    app = open_page("inspect/predictions", beside="before training")
    said = [header.value for header in app.header]
    assert len(said) == 2 and said[0] == headline(network, examples.read(examples.default())) and said[1] != said[0]
    assert f"{NAME}, before training" in captions(app).replace("\\", "")


@pytest.mark.parametrize(("example", "strange"), [("cat", False), ("rocket", True)])
def test_a_strange_picture_is_cautioned(network, example, strange):
    checkpoint, model = network
    ((_, wanted),) = predictions.answers(model, checkpoint, [examples.read(examples.find(example))], familiarity.of(checkpoint))
    app = open_page("inspect/predictions", picture=example)
    warnings = [warning.value for warning in app.warning if "learned from" in warning.value]
    assert wanted.unlike == strange == bool(warnings)
    assert percent(wanted.share) in (warnings[0] if strange else captions(app)).replace("\\", "")


def test_many_pictures_of_a_data_set_are_counted(network):
    app = open_page("inspect/predictions", checkpoint="resnet20-stem7-shapes", look="Many pictures")
    table = app.dataframe[0].value
    assert len(table) == 40 and set(table["shows"]) <= set(checkpoints.read(checkpoints.find("resnet20-stem7-shapes")).classes)
    right, cautioned = int((table["shows"] == table["class"]).sum()), int(table["caution"].sum())
    assert any(f"40 pictures, {right} right" in m.value and f"{cautioned} cautioned" in m.value for m in app.markdown)
    assert right > 30


@pytest.mark.parametrize("look", ["This picture", "Disturb it", "Many pictures"])
def test_a_foreign_network_with_three_heads_and_grey_pictures(tmp_path, look):
    torch.manual_seed(0)
    folder = tmp_path / "runs"
    folder.mkdir()
    torch.save(zoo.build("grapheme-resnet", {}).state_dict(), folder / "foreign.pth")
    app = open_page("inspect/predictions", checkpoint="runs/foreign.pth", look=look, beside=NAME)
    assert not app.error, [error.value for error in app.error]
    shown = [h.value for h in app.header] if look == "This picture" else live_answers(app) if look == "Disturb it" else \
        [name for name in app.dataframe[0].value.columns if name.startswith("class")]
    assert len(shown) == 4, "three classifiers, and the other network's one"


def live_answers(app) -> list[dict]:
    component = next(c for c in app.get("bidi_component") if c.proto.component_name.endswith("disturbance"))
    return json.loads(component.proto.json)["answers"]
