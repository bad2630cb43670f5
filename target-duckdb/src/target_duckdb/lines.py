"""How long a line may be, and how deep it may nest: what bounds the memory of a load, whoever writes its input."""

from __future__ import annotations

from functools import partial
from typing import IO, TYPE_CHECKING, AnyStr, cast

from target_duckdb.messages import MOST_LEVELS, NO_JSON, place, reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORT = 2 * MOST_LEVELS
"""Bytes up to which a line is neither too long nor nests too deep."""
_BEGINNING = 1000
"""Characters of a line that is too long in which its stream is looked for."""
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
_FLAT = 4


def lines(file: IO[AnyStr] | Iterable[AnyStr], longest: int) -> Iterator[AnyStr]:
    """Return the lines of a file; of one of more than `longest` bytes a part that is too long comes first.

    What is no file, but lines already, is taken as it is.
    """
    if not hasattr(file, "readline"):
        return iter(file)
    of_file = cast("IO[AnyStr]", file)
    return iter(partial(of_file.readline, longest + 1), of_file.read(0))


def fault(text: bytes | str, longest: int, within: str = "") -> str:
    """Return why a line is not loaded, as the end of a sentence; empty where it is neither too long nor too deep.

    Args:
        text: The line.
        longest: Most bytes that it may have.
        within: JSON that it goes on from.
    """
    if len(text) > longest:
        start = text[:_BEGINNING]
        told = place(start if isinstance(start, str) else start.decode(errors="replace"), [])
        return (
            f"has more than {longest:,} bytes{told}. If it is meant to, raise the setting max_line_bytes: a load takes "
            "up to 40 times the memory of its longest line."
        )
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    if raw.count(b"[") + raw.count(b"{") < MOST_LEVELS or not _may_nest(raw):
        return ""
    told = reason(within + (text if isinstance(text, str) else text.decode(errors="replace")))
    return "" if told == NO_JSON else told


def _may_nest(raw: bytes) -> bool:
    """Return whether the brackets of a line, those of flat lists and objects aside, are enough to nest too deep."""
    brackets = raw.translate(None, _OTHERS)
    for _ in range(_FLAT):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return brackets.count(b"[") + brackets.count(b"{") >= MOST_LEVELS - 2 * _FLAT
