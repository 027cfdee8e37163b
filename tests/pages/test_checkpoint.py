"""The checkpoint page through the app's entry file: the card, foreign and refused files, what is set by hand, and every
section with the numbers that the analysis gives."""

import io
import math
import zipfile

import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints, corrections, export, pretrained, runs
from resnet_viz.analysis import checkpoint as analysis
from resnet_viz.analysis import comparison
from resnet_viz.data import downloads
from resnet_viz.networks import zoo
from tests.foreign_networks import CifarResNet, randomised

from ..analysis.conftest import MOVES, write_run
from .test_every_page import alts, captions, open_page

PAGE = "inspect/checkpoint"
CLASSES = ["ant", "bee", "cow"]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """No bundled checkpoint, empty folders for runs and data; a run of resnet8 called mine."""
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("RESNET_VIZ_DATA", str(tmp_path / "data"))
    st.cache_data.clear()
    write_run(tmp_path / "runs" / "mine", keep_weights=False)
    return tmp_path


def foreign(state: dict | None = None, **more) -> bytes:
    """A file as a CIFAR repository writes it, of three classes."""
    torch.manual_seed(1)
    state = state or randomised(CifarResNet((1, 1, 1), (16, 32, 64), "A", 3)).state_dict()
    file = io.BytesIO()
    torch.save({"state_dict": {f"module.{name}": t for name, t in state.items()}, **more}, file)
    return file.getvalue()


def drop(app: AppTest, name: str, data: bytes) -> AppTest:
    zone = next(zone for zone in app.main.file_uploader if zone.label.startswith("Drop the weights"))
    zone.set_value((name, data, "application/octet-stream"))
    app.run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    return "\n".join(element.value for element in app.main.markdown).replace("\\", "")


def box(app: AppTest, label: str):
    return next(widget for widget in app.main.selectbox if widget.label == label)


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.main.button if button.label == label).click().run()
    assert not app.exception
    return app


def test_an_own_file_needs_no_assumption():
    app = open_page(PAGE)
    assert "resnet8, CIFAR ResNet" in text(app) and "tensors with 75,290 parameters" in text(app)
    assert "Nothing had to be assumed" in captions(app) and not app.main.warning and not app.main.error
    assert not [widget for widget in app.main.selectbox if widget.label == "Normalisation"]
    assert "16 filters of 3 x 3 of conv1.weight" in alts(app) and "the weights are largest in" in alts(app)


def test_a_foreign_file_and_what_is_set_by_hand():
    data = foreign(optimizer={"lr": 0.1})
    app = drop(open_page(PAGE), "theirs.pth", data)
    assert app.main.subheader[0].value == "theirs" and "state_dict under 'state_dict'" in captions(app)
    assert "naming of the CIFAR repositories" in text(app) and "prefix 'module.'" in text(app)
    assert "The cifar10 normalisation of the pixels." in text(app) and "No names for the classes" in text(app)
    box(app, "Normalisation").set_value("half")
    box(app, "Where the shape changes").set_value("None")
    app.main.text_area[0].set_value("\n".join(CLASSES))
    press(app, "Save")
    assert "from which 0.5, 0.5, 0.5 is subtracted" in text(app) and "Its 3 outputs are ant, bee, cow." in text(app)
    assert "plain8, CIFAR plain" in text(app) and "Set by hand: shortcut none." in text(app)
    assert "normalisation of the pixels" not in text(app) and "Pictures of 32x32 pixels." in text(app)
    # another session, another name, the same bytes
    again = drop(open_page(PAGE), "renamed.pth", data)
    assert "Its 3 outputs are ant, bee, cow." in text(again) and box(again, "Normalisation").value == "half"
    press(again, "Forget")
    assert box(again, "Normalisation").value is None and again.main.text_area[0].value == ""
    assert "The cifar10 normalisation of the pixels." in text(again) and "resnet8, CIFAR ResNet" in text(again)
    assert corrections.recall(checkpoints.read(_written(data)).digest) is None


