"""Networks with a linear layer behind flattened maps take a few sizes of pictures only; all others are refused here."""

from ..problems import Problem


def must_fit(network: str, sizes: tuple[int, int], height: int, width: int) -> None:
    """A Problem unless both sides of a picture are from sizes[0] to sizes[1] pixels."""
    low, high = sizes
    if not (low <= height <= high and low <= width <= high):
        raise Problem(f"{network} takes pictures of {low} to {high} pixels a side, not {height:,} x {width:,}: "
                      "its linear layer has a fixed number of inputs.")
