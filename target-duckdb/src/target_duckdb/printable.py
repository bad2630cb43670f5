"""Text from outside, as a log or a terminal may show it; `tap_common` has its own of the same behaviour."""

from __future__ import annotations

import re

_LONGEST, _LONGEST_PATH = 100, 500
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_.:$-]{0,63}")


def printable(text: object, longest: int = _LONGEST) -> str:
    r"""Return text of a tap, a file or a user as one line that acts on no terminal.

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


def is_name(text: object) -> bool:
    """Return whether a text is one as columns are named by; another key of a record, a mail address, may be data."""
    return bool(_NAME.fullmatch(str(text)))


def path_of(path: object) -> str:
    """Return a path as `printable` does; it may be longer than a name."""
    return printable(path, _LONGEST_PATH)
