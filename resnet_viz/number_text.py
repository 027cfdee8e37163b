"""Numbers as a person writes them: in a sum with a true minus sign and three digits; shares in percent; durations."""

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


def percent(fraction: float) -> str:
    """0.8312 -> "83.1 %" (no line break before %); what is not 0 or 1 never reads as 0 or 100 %."""
    if 0 < fraction < 0.001:
        return "under 0.1\u00a0%"
    if 0.999 < fraction < 1:
        return "over 99.9\u00a0%"
    return f"{100 * fraction:.1f}\u00a0%"


def duration(seconds: float) -> str:
    """42 s, 3 min 5 s, 2 h 10 min."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
