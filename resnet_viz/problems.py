"""The one error that is meant for the person in front of the screen."""


class Problem(Exception):
    """Something the person can mend: one plain sentence that says what is wrong and what to do.

    Pages show it and stay usable; the command line prints it to stderr and exits with 2.
    Every other exception is a bug and stays visible.
    """


def one_of(what: str, value, known):
    """Return `value` if it is among `known`, else raise a Problem that lists the known ones."""
    if value not in known:
        raise Problem(f"Unknown {what} {value!r:.60}; choose one of: {', '.join(str(k) for k in known)}.")
    return value
