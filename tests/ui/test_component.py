"""Every part that runs in the browser: what is registered exists, nothing is declared twice, nothing needs the network."""

import re

import pytest

from resnet_viz.ui import component

SCRIPTS = sorted(path.stem for path in component.FOLDER.glob("*.js") if path.stem != "shared")
DECLARED = re.compile(r"^(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_and_what_all_share_declare_each_name_once(name):
    names = DECLARED.findall(component.script(name))
    assert sorted(names) == sorted(set(names))
    assert component.script(name).count("export default function") == 1
    assert component.read(f"{name}.css").strip()


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_reaches_for_the_network(name):
    code = component.script(name) + component.read(f"{name}.css")
    addresses = set(re.findall(r"https?://[\w./-]+", code)) - {"http://www.w3.org/2000/svg"}
    assert not addresses and not re.search(r"\bfetch\(|XMLHttpRequest|WebSocket|@import|\bimport\b ", code)

