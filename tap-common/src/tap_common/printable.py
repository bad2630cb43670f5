"""Text from outside, made safe for a log or a terminal."""

from __future__ import annotations

from http import HTTPStatus

_LONGEST = 100


def printable(text: object, longest: int = _LONGEST) -> str:
    r"""Return text of an API, a file or a user as one line without effect on a terminal.

    Unprintable characters (control characters, line ends, direction marks, lone surrogates) are escaped, as in `\x1b`.
    Text of more than `longest` characters is cut, and ends with an ellipsis.
    """
    whole = str(text)
    cut = whole if len(whole) <= longest else f"{whole[: longest - 1]}…"
    if cut.isprintable():
        return cut
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in cut)


def quoted(text: object, longest: int = _LONGEST) -> str:
    """Return text from outside like `printable`, in backticks; its own backticks are replaced."""
    inside = printable(text, longest).replace("`", "'")
    return f"`{inside}`"


def status_line(code: int) -> str:
    """Return an HTTP status with its standard phrase, such as `404 Not Found`, not with the server's."""
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)
