"""On paper: every page without navigation, buttons and fields that only a screen can use, black on white, all of its length.

Streamlit's own names of its parts (data-testid) are held by a browser test that prints.
"""

import streamlit as st

AWAY = ("stSidebar", "stHeader", "stToolbar", "stStatusWidget", "stSidebarCollapsedControl", "stExpandSidebarButton", "stFileUploader",
        "stDownloadButton", "stPopover", "stToastContainer", "stDecoration")
KEYS_AWAY = ("copy_link", "present", "off-paper")  # keys of widgets and containers
STYLE = """<style>@media print {
  %(away)s { display: none !important; }
  html, body, #root, .stApp, [data-testid=stAppViewContainer], [data-testid=stMain] {
    position: static !important; display: block !important; height: auto !important; overflow: visible !important; }
  [data-testid=stMainBlockContainer] { max-width: none !important; padding: 0 !important; }
  figure, img, canvas, svg, [data-testid=stPlotlyChart], [data-testid=stElementContainer]:has(iframe) { break-inside: avoid; }
  h1, h2, h3 { break-after: avoid; }
  .stApp { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}</style>"""


def style() -> None:
    """Once a page, before anything is drawn."""
    away = [f"[data-testid={name}]" for name in AWAY] + [f".st-key-{key}" for key in KEYS_AWAY]
    st.html(STYLE % {"away": ", ".join(away)})
