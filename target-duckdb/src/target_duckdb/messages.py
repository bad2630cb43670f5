"""The shape that each Singer message must have, and the reason why a line cannot be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_duckdb.columns import BIGINT_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_duckdb.columns import Json

MOST_DIGITS, MOST_LEVELS = 4300, 500
"""Digits of an integer that Python reads, and levels of nesting that can be decoded wherever a load stands."""

_Check = tuple[str, "Callable[[Json], bool]"]


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_object(value: Json) -> bool:
    return isinstance(value, dict)


def _are_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_version(value: Json) -> bool:
    return type(value) is int and value.bit_length() <= BIGINT_BITS


_STREAM: dict[str, _Check] = {"stream": ("text", _is_text)}
_REQUIRED: dict[str, dict[str, _Check]] = {
    "SCHEMA": {**_STREAM, "schema": ("an object", _is_object)},
    "RECORD": {**_STREAM, "record": ("an object", _is_object)},
    "STATE": {"value": ("a value", lambda _: True)},
    "ACTIVATE_VERSION": {**_STREAM, "version": ("an integer of 64 bits", _is_version)},
    "BATCH": {**_STREAM, "encoding": ("an object", _is_object), "manifest": ("a list of texts", _are_texts)},
}


def check(message: dict[str, Json], line: int) -> None:
    """Say by an InvalidInputLine what is wrong with a message, if anything is.

    Args:
        message: The decoded message.
        line: Number of its line.
    """
    kind = message.get("type")
    if kind is None:
        raise InvalidInputLine(f"Line {line} of the input is not a Singer message: it has no type.")
    if not isinstance(kind, str) or kind not in _REQUIRED:
        named = f", {kind}" if isinstance(kind, str) and re.fullmatch("[A-Z_]{1,30}", kind) else ""
        raise InvalidInputLine(f"Line {line} of the input is a message of an unknown type{named}.")
    required = _REQUIRED[kind]
    article = "an" if kind.startswith("A") else "a"
    if missing := sorted(required.keys() - message.keys()):
        raise InvalidInputLine(
            f"Line {line} of the input: {article.title()} {kind} message lacks {', '.join(missing)}."
        )
    stream = message.get("stream")
    where = f"stream {stream!r}, line {line} of the input" if isinstance(stream, str) else f"Line {line} of the input"
    for name, (what, fits) in required.items():
        if not fits(message[name]):
            raise InvalidInputLine(f"{where}: the {name} of {article} {kind} message is not {what}.")
    if kind == "SCHEMA":
        if not isinstance(message["schema"].get("properties"), dict):
            raise InvalidInputLine(f"{where}: the schema has no properties, or they are not an object.")
        keys = message.get("key_properties")
        if not (keys is None or _are_texts(keys)):
            raise InvalidInputLine(f"{where}: the key_properties of a SCHEMA message are not a list of texts.")


_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)


def reason(text: str) -> str:
    """Why a line that cannot be decoded cannot, and in which stream and column, as the end of a sentence.

    No value is repeated. A record of a BATCH file is told of as `{"record": ...}`.
    """
    for part, names in _values(text):
        if part in {"NaN", "Infinity", "-Infinity"}:
            return f"holds {part}{_place(text, names)}, which is no JSON. Have the tap send null instead."
        if part.lstrip("-").isdigit() and len(part) > MOST_DIGITS:
            return f"holds an integer of more than {MOST_DIGITS:,} digits{_place(text, names)}, which cannot be loaded."
        if len(names) > MOST_LEVELS:
            return f"nests more than {MOST_LEVELS} levels{_place(text, names)}, which cannot be loaded."
    return "is not JSON in UTF-8."


def _place(text: str, names: list[str]) -> str:
    streams = (part[1:-1] for part, within in _values(text) if within == ["stream"])
    place = [f"stream {stream!r}" for stream in list(streams)[:1]]
    if names[:1] == ["record"] and len(names) > 1:
        place.append(f"column {names[1]!r}")
    return f" in {', '.join(place)}" if place else ""


def _values(text: str) -> Iterator[tuple[str, list[str]]]:
    """The scalars and opening brackets of JSON text, each with the names of the properties that lead to it."""
    names: list[str] = []
    before = ""
    for part in (match[0] for match in _PART.finditer(text)):
        if part in "[{":
            yield part, names
            names.append("")
        elif part in "]}":
            del names[-1:]
        elif part == ":":
            names[-1:] = [before[1:-1]] if names else []
        elif part != "," and (before == ":" or not part.startswith('"')):
            yield part, names
        before = part
