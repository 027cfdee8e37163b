"""Numbers in a sum as a person writes them: a true minus sign, three digits, brackets where a sign would collide."""

import math


def plain(value: float) -> str:
    """ "7", "−0.25", "1.23": whole numbers as they are, others with three significant digits."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    whole = float(value).is_integer() and abs(value) < 1e12
    text = f"{value:,.0f}" if whole else f"{value:.3g}"
    if text == "-0":
        return "0"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("-", "−")


def signed(value: float) -> str:
    """The same inside a sum or product: "(−3)"."""
    text = plain(value)
    return f"({text})" if text.startswith("−") else text


def joined(terms: list[str]) -> str:
    return " + ".join(terms)