def test_class_names_from_a_file():
    app = drop(open_page(PAGE), "theirs.pth", foreign())
    zone = next(zone for zone in app.main.file_uploader if zone.label == "or a file of them")
    zone.set_value(("names.json", b'{"0": "ant", "1": "bee", "2": "cow"}', "application/json"))
    press(app, "Save")
    assert "Its 3 outputs are ant, bee, cow." in text(app) and app.main.text_area[0].value == "ant\nbee\ncow"
    app.main.text_area[0].set_value("x, y, z")
    press(app, "Save")  # the file is not in the way of what is typed later
    assert "Its 3 outputs are x, y, z." in text(app)
    zone = next(zone for zone in app.main.file_uploader if zone.label == "or a file of them")
    zone.set_value(("names.txt", b"\xff\xfe\x00", "text/plain"))
    press(app, "Save")
    assert "names.txt is no text" in app.main.error[0].value.replace("\\", "")


def test_what_was_chosen_of_one_network_is_not_asked_of_another(folders):
    torch.save(zoo.build("resnet14").state_dict(), folders / "runs" / "deep.pth")
    app = open_page(PAGE, checkpoint="runs/deep.pth", section="Tensors", tensor="layer2.1.conv2.weight")
    assert box(app, "Tensor").value == "layer2.1.conv2.weight"
    app.sidebar.selectbox[0].set_value("runs/mine").run()
    assert not app.exception and box(app, "Tensor").value == "conv1.weight"
    app = open_page(PAGE, checkpoint="runs/deep.pth", section="Compare", other="runs/mine")
    app.sidebar.selectbox[0].set_value("runs/mine").run()
    assert not app.exception and box(app, "Compare with").value == "before training"


def _written(data: bytes):
    path = runs.root() / "written.pth"
    path.write_bytes(data)
    return path


def test_what_does_not_fit_is_refused_by_hand():
    app = drop(open_page(PAGE), "theirs.pth", foreign())
    app.main.text_area[0].set_value("ant\nbee")
    press(app, "Save")
    assert "2 class names were given, and the network has 3 outputs" in app.main.error[0].value.replace("\\", "")
    assert "No names for the classes" in text(app)


def test_a_file_that_disagrees_leaves_the_old_one_and_its_table():
    state = CifarResNet((1, 1, 1), (16, 32, 64), "A", 3).state_dict()
    state["layer2.0.conv2.weight"] = torch.zeros(32, 32, 5, 5)
    del state["layer3.0.bn1.bias"]
    app = drop(open_page(PAGE), "theirs.pth", foreign(state))
    assert "layer2.0.conv2.weight has shape [32, 32, 5, 5] in the file" in app.main.error[0].value.replace("\\", "")
    rows = app.main.dataframe[0].value.to_dict("records")
    assert rows == [
        {"Tensor": "layer2.0.conv2.weight", "in the file": "32 × 32 × 5 × 5", "in a resnet8": "32 × 32 × 3 × 3"},
        {"Tensor": "layer3.0.bn1.bias", "in the file": "not there", "in a resnet8": "64"}]
    assert app.main.subheader[0].value == "mine" and "Below is runs/mine, as before." in captions(app)
    drop(app, "text.pth", b"no weights at all")
    assert "not a weights file" in app.main.error[0].value.replace("\\", "") and not app.main.dataframe
    drop(app, "good.pth", foreign())
    assert not app.main.error and app.main.subheader[0].value == "good"


def test_published_weights_come_with_all_they_need(folders, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(folders / "torch"))
    monkeypatch.setattr(pretrained, "_whole", lambda path: True)  # of random numbers in the place of the real ones
    hub = folders / "torch" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    torch.manual_seed(0)
    torch.save(zoo.build("resnet18").state_dict(), hub / "resnet18-f37072fd.pth")
    app = open_page(PAGE, checkpoint="ResNet18_Weights.IMAGENET1K_V1")
    assert "ResNet18_Weights.IMAGENET1K_V1 of torchvision" in captions(app) and "torchvision publishes" in captions(app)
    assert "torchvision claims 69.8\xa0% validation accuracy." in text(app)
    assert "outputs are tench, goldfish" in text(app)
    assert "64 filters of 7 x 7 of conv1.weight" in alts(app) and "it looks untrained" in text(app)
    assert not [widget for widget in app.main.selectbox if widget.label == "Normalisation"]


