"""Checks of Singer messages, and reasons why a line cannot be decoded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_duckdb.columns import BIGINT_BITS
from target_duckdb.printable import is_name, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_duckdb.columns import Json

MAX_DIGITS, MAX_DEPTH, MAX_SCHEMA_DEPTH = 4300, 500, 100
"""Maximum digits of an integer (Python's limit), nesting of a message, and nesting of a schema or a state."""
MAX_PROPERTIES = 100_000
"""Maximum properties of a stream: far more than columns are loaded, and few enough to be looked at."""
NOT_JSON = "is not JSON in UTF-8."
"""Reason if no other is found."""

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
_DEEP = {"SCHEMA": "schema", "STATE": "value"}


def check(message: dict[str, Json], line: int) -> None:
    """Raise InvalidInputLine if a message is not a valid Singer message.

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
        f"stream {quoted(stream)}, line {line} of the input" if isinstance(stream, str) else f"Line {line} of the input"
    )
    for name, (what, fits) in required.items():
        if not fits(message[name]):
            raise InvalidInputLine(f"{where}: the {name} of {article} {kind} message is not {what}.")
    if (deep := _DEEP.get(kind)) and _nests(message[deep]):
        raise InvalidInputLine(f"{where}: the {deep} of a {kind} message nests more than {MAX_SCHEMA_DEPTH} levels.")
    if kind == "SCHEMA":
        _check_schema(message, where)


def _check_schema(message: dict[str, Json], where: str) -> None:
    properties = message["schema"].get("properties")
    if not isinstance(properties, dict):
        raise InvalidInputLine(f"{where}: the schema has no properties, or they are not an object.")
    if len(properties) > MAX_PROPERTIES:
        raise InvalidInputLine(
            f"{where}: the schema has {len(properties):,} properties, and {MAX_PROPERTIES:,} are the most that are "
            "read, stream_maps or not. Have the tap select fewer."
        )
    keys = message.get("key_properties")
    if not (keys is None or _are_texts(keys)):
        raise InvalidInputLine(f"{where}: the key_properties of a SCHEMA message are not a list of texts.")


def _nests(value: Json) -> bool:
    """Return whether a value is nested too deeply for a schema or a state."""
    nested = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_SCHEMA_DEPTH):
        if not nested:
            return False
        within = (inner for one in nested for inner in (one.values() if isinstance(one, dict) else one))
        nested = [inner for inner in within if isinstance(inner, dict | list)]
    return bool(nested)


_PART = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)


def decode_error(text: str) -> str:
    """Return the reason why a line cannot be decoded, with stream and column, as the end of a sentence.

    The reason quotes no value. Pass a record of a BATCH file as `{"record": ...}`.
    """
    for part, names in _values(text):
        if part in {"NaN", "Infinity", "-Infinity"}:
            return f"holds {part}{location(text, names)}, which is not JSON. Have the tap send null instead."
        if part.lstrip("-").isdigit() and len(part) > MAX_DIGITS:
            return (
                f"holds an integer of more than {MAX_DIGITS:,} digits{location(text, names)}, which cannot be loaded."
            )
        if part in "[{" and len(names) >= MAX_DEPTH:
            return f"nests more than {MAX_DEPTH} levels{location(text, names)}, which cannot be loaded."
    return NOT_JSON


def location(text: str, names: list[str]) -> str:
    """Return the stream and the column of a value of a line, as the end of a clause; empty if none is found.

    Args:
        text: The line.
        names: Names of the properties that lead to the value.
    """
    streams = (part[1:-1] for part, within in _values(text) if within == ["stream"])
    found = [f"stream {quoted(stream)}" for stream in list(streams)[:1]]
    if names[:1] == ["record"] and len(names) > 1 and is_name(names[1]):
        found.append(f"column {quoted(names[1])}")
    return f" in {', '.join(found)}" if found else ""


def _values(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the scalars and opening brackets of JSON text, each with the names of the properties that lead to it."""
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
