"""Text from outside, as a log or a terminal may show it: a twin of `tap_common.printable`, which is not needed here."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST, _LONGEST_PATH, _LONGEST_LINE = 100, 500, 2000
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_.:$-]{0,63}")


def printable(text: object, longest: int = _LONGEST) -> str:
    r"""Return text of a tap, a file or a user as one line that acts on no terminal.

    Characters that do not print (control characters, line ends, direction marks, lone surrogates) are escaped, as in
    `\x1b`; a text of more than `longest` characters is cut, and ends with an ellipsis.
    """
    cut = _cut(str(text), longest)
    if cut.isprintable():
        return cut
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in cut)


def named(name: object) -> str:
    """Return a name from outside in quotes, which it cannot close, with the same escapes and the same length."""
    return repr(_cut(str(name), _LONGEST))


def is_name(text: object) -> bool:
    """Return whether a text is one as columns are named by; another key of a record, a mail address, may be data."""
    return bool(_NAME.fullmatch(str(text)))


def path_of(path: object) -> str:
    """Return a path as `printable` does; it may be longer than a name."""
    return printable(path, _LONGEST_PATH)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _one_line(record: logging.LogRecord) -> bool:
    """Make one printable line of a message, of which the SDK's hold names as they came; at DEBUG it may be longer."""
    text = record.getMessage()
    record.msg, record.args = printable(text, _LONGEST_LINE if record.levelno > logging.DEBUG else len(text)), None
    record.name = printable(record.name)
    return True


def keep_to_lines(handlers: Iterable[logging.Handler]) -> None:
    """Have each message of a log be one printable line."""
    for handler in handlers:
        handler.addFilter(_one_line)
