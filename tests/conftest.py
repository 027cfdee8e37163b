"""The short form of the long tests, and which process takes which file.

`make test` runs some variants of each long test, `make test-hard` all the others.
"""

from collections import defaultdict
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner
from xdist.scheduler import LoadFileScheduling

# Each AppTest reads the metadata of all installed packages: half of the time of a page's test, and always the same.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a test with @pytest.mark.short(n), n variants from first to last stay; the others count as hard."""
    variants = defaultdict(list)
    for item in items:
        if item.get_closest_marker("short"):
            variants[item.path, item.originalname].append(item)
    for found in variants.values():
        (count,) = found[0].get_closest_marker("short").args
        kept = {round(place * (len(found) - 1) / max(count - 1, 1)) for place in range(count)}
        for place, item in enumerate(found):
            if place not in kept:
                item.add_marker("hard")


class ByFile(LoadFileScheduling):
    """A file of tests stays in one process; all that drive a browser share one, so that one server and one Chromium do."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)


@pytest.hookimpl
def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)