def test_damage_and_tensors_that_are_not_used_are_said():
    state = CifarResNet((1, 1, 1), (16, 32, 64), "A", 3).state_dict()
    state["layer1.0.conv1.weight"][2, 3, 1, 1] = math.nan
    app = drop(open_page(PAGE), "theirs.pth", foreign({**state, "ema_step": torch.zeros(1)}))
    warnings = "\n".join(warning.value for warning in app.main.warning).replace("\\", "")
    assert "layer1.0.conv1.weight holds numbers that are not finite" in warnings and "ema_step" in warnings
    assert app.main.expander[0].label == "Not used: 1 tensor"
    app.main.segmented_control[0].set_value("Tensors").run()
    box(app, "Tensor").set_value("layer1.0.conv1.weight").run()
    assert not app.exception and "(1 NaN): at [2, 3, 1, 1]." in app.main.warning[0].value.replace("\\", "")
    assert app.main.dataframe[0].value["Not finite"].sum() == 1


def test_the_table_of_tensors_is_the_analysis(folders):
    app = open_page(PAGE, section="Tensors")
    table = app.main.dataframe[0].value
    found = analysis.statistics(checkpoints.read(folders / "runs" / "mine" / "best.safetensors"))
    assert list(table["Tensor"]) == [s.name for s in found] and list(table["Std"]) == [s.std for s in found]
    assert [sum(bars) for bars in table["Histogram"]] == list(table["Numbers"])
    assert table["of parameters"].sum() == pytest.approx(1)


@pytest.mark.short(3)
@pytest.mark.parametrize(("name", "words"), [
    ("conv1.weight", "a convolution of 16 x 3 x 3 x 3"), ("layer2.0.conv1.weight", "a convolution of 32 x 16 x 3 x 3"),
    ("fc.weight", "a linear of 10 x 64"), ("layer1.0.bn1.weight", "a batch norm's scale of 16"),
    ("fc.bias", "a linear's bias of 10"), ("layer3.0.bn2.running_var", "a running variance of 64"),
])
def test_every_kind_of_tensor_has_a_picture(name, words):
    app = open_page(PAGE, section="Tensors", tensor=name)
    assert box(app, "Tensor").value == name and words in alts(app)


def test_a_counter_is_a_sentence():
    app = open_page(PAGE, section="Tensors", tensor="bn1.num_batches_tracked")
    assert "It counts 0 batches" in text(app)


@pytest.mark.short(4)
@pytest.mark.parametrize("section", ["Card", "Tensors", "Compare"])
@pytest.mark.parametrize("view", ["Story", "Formula", "Code", "Numbers"])
def test_every_view_of_every_section(section, view):
    app = open_page(PAGE, section=section, view=view)
    assert not app.main.error
    shown = {"Story": app.main.markdown, "Formula": app.main.latex, "Code": app.main.code,
             "Numbers": app.main.get("download_button")}[view]
    assert len(shown) >= 1


def test_before_training_is_compared_first(folders):
    app = open_page(PAGE, section="Compare")
    assert box(app, "Compare with").value == "before training"
    assert f"moved most, {MOVES:.2g} times their length" in text(app)
    app = open_page(PAGE, section="Compare", view="Numbers")
    table = app.main.dataframe[0].value.set_index("tensor")
    assert table["change"]["layer2.0.conv1.weight"] == pytest.approx(MOVES, rel=1e-5)
    assert table["change"]["fc.bias"] == 0


