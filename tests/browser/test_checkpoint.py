"""In a real browser: a stranger's weights are dropped, their card read, a tensor looked at, the normalisation set by
hand, accuracy measured and stopped, and the file saved in other forms."""

from pathlib import Path

import pytest
import torch

from resnet_viz import checkpoints, export
from tests.foreign_networks import CifarResNet, randomised

from .test_predictions import rest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def theirs(tmp_path_factory) -> Path:
    """A file as a CIFAR repository writes it: other names, a prefix, extras beside the tensors."""
    torch.manual_seed(1)
    state = randomised(CifarResNet((1, 1, 1), (16, 32, 64), "A", 3)).state_dict()
    path = tmp_path_factory.mktemp("theirs") / "theirs.pth"
    torch.save({"state_dict": {f"module.{name}": t for name, t in state.items()}, "epoch": 7}, path)
    return path


@pytest.fixture(scope="module")
def app(shared_server, tmp_path_factory):
    return shared_server(RESNET_VIZ_DATA=str(tmp_path_factory.mktemp("data")))


def open_page(visit, app, **more):
    page = visit(f"{app.url}/checkpoint", **more)
    page.get_by_text("How large the weights of each layer are").wait_for(timeout=60_000)
    rest(page)
    return page


def drop(page, path: Path) -> None:
    page.get_by_test_id("stMain").locator("input[type=file]").first.set_input_files(str(path))
    page.wait_for_url(f"**checkpoint={path.name}*", timeout=30_000)
    rest(page)


def section(page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    page.wait_for_timeout(500)
    rest(page)


def main_text(page) -> str:
    return page.get_by_test_id("stMain").inner_text().replace("\xa0", " ")


def test_from_a_strangers_file_to_its_tensors(app, visit, theirs, picture):
    page = open_page(visit, app)
    drop(page, theirs)
    card = main_text(page)
    assert "resnet8, CIFAR ResNet" in card and "naming of the CIFAR repositories" in card
    assert "The cifar10 normalisation of the pixels." in card and "No names for the classes" in card
    assert page.get_by_test_id("stAlert").count() == 0
    picture(page, "checkpoint-card")

    section(page, "Tensors")
    rows = page.get_by_test_id("stDataFrame").first
    box = rows.bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + 35 * 7 + 18)  # the seventh row's mark: layer1.0.conv1.weight
    page.wait_for_url("**tensor=layer1.0.conv1.weight*", timeout=30_000)
    rest(page)
    shown = page.get_by_role("img", name="layer1.0.conv1.weight, a convolution of 16 x 16 x 3 x 3")
    assert shown.count() >= 1 and shown.first.bounding_box()["width"] > 150
    picture(page, "checkpoint-tensors", full_page=True)
    for name in ("fc.bias", "layer3.0.bn2.weight"):  # from above, after a click: nothing jumps back
        page.get_by_role("combobox", name="Tensor").fill(name)
        page.get_by_role("option", name=name, exact=True).click()
        page.wait_for_url(f"**tensor={name}*", timeout=30_000)
        page.wait_for_timeout(500)
        rest(page)
        assert f"tensor={name}" in page.url and page.get_by_test_id("stException").count() == 0
        assert page.get_by_test_id("stMain").get_by_text(name, exact=True).count() >= 1
    page.mouse.click(box["x"] + 20, box["y"] + 35 + 18)
    page.wait_for_url(lambda url: "tensor=" not in url, timeout=30_000)  # the first is the default: no link names it


