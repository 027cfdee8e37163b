"""The parts of pages that run in the browser: plain JavaScript and CSS from the folder browser/, by their file's name."""

import hashlib
from functools import cache
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).parent / "browser"


@cache
def read(file: str) -> str:
    return (FOLDER / file).read_text(encoding="utf-8")


def script(name: str) -> str:
    return read("shared.js") + read(f"{name}.js")


def component(name: str):
    """The component of browser/<name>.js and browser/<name>.css, to be called with key and data."""
    return st.components.v2.component(name, js=script(name), css=read(f"{name}.css"))


class Carried:
    """A component whose script travels once a page, in a component of its own: Streamlit sends a component's whole
    script with every update, and a live page has one every second.

    Until `install` has brought the script, whatever comes first, the component waits. Constants (texts) travel along.
    """

    def __init__(self, name: str, **constants: str):
        code, style = script(name), read(f"{name}.css")
        digest = hashlib.sha256("".join((code, style, *constants.values())).encode()).hexdigest()[:12]
        self.name, self.version = name, f"{name}-{digest}"
        self.travelling = {"version": self.version, "style": style, **constants}
        self.waiting = (f'const code = ((globalThis.resnetViz ??= {{}})["{self.version}"] ??= Promise.withResolvers());\n'
                        "export default async (component) => (await code.promise)(component);\n")
        self._code = st.components.v2.component(f"{name}_code", js=code)
        self._component = st.components.v2.component(name, js=self.waiting)

    def install(self, **more) -> None:
        """Bring the script into the page, and what else shall travel with it; called once, outside of fragments."""
        self._code(key=f"{self.name}_code", data={**self.travelling, **more}, height="content")

    def __call__(self, **arguments):
        return self._component(**arguments)
