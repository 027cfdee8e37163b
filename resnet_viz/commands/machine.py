"""The machine: what it has, and how fast it is."""

from .output import show, table, tell


def check(options) -> int:
    """this machine, its devices, versions, folders, data and weights: for a bug report"""
    from ..analysis import machine

    found = machine.check()
    show(options, found, lambda: machine.text(found))
    return 0


def bench(options) -> int:
    """how fast this machine trains and answers, beside the peers that are named"""
    from .. import bench as benchmark

    found = benchmark.run(tell)
    show(options, found, lambda: table(["what", "figure", "bar"],
                                       [[r["what"], r["figure"], r["bar"]] for r in found["rows"]], right={1}))
    return 0