@pytest.mark.hard
def test_the_normalisation_is_set_by_hand_and_remembered(app, visit, theirs):
    page = open_page(visit, app)
    drop(page, theirs)
    page.get_by_role("button", name="Set by hand", exact=True).click()
    form = page.get_by_test_id("stPopoverBody")
    form.get_by_role("combobox", name="Normalisation").fill("half")
    page.get_by_role("option", name="half", exact=True).click()
    form.get_by_role("textbox", name="Names of the 3 classes").fill("ant\nbee\ncow")
    form.get_by_role("button", name="Save").click()
    page.get_by_text("from which 0.5, 0.5, 0.5 is subtracted").wait_for(timeout=30_000)
    assert "Its 3 outputs are ant, bee, cow." in main_text(page)
    again = open_page(visit, app)  # another visitor, the same bytes
    drop(again, theirs)
    assert "from which 0.5, 0.5, 0.5 is subtracted" in main_text(again)
    again.get_by_role("button", name="Set by hand", exact=True).click()
    again.get_by_role("button", name="Forget", exact=True).click()
    again.get_by_text("The cifar10 normalisation of the pixels.").wait_for(timeout=30_000)


@pytest.mark.hard
def test_a_second_file_and_a_bad_one(app, visit, theirs, tmp_path):
    page = open_page(visit, app)
    drop(page, theirs)
    state = torch.load(theirs, weights_only=True)["state_dict"]
    torch.save(state | {"module.layer2.0.conv2.weight": torch.zeros(32, 32, 5, 5)}, tmp_path / "bad.pth")
    page.get_by_test_id("stMain").locator("input[type=file]").first.set_input_files(str(tmp_path / "bad.pth"))
    page.get_by_text("bad.pth cannot be used").first.wait_for(timeout=30_000)
    rest(page)
    assert "Below is theirs.pth, as before." in main_text(page)
    torch.save(state, tmp_path / "second.pth")
    drop(page, tmp_path / "second.pth")
    assert page.get_by_test_id("stAlert").count() == 0  # neither the failure nor a word on the first file's link
    assert page.locator("h3").first.inner_text() == "second"


@pytest.mark.hard
def test_measuring_is_shown_and_stopped(app, visit):
    page = visit(f"{app.url}/checkpoint?checkpoint=resnet20-stem7-shapes&section=Measure")
    limit = page.get_by_role("spinbutton", name="At most, pictures")
    limit.wait_for(timeout=60_000)
    rest(page)
    limit.fill("2000")
    limit.press("Enter")
    rest(page)
    measure = page.get_by_role("button", name="Measure", exact=True)
    measure.click()
    page.get_by_text("s left").wait_for(timeout=60_000)
    page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True).click()
    rest(page)
    assert "Measured in this session" not in main_text(page) and page.get_by_text("s left").count() == 0
    limit.fill("200")
    limit.press("Enter")
    rest(page)
    measure.click()
    page.get_by_text("Measured in this session").wait_for(timeout=60_000)
    assert "Measured on 200 test pictures of shapes" in main_text(page)


@pytest.mark.hard
def test_what_is_saved_opens_again(app, visit, theirs, tmp_path):
    page = open_page(visit, app)
    drop(page, theirs)
    section(page, "Save as")
    original = checkpoints.read(theirs)
    for format, ending in export.ENDINGS.items():
        with page.expect_download(timeout=60_000) as waiting:
            page.get_by_role("button", name=f"Save {ending}", exact=True).click()
        assert waiting.value.suggested_filename == f"theirs{ending}"
        waiting.value.save_as(tmp_path / f"saved{ending}")
        if format != "onnx":
            again = checkpoints.read(tmp_path / f"saved{ending}")
            assert all(torch.equal(again.state[name], t) for name, t in original.state.items())
    import onnxruntime

    session = onnxruntime.InferenceSession(tmp_path / "saved.onnx", providers=["CPUExecutionProvider"])
    pictures = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(torch.from_numpy(session.run(["logits"], {"pictures": pictures.numpy()})[0]),
                               checkpoints.model(original)(pictures), atol=1e-4, rtol=0)


@pytest.mark.hard
@pytest.mark.parametrize("name", ["Card", "Tensors", "Compare", "Measure", "Save as"])
def test_a_telephone_has_no_sideways_scroll(app, visit, picture, name):
    page = visit(f"{app.url}/checkpoint?section={name}", width=400, height=860, dark=True)
    page.get_by_role("radio", name=name, exact=True).wait_for(timeout=60_000)
    rest(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    picture(page, f"checkpoint-{name.replace(' ', '-').lower()}-400-dark")