def test_before_training_is_compared_also_where_those_weights_did_not_travel(folders, monkeypatch):
    """The bundle of the lecture's network has one weights file; its beginning is drawn again from the seed."""
    monkeypatch.setattr(checkpoints, "BUNDLED", runs.PROJECT / "checkpoints")
    app = open_page(PAGE, checkpoint="lecture-resnet18-cifar10-jpeg", section="Compare")
    assert box(app, "Compare with").value == "before training"
    now = checkpoints.read(checkpoints.find("lecture-resnet18-cifar10-jpeg"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(now.seed)
        before = zoo.build(now.network, now.arguments).state_dict()
    assert comparison.describe(comparison.compare(now.state, before, analysis.kinds(now))) in text(app)


def test_any_two_are_compared_and_what_differs_is_listed(folders):
    torch.manual_seed(5)
    torch.save(zoo.build("resnet8", {"heads": [4]}).state_dict(), folders / "runs" / "other.pth")
    app = open_page(PAGE, section="Compare", other="runs/other.pth")
    pair = [checkpoints.read(folders / "runs" / name) for name in ("mine/best.safetensors", "other.pth")]
    wanted = comparison.describe(comparison.compare(pair[0].state, pair[1].state, analysis.kinds(pair[0])))
    assert wanted in text(app)
    rows = app.main.dataframe[0].value.to_dict("records")
    assert rows == [{"Tensor": "fc.weight", "here": "10 × 64", "in runs/other.pth": "4 × 64"},
                    {"Tensor": "fc.bias", "here": "10", "in runs/other.pth": "4"}]


def test_a_second_file_is_compared_and_the_first_stays(folders):
    app = drop(open_page(PAGE, section="Compare"), "first.pth", foreign())
    torch.manual_seed(2)
    other = foreign(randomised(CifarResNet((1, 1, 1), (16, 32, 64), "A", 3), seed=5).state_dict())
    app.main.file_uploader(key="second_upload").set_value(("second.pth", other, "application/octet-stream"))
    app.run()
    assert not app.exception and box(app, "Compare with").value == "second.pth"
    assert app.sidebar.selectbox[0].value == "first.pth" and "From **second.pth** to **first**" in text(app)
    app.main.file_uploader(key="second_upload").set_value(("third.pth", b"no weights", "application/octet-stream"))
    app.run()
    assert not app.exception and "third.pth is not a weights file" in app.main.error[0].value.replace("\\", "")


def test_alone_there_is_nothing_to_compare_with(folders):
    for name in ("initial", "last"):
        (folders / "runs" / "mine" / f"{name}.safetensors").unlink()
    app = open_page(PAGE, section="Compare")
    assert "no other checkpoint here" in app.main.info[0].value


def test_measured_beside_what_the_file_says(folders):
    """A network that answers its second class whatever it sees."""
    state = zoo.build("resnet8", {"heads": [2]}).state_dict()
    state["fc.weight"].zero_()
    state["fc.bias"].copy_(torch.tensor([0.0, 5.0]))
    checkpoints.write(folders / "runs" / "w.safetensors", state, {
        "network": "resnet8", "arguments": {"heads": [2]}, "classes": ["blue", "red"],
        "metrics": {"test_accuracy": 0.9},
        "preprocessing": {"size": 32, "resize": 32, "mean": [0.5] * 3, "std": [0.5] * 3}})
    app = open_page(PAGE, checkpoint="runs/w.safetensors", section="Measure")
    assert next(b for b in app.main.button if b.label == "Measure").disabled
    upload(app, "mine.zip", pictures(blue=6, red=2))
    press(app, "Measure")
    assert not app.main.error
    (row,) = app.main.dataframe[0].value.to_dict("records")
    assert (row["accuracy"], row["claimed"], row["number"], row["pictures"]) == (0.25, 0.9, 8, "mine.zip")
    metrics = {metric.label: (metric.value, metric.delta) for metric in app.main.metric}
    assert metrics["The file claims: test accuracy"][0] == "90.0\xa0%"
    assert [delta for _, delta in metrics.values()][-1] == "-65.0 points from what is claimed"
    upload(app, "others.zip", pictures(green=1, yellow=1))
    press(app, "Measure")
    assert "green" in app.main.error[0].value
    assert len(app.main.dataframe[0].value) == 1  # what was measured stays


def pictures(**counts: int) -> bytes:
    """A zip of test pictures of one colour each, in a folder of that name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, count in counts.items():
            for i in range(count):
                picture = io.BytesIO()
                Image.new("RGB", (32, 32), name).save(picture, "PNG")
                archive.writestr(f"pictures/test/{name}/{i}.png", picture.getvalue())
    return file.getvalue()


def upload(app: AppTest, name: str, data: bytes) -> None:
    app.main.file_uploader(key="measure_upload").set_value((name, data, "application/zip"))
    app.run()
    assert not app.exception


def test_only_data_that_fits_and_is_here_is_offered(monkeypatch):
    monkeypatch.setattr(downloads, "is_here", lambda name: name in ("cifar10", "cifar100"))
    app = open_page(PAGE, section="Measure")
    assert box(app, "Pictures").options == ["Shapes", "Digits", "CIFAR-10"] and box(app, "Pictures").value == "shapes"


def test_each_format_is_offered():
    app = open_page(PAGE, section="Save as")
    labels = [button.proto.label for button in app.main.get("download_button")]
    assert labels == [f"Save {export.ENDINGS[format]}" for format in export.FORMATS]
    assert "export runs/mine --format onnx" in app.main.code[-1].value
