"""Records that fit the schema of their stream, whatever the API sends.

A value that does not fit its column (an object instead of a string, a number, `""` or `"soon"` instead of a date-time)
must not end the run: the column is null in that record, and `_extra` keeps the value.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Union

import msgspec
from jsonschema import Draft7Validator

from tap_common.state.timestamps import instant_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from singer_sdk.helpers.types import Record

EXTRA = "_extra"
"""Column of fields that the schema lacks, and of values that do not fit their columns."""
ROW = "_row"
"""Field of `_extra` for a row that is not an object."""

_TYPES: Mapping[str, Any] = {
    "null": None,
    "boolean": bool,
    "integer": int,
    "number": float,
    "string": str,
    "array": list,
    "object": dict,
}
# JSON schema keywords of a column that msgspec can check by its type.
_PLAIN = {"type", "format", "properties", "items", "required", "title", "description", "default", "examples"}
# Fields of an object that replace it in a column of strings.
_REFERENCES = ("uri", "id")
# Stand-ins for missing keys that are date-times begin here: no record is that old.
_NEVER = datetime(1900, 1, 1, tzinfo=UTC)


def as_object(sent: Any) -> Record:
    """Return an item of a list as an object: itself, or `{"_row": item}`."""
    return sent if isinstance(sent, dict) else {ROW: sent}


class Conformer:
    """Makes records fit a JSON schema.

    Nearly every record fits. msgspec checks it in one step, except for date-times, which are checked one by one. Only a
    record that fails is checked value by value.
    """

    def __init__(self, schema: Mapping[str, Any], keys: Collection[str]) -> None:
        self._columns: Mapping[str, Any] = schema.get("properties") or {}
        self._keys = [key for key in keys if key in self._columns]
        self._times = [name for name, column in self._columns.items() if _is_time(column)]
        self._check = _checker(self._columns)

    def fits(self, record: Record) -> bool:
        """Return True if a record fits its schema and has its primary key; may be False for some that fit."""
        try:
            self._check(record)
        except (msgspec.ValidationError, ValueError):
            return False
        for name in self._times:
            value = record.get(name)
            if value is not None and not _is_date_time(value):
                return False
        return all(record.get(key) is not None for key in self._keys)

    def conform(self, record: Record) -> Iterator[str]:
        """Change a record to fit; yield the path of each field that did not, such as `cancellation.reason`."""
        originals: Record = {}
        for name, column in self._columns.items():
            value = record.get(name)
            if value is None or name == EXTRA:
                continue
            odd: list[str] = []
            fitting = _fitting(value, column, name, odd)
            if odd:
                originals[name], record[name] = value, fitting
                yield from odd
        if originals and EXTRA in self._columns:
            record[EXTRA] = {**(record.get(EXTRA) or {}), **originals}
        for key in self._keys:
            if record.get(key) is None:
                record[key] = _stand_in(self._columns[key], record, originals.get(key))
                if key not in originals:
                    yield key


def _is_date_time(value: Any) -> bool:
    """Return True if a value is a date-time with a date as in JSON Schema, `2026-01-31`."""
    return instant_or_none(value) is not None and value[4:5] == value[7:8] == "-"


def _is_time(column: Mapping[str, Any]) -> bool:
    return column.get("format") == "date-time" and "string" in kinds(column)


def kinds(column: Mapping[str, Any]) -> list[str]:
    """Return the types in a column's schema."""
    types = column.get("type") or []
    return types if isinstance(types, list) else [types]


def _is_plain(column: Any) -> bool:
    """Return True if a schema restricts values only by their types."""
    if not isinstance(column, dict) or not kinds(column) or not _TYPES.keys() >= set(kinds(column)):
        return False
    if any(name not in _PLAIN and not name.startswith("x-") for name in column):
        return False
    inner = [*(column.get("properties") or {}).values(), *([column["items"]] if "items" in column else [])]
    return all(map(_is_plain, inner))


def _checker(columns: Mapping[str, Any]) -> Callable[[Record], object]:
    """Return a function that raises an error for a record that does not fit."""
    plain = {name: column for name, column in columns.items() if _is_plain(column)}
    others = {name: column for name, column in columns.items() if name not in plain}
    row = _struct(plain, str)  # `fits` checks its date-times
    rest = Draft7Validator({"properties": others}) if others else None

    def check(record: Record) -> None:
        msgspec.convert(record, row)
        if rest is not None and not rest.is_valid(record):
            raise ValueError

    return check


def _struct(columns: Mapping[str, Any], time: type) -> type[msgspec.Struct]:
    """Return a struct with these columns; `time` is the type of its date-times."""
    names = {f"c{place}": name for place, name in enumerate(columns)}
    fields = [(key, _type(columns[name], time), None) for key, name in names.items()]
    return msgspec.defstruct("Row", fields, rename=names, gc=False)


def _type(column: Mapping[str, Any], time: type) -> Any:
    """Return the Python types that a plain schema allows; always None, too, as keys are checked by `fits`."""
    options: list[Any] = [None]
    for kind in kinds(column):
        if kind == "object" and column.get("properties"):
            options.append(_struct(column["properties"], datetime))
        elif kind == "array" and "items" in column:
            options.append(list[_type(column["items"], datetime)])  # type: ignore[misc]  # made as the schema says
        elif kind == "string" and column.get("format") == "date-time":
            options.append(time)
        else:
            options.append(_TYPES[kind])
    return Union[tuple(options)]  # noqa: UP007  # of as many as the schema has


def _fitting(value: Any, column: Any, path: str, odd: list[str]) -> Any:
    """Return a value without the parts that do not fit its column; add their paths to `odd`."""
    if value is None or not isinstance(column, dict):
        return value
    allowed = kinds(column)
    if isinstance(value, dict) and "object" in allowed:
        inner = column.get("properties") or {}
        return {name: _fitting(item, inner.get(name), f"{path}.{name}", odd) for name, item in value.items()}
    if isinstance(value, list) and "array" in allowed:
        return [_fitting(item, column.get("items"), path, odd) for item in value]
    if _holds(column, allowed, value):
        return value
    odd.append(path)
    if isinstance(value, dict):
        references = (value.get(name) for name in _REFERENCES)
        return next((found for found in references if found is not None and _holds(column, allowed, found)), None)
    return None


def _holds(column: Mapping[str, Any], allowed: Collection[str], value: Any) -> bool:
    if not _is_plain(column):
        return bool(Draft7Validator(column).is_valid(value))
    if isinstance(value, str):
        return "string" in allowed and (column.get("format") != "date-time" or _is_date_time(value))
    if isinstance(value, bool):
        return "boolean" in allowed
    if isinstance(value, int | float):
        # An integer may be larger than any float.
        return "number" in allowed or ("integer" in allowed and (isinstance(value, int) or value.is_integer()))
    return False


def _stand_in(column: Mapping[str, Any], record: Record, original: Any) -> Any:
    """Return a stand-in for a missing or unusable key, a digest of the record: equal for equal records only."""
    if isinstance(original, int | float) and not isinstance(original, bool) and column.get("format") is None:
        return str(original)
    # Columns that the tap adds, such as the time of the run, are not part of the digest.
    own = {name: value for name, value in record.items() if name == EXTRA or not name.startswith("_")}
    digest = sha256(msgspec.json.encode(own, order="sorted")).hexdigest()
    if column.get("format") == "date-time":
        return (_NEVER + timedelta(seconds=int(digest[:7], 16))).isoformat()
    return int(digest[:7], 16) if "string" not in kinds(column) else f"unknown-{digest[:32]}"
