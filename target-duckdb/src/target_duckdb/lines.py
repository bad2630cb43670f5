"""Limits on the length and the nesting of a line, which bound the memory of a load."""

from __future__ import annotations

from functools import partial
from typing import IO, TYPE_CHECKING, AnyStr, cast

from target_duckdb.messages import MAX_DEPTH, NOT_JSON, decode_error, location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNCHECKED_BYTES = 2 * MAX_DEPTH
"""Bytes up to which a line needs no check: it is neither too long nor nested too deeply."""
_BEGINNING = 1000
"""Characters at the beginning of a too long line in which its stream is searched for."""
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
_FLAT = 4


def read_lines(file: IO[AnyStr] | Iterable[AnyStr], longest: int) -> Iterator[AnyStr]:
    """Return the lines of a file; a line of more than `longest` bytes is cut after `longest` + 1.

    An iterable of lines is returned as it is.
    """
    if not hasattr(file, "readline"):
        return iter(file)
    of_file = cast("IO[AnyStr]", file)
    return iter(partial(of_file.readline, longest + 1), of_file.read(0))


def line_error(text: bytes | str, longest: int, within: str = "") -> str:
    """Return the reason why a line is too long or nested too deeply, as the end of a sentence; empty if it is not.

    Args:
        text: The line.
        longest: Maximum bytes of a line.
        within: JSON text that precedes the line.
    """
    if len(text) > longest:
        start = text[:_BEGINNING]
        found = location(start if isinstance(start, str) else start.decode(errors="replace"), [])
        return (
            f"has more than {longest:,} bytes{found}. If that is intended, raise the setting max_line_bytes; a load "
            "takes up to 40 times the memory of its longest line."
        )
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    if raw.count(b"[") + raw.count(b"{") < MAX_DEPTH or not _may_nest(raw):
        return ""
    found = decode_error(within + (text if isinstance(text, str) else text.decode(errors="replace")))
    return "" if found == NOT_JSON else found


def _may_nest(raw: bytes) -> bool:
    """Return whether a line has enough brackets, apart from those of flat lists and objects, to nest too deeply."""
    brackets = raw.translate(None, _OTHERS)
    for _ in range(_FLAT):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return brackets.count(b"[") + brackets.count(b"{") >= MAX_DEPTH - 2 * _FLAT
