"""The benchmark's row beside torchinfo; the timings themselves are `make bench`'s to print."""

import sys

import torchinfo

from resnet_viz import bench
from resnet_viz.analysis import architecture


def test_without_torchinfo_the_row_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchinfo", None)
    assert bench.summary_beside_torchinfo() == {
        "figure": "not measured: torchinfo is not installed (requirements-test.txt)"}


def test_the_row_gives_both_times_and_their_ratio(monkeypatch):
    """On clocks that tell: ours takes 1 s a table, theirs 8."""
    now = [0.0]

    def taking(seconds):
        def call(*_, **__):
            now[0] += seconds
        return call

    monkeypatch.setattr(bench.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(architecture, "summary", taking(1))
    monkeypatch.setattr(torchinfo, "summary", taking(8))
    monkeypatch.setattr("torchvision.models.resnet152", lambda: None)
    assert bench.summary_beside_torchinfo() == {"ratio": 8.0, "figure": "8 x (1.000 s against 8.00 s)"}
    assert [row[2] for row in bench.MEASURES if row[1] is bench.summary_beside_torchinfo] == ["over 5 x"]
