"""Text from outside, as a log or a terminal may show it."""

from __future__ import annotations

from http import HTTPStatus

_LONGEST = 100


def printable(text: object, longest: int = _LONGEST) -> str:
    r"""Return text of an API, a file or a user as one line that acts on no terminal.

    Characters that do not print (control characters, line ends, direction marks, lone surrogates) are escaped, as in
    `\x1b`; a text of more than `longest` characters is cut, and ends with an ellipsis.
    """
    whole = str(text)
    cut = whole if len(whole) <= longest else f"{whole[: longest - 1]}…"
    if cut.isprintable():
        return cut
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in cut)


def quoted(text: object, longest: int = _LONGEST) -> str:
    """Return text from outside as `printable` does, between backticks, which it cannot close."""
    inside = printable(text, longest).replace("`", "'")
    return f"`{inside}`"


def status_line(code: int) -> str:
    """Return an HTTP status with the standard's phrase for it, such as `404 Not Found`; a server's own is not shown."""
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)
