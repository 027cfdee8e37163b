"""Which plain network stands beside a residual one: the same stages of the same blocks, with and without shortcuts."""

from dataclasses import replace

from ..networks import zoo
from ..networks.resnet import ResNetSpec

ANOTHER = {"network", "arguments", "version", "threads", "device", "keep_weights", "start_from"}  # no difference in what it learned


def spec_of(network: str, arguments: dict) -> ResNetSpec | None:
    """What decides the shape of a network; None for one that is not of the ResNet family."""
    if network == zoo.CUSTOM:
        return ResNetSpec(**arguments)
    entry = zoo.NETWORKS.get(network)
    return replace(entry.spec, **arguments) if entry and entry.spec else None


def are_twins(first: ResNetSpec | None, second: ResNetSpec | None) -> bool:
    """Whether exactly one of the two has shortcuts, and both have as many blocks of the same kind in every stage."""
    if first is None or second is None or (first.shortcut is None) == (second.shortcut is None):
        return False
    return (first.block, first.depths) == (second.block, second.depths)


def trained_apart(first: dict | None, second: dict | None) -> list[str]:
    """In which fields, besides the network itself, the configs of two runs differ; where one is unknown, nothing."""
    if not first or not second:
        return []
    return [name for name in first if name not in ANOTHER and name in second and first[name] != second[name]]


def closest_first(mine: dict | None, others: dict[str, dict]) -> list[str]:
    """Names of other runs, the one first whose config differs least from mine."""
    return sorted(others, key=lambda name: len(trained_apart(mine, others[name])))
