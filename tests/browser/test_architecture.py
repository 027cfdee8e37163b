"""The drawing of a network in a browser: legible labels, drawing and table point at each other, keyboard, files."""

import io
import re
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

NETWORKS = ("resnet8", "resnet20", "resnet110", "resnet18", "resnet50", "resnet152", "plain20", "simple-cnn",
            "hw4-resnet", "grapheme-resnet", "custom-resnet")
SMALLEST = 11  # pixels of a label's letters
LABELS = """() => {
  const roots = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")].map((home) => home.shadowRoot);
  return roots.filter((root) => root.querySelector(".strip svg")).map((root) => {
    const svg = root.querySelector(".strip svg"), scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    const texts = [...svg.querySelectorAll("text")].map((text) => {
      const { left, top, right, bottom } = text.getBoundingClientRect();
      return [text.textContent, parseFloat(getComputedStyle(text).fontSize) * scale, left, top, right, bottom];
    });
    const { left, top, right, bottom } = svg.getBoundingClientRect();
    return { file: root.querySelector("h3").textContent, texts, svg: [left, top, right, bottom] };
  });
}"""


@pytest.fixture(scope="module")
def small(shared_server):
    return shared_server("tests/browser/architecture_app.py").url


@pytest.fixture(scope="module")
def app(shared_server):
    return shared_server().url


@pytest.fixture
def open_page(app, visit):
    """A function: open_page(query, width, dark) opens the page and waits until its drawing stands."""

    def open_one(query: str, **more):
        page = visit(f"{app}/architecture?{query}", **more)
        expect(page.locator(".strip svg")).to_be_visible(timeout=30_000)
        expect(page.locator(".frame tbody tr").first).to_be_visible()
        return page

    return open_one


def check_labels(drawings: list) -> None:
    for drawing in drawings:
        texts = drawing["texts"]
        assert texts and min(text[1] for text in texts) >= SMALLEST
        left, top, right, bottom = drawing["svg"]
        outside = [text[0] for text in texts if text[2] < left - 1 or text[3] < top - 1 or text[4] > right + 1
                   or text[5] > bottom + 1]
        assert outside == []
        texts.sort(key=lambda text: text[3])
        for number, one in enumerate(texts):
            for other in texts[number + 1 :]:
                if other[3] >= one[5]:
                    break
                assert one[4] <= other[2] or other[4] <= one[2], f"{one[0]!r} overlaps {other[0]!r}"


@pytest.mark.hard
@pytest.mark.parametrize("network", NETWORKS)
def test_no_label_is_small_and_none_lies_on_another(small, visit, network):
    page = visit(f"{small}/?network={network}")
    expect(page.locator(".strip svg")).to_have_count(6, timeout=30_000)
    drawings = page.evaluate(LABELS)
    assert len(drawings) == 6
    check_labels(drawings)


@pytest.mark.hard
@pytest.mark.parametrize("width, dark", [(1440, True), (400, False)])
def test_on_the_page_at_every_zoom(open_page, picture, width, dark):
    for level in ("stage", "block", "layer"):
        page = open_page(f"network=resnet152&fold={level}", width=width, dark=dark)
        check_labels(page.evaluate(LABELS))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        strip = page.locator(".strip")
        wide, inner = strip.evaluate("strip => [strip.scrollWidth, strip.clientWidth]")
        assert wide <= inner if width == 1440 else wide > inner, "a telephone scrolls inside the strip"
        picture(page, f"architecture-{level}-{width}-{'dark' if dark else 'light'}")


@pytest.mark.hard
def test_resnet152_shows_fifty_arcs_four_of_them_dashed_at_once(open_page):
    page = open_page("network=resnet152&fold=block&folded=false")
    expect(page.locator(".strip .arc")).to_have_count(50)
    expect(page.locator(".strip .arc.dashed")).to_have_count(4)
    expect(page.locator(".strip svg")).to_have_attribute("aria-label", re.compile("50 blocks with 50 shortcuts, 4 of"))


@pytest.mark.hard
def test_every_layer_of_resnet152_is_drawn(open_page):
    page = open_page("network=resnet152&fold=layer&folded=false")
    expect(page.locator(".strip .box")).to_have_count(507)
    expect(page.locator(".strip .arc")).to_have_count(50)
    print(f"built in {page.locator('.architecture').get_attribute('data-ms')} ms")  # 82 to 284 when it is quiet


def row(page, key: str):
    return page.locator(".frame tbody tr", has=page.locator(f".text[title='{key}']"))


def box(page, start: str):
    return page.locator(f".strip .box:has(title:text('{start}'))")


def seen_in_frame(page, line) -> bool:
    inner = line.bounding_box()  # between the head and the sums, which stay
    head, foot = (page.locator(f".frame {part}").first.bounding_box() for part in ("th", "tfoot td"))
    return head["y"] + head["height"] <= inner["y"] + 1 and inner["y"] + inner["height"] <= foot["y"] + 1


