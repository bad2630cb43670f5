"""The shape that each Singer message must have, and the reason why a line cannot be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_duckdb.columns import BIGINT_BITS
from target_duckdb.printable import is_name, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_duckdb.columns import Json

MOST_DIGITS, MOST_LEVELS, MOST_WALKED = 4300, 500, 100
"""Digits of an integer that Python reads; levels of nesting of a message, and of a schema or a state."""
MOST_PROPERTIES = 100_000
"""Properties of a stream: far more than columns are loaded, and few enough to be looked at."""
NO_JSON = "is not JSON in UTF-8."
"""The reason where no other is found."""

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
_WALKED = {"SCHEMA": "schema", "STATE": "value"}


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
        of = f", {kind}" if isinstance(kind, str) and re.fullmatch("[A-Z_]{1,30}", kind) else ""
        raise InvalidInputLine(f"Line {line} of the input is a message of an unknown type{of}.")
    required = _REQUIRED[kind]
    article = "an" if kind.startswith("A") else "a"
    if missing := sorted(required.keys() - message.keys()):
        raise InvalidInputLine(
            f"Line {line} of the input: {article.title()} {kind} message lacks {', '.join(missing)}."
        )
    stream = message.get("stream")
    where = (
        f"stream {named(stream)}, line {line} of the input" if isinstance(stream, str) else f"Line {line} of the input"
    )
    for name, (what, fits) in required.items():
        if not fits(message[name]):
            raise InvalidInputLine(f"{where}: the {name} of {article} {kind} message is not {what}.")
    if (walked := _WALKED.get(kind)) and _nests(message[walked]):
        raise InvalidInputLine(f"{where}: the {walked} of a {kind} message nests more than {MOST_WALKED} levels.")
    if kind == "SCHEMA":
        _check_schema(message, where)


def _check_schema(message: dict[str, Json], where: str) -> None:
    properties = message["schema"].get("properties")
    if not isinstance(properties, dict):
        raise InvalidInputLine(f"{where}: the schema has no properties, or they are not an object.")
    if len(properties) > MOST_PROPERTIES:
        raise InvalidInputLine(
            f"{where}: the schema has {len(properties):,} properties, and {MOST_PROPERTIES:,} are the most that are "
            "read, stream_maps or not. Have the tap select fewer."
        )
    keys = message.get("key_properties")
    if not (keys is None or _are_texts(keys)):
        raise InvalidInputLine(f"{where}: the key_properties of a SCHEMA message are not a list of texts.")


def _nests(value: Json) -> bool:
    """Return whether a value nests too deep to be walked."""
    nested = [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_WALKED):
        if not nested:
            return False
        within = (inner for one in nested for inner in (one.values() if isinstance(one, dict) else one))
        nested = [inner for inner in within if isinstance(inner, dict | list)]
    return bool(nested)


_PART = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)


def reason(text: str) -> str:
    """Why a line that cannot be decoded cannot, and in which stream and column, as the end of a sentence.

    No value is repeated. A record of a BATCH file is told of as `{"record": ...}`.
    """
    for part, names in _values(text):
        if part in {"NaN", "Infinity", "-Infinity"}:
            return f"holds {part}{place(text, names)}, which is no JSON. Have the tap send null instead."
        if part.lstrip("-").isdigit() and len(part) > MOST_DIGITS:
            return f"holds an integer of more than {MOST_DIGITS:,} digits{place(text, names)}, which cannot be loaded."
        if part in "[{" and len(names) >= MOST_LEVELS:
            return f"nests more than {MOST_LEVELS} levels{place(text, names)}, which cannot be loaded."
    return NO_JSON


def place(text: str, names: list[str]) -> str:
    """Return the stream and the column of a value of a line, as the end of a clause; empty where none is found.

    Args:
        text: The line.
        names: Names of the properties that lead to the value.
    """
    streams = (part[1:-1] for part, within in _values(text) if within == ["stream"])
    found = [f"stream {named(stream)}" for stream in list(streams)[:1]]
    if names[:1] == ["record"] and len(names) > 1 and is_name(names[1]):
        found.append(f"column {named(names[1])}")
    return f" in {', '.join(found)}" if found else ""


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
