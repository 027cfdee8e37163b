"""Names that strangers give, of classes, files, folders and runs, are shown as they are: nowhere do they become markup."""

import re
from pathlib import Path

import pytest
from safetensors import safe_open
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from resnet_viz import checkpoints, runs

from ..analysis.conftest import write_run
from ..pages.test_every_page import PAGES, open_page

NAMES = ("<img src=x onerror=alert(1)>", "**bold**", "[a](javascript:alert(2))", ":red[x]", "$x$", "\u202egnp.exe", "`code`",
         "![p](http://192.0.2.1/p.png)", "line\nbreak # title", ":material/delete:")
MARKUP = re.compile(r"(?<!\\)<img|(?<!\\)\*\*bold|(?<!\\)\]\((?:javascript|http://192)|(?<!\\)]\\?\(javascript|(?<!\\):red\[|"
                    r"(?<!\\)\$x|(?<!\\)`code|(?<!\\)!\[p|\n#|(?<!\\):material/delete|\u202e")
FIELDS = ("label", "body", "help", "text", "title", "captions", "delta")  # of a message, that Streamlit draws as Markdown
AS_THEY_ARE = ("code", "text", "latex")  # kinds of elements whose text is no Markdown


def hostile_run(folder: Path) -> Path:
    """A run whose classes, data set, person's words and own name are hostile."""
    run = write_run(folder / "**bold** <img src=x onerror=alert(1)> $x$", keep_weights=True)
    for path in (*run.glob("*.safetensors"), *run.glob("weights/*.safetensors")):
        with safe_open(path, "pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}
        read = checkpoints.read(path)
        header = {"network": "resnet8", "arguments": {}, "classes": list(NAMES), "data": "[a](javascript:alert(2))", "seed": 0,
                  "preprocessing": read.preprocessing.to_dict(), "epoch": read.epoch, "metrics": {"test_accuracy": 0.5}}
        checkpoints.write(path, state, header)
    runs.write_config(run, {"network": "resnet8", "data": "**bold**", "epochs": 2, "optimizer": "`code`"})
    runs.append(run / "metrics.jsonl", {"split": "val", "epoch": 1, "step": 8, "images": 8, "loss": 1.0, "accuracy": 0.5, "lr": 0.1,
                                        "elapsed_s": 1})
    (run / "person.json").write_text('{"name": ":red[x]", "note": "![p](http://192.0.2.1/p.png)"}')
    return run


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers")
    hostile_run(folder)
    return folder


def drawn_as_markdown(block: Block):
    """(kind, text) of everything below a block that the browser draws as Markdown."""
    for child in block.children.values():
        proto = getattr(child, "proto", None)
        texts = [getattr(proto, field, "") for field in FIELDS] if child.type not in AS_THEY_ARE else []
        texts += [option.content for option in proto.options] if child.type == "button_group" else []
        texts += [list(proto.options)] if child.type == "radio" else []
        texts += [proto.popover.label] if child.type == "popover" else []
        yield from ((child.type, text) for one in texts for text in ([one] if isinstance(one, str) else one))
        if isinstance(child, Block):
            yield from drawn_as_markdown(child)


def test_the_rule_finds_markup_and_lets_text_pass():
    from resnet_viz.ui.page import plain

    assert all(MARKUP.search(name) for name in NAMES if "\n" not in name)
    assert not [name for name in map(plain, NAMES) if MARKUP.search(name)]


SHORT = ("inspect/predictions", "inspect/surgery", "train/training", "train/runs")


@pytest.mark.parametrize("page", [name if name in SHORT else pytest.param(name, marks=pytest.mark.hard) for name in PAGES
                                  if name.startswith(("start", "inspect", "train"))])
def test_no_page_draws_a_name_as_markup(strangers, monkeypatch, page):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(strangers))
    (run,) = strangers.glob("*bold*")
    app: AppTest = open_page(page, checkpoint=f"runs/{run.name}", run=run.name)
    texts = [*drawn_as_markdown(app.main), *drawn_as_markdown(app.sidebar)]
    assert sum(1 for _, text in texts if text) > 10 and app.sidebar.selectbox[0].value == f"runs/{run.name}"
    assert [(kind, text) for kind, text in texts if MARKUP.search(text)] == []