@pytest.mark.hard
def test_pointing_at_a_box_marks_its_row_and_the_reverse(open_page):
    page = open_page("network=resnet152&fold=layer", height=1400)
    last = row(page, "layer4.1.conv3")
    assert not seen_in_frame(page, last)
    box(page, "layer4.1.conv3, 2 times").hover()
    expect(last).to_have_class(re.compile("pointed"))
    assert seen_in_frame(page, last), "its row comes into view, inside the table"
    row(page, "layer4.1.conv2").hover()
    expect(box(page, "layer4.1.conv2, 2 times")).to_have_class(re.compile("pointed"))
    expect(last).not_to_have_class(re.compile("pointed"))
    page.locator("h1").hover()
    expect(page.locator(".pointed")).to_have_count(0)


@pytest.mark.hard
def test_a_projection_stands_for_the_layers_on_its_way(open_page):
    page = open_page("network=resnet50&fold=layer", height=1400)
    arc = page.locator(".strip .arc.dashed").nth(1)
    for key in ("layer2.0.downsample.0", "layer2.0.downsample.1"):
        row(page, key).hover()
        expect(arc).to_have_class(re.compile("pointed"))
    page.locator(".strip text.tag", has_text="1×1, 512").click()
    expect(row(page, "layer2.0.downsample.0")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("512 × 256 × 1 × 1 = 131,072").first).to_be_visible()


def test_a_click_chooses_and_the_arithmetic_follows(open_page):
    page = open_page("network=resnet18&fold=layer", height=1400)
    expect(page.get_by_text("64 × 3 × 7 × 7 = 9,408").first).to_be_visible()  # the first layer, before any click
    box(page, "layer4.0.conv1").click()
    expect(page.get_by_text("512 × 256 × 3 × 3 = 1,179,648").first).to_be_visible()
    expect(row(page, "layer4.0.conv1")).to_have_attribute("aria-selected", "true")
    assert "layer=layer4.0.conv1" in page.url
    row(page, "fc").click()
    expect(page.get_by_text("1,000 × 512 + 1,000 biases = 513,000").first).to_be_visible()
    expect(box(page, "fc:")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.get_by_text("1,000 × 512 + 1,000 biases = 513,000").first).to_be_visible()


def chosen(page) -> str:
    return page.locator(".frame tr.chosen .text").get_attribute("title")


@pytest.mark.hard
def test_the_keyboard_moves_the_choice_and_opens_rows(open_page):
    page = open_page("network=resnet20&fold=block", height=1400)
    page.locator(".strip .box[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert chosen(page) == "layer1.0 … 2"
    page.keyboard.press("End")
    assert chosen(page) == "fc"
    expect(page.get_by_text("10 × 64 + 10 biases = 650").first).to_be_visible()
    page.locator(".frame tr[tabindex='0']").focus()
    for key in ("Home", "ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert chosen(page) == "layer1.0.conv1"
    expect(box(page, "layer1.0 … 2")).to_have_class(re.compile("chosen"))
    expect(row(page, "layer1.0 … 2")).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_text("16 × 16 × 3 × 3 = 2,304").first).to_be_visible()
    for key in ("ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
    expect(row(page, "layer1.0.conv1")).to_have_count(0)


@pytest.mark.hard
def test_columns_sort_and_the_third_click_brings_the_order_back(open_page):
    page = open_page("network=resnet50&fold=block")
    before = page.locator(".frame tbody .text").all_inner_texts()
    head = page.get_by_role("columnheader", name="Parameters")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    cells = page.locator(".frame tbody td.params > span").all_inner_texts()
    numbers = [int(cell.replace(",", "")) for cell in cells]
    assert len(numbers) > 5 and numbers == sorted(numbers, reverse=True)
    head.get_by_role("button").click()
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "none")
    assert page.locator(".frame tbody .text").all_inner_texts() == before


@pytest.mark.hard
def test_the_depth_slider_redraws_drawing_and_table(open_page):
    page = open_page("network=resnet152&fold=block&folded=false")
    expect(page.locator(".frame tfoot td.params > span")).to_have_text("60,192,808")
    page.get_by_role("slider").press("ArrowLeft")
    expect(page.locator(".strip .arc")).to_have_count(33)
    expect(page.locator(".frame tfoot td.params > span")).to_have_text("44,549,160")
    assert "network=resnet101" in page.url


@pytest.mark.hard
@pytest.mark.parametrize("dark", [False, True])
def test_the_drawing_as_files(open_page, dark):
    page = open_page("network=resnet50&fold=block", dark=dark)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download SVG").click()
    assert download.value.suggested_filename == "resnet50-block.svg"
    root = ElementTree.parse(download.value.path()).getroot()
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"layer3", "conv4_x, 6 blocks", "× 5"} <= set(texts) and "var(" not in ElementTree.tostring(root, "unicode")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PNG").click()
    image = Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB")
    assert image.size == tuple(round(2 * float(root.get(side))) for side in ("width", "height"))
    assert image.getpixel((5, 5)) == (255, 255, 255) and len(image.getcolors(100_000)) > 50
