"""DuckDB types for JSON schemas, and exact conversions of values to them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import msgspec

from target_duckdb.keys import KEY_FITS, staged_key, widened_key

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any
"""A decoded JSON value: str, int, Decimal, bool, None, list or dict."""

_encoder = msgspec.json.Encoder(decimal_format="number")
encode = _encoder.encode
"""Encode as JSON in UTF-8 without insignificant whitespace; every number keeps all its digits."""
encode_into = _encoder.encode_into
"""Encode as `encode` does, into a bytearray."""

BIGINT_BITS, HUGEINT_BITS = 63, 127
_HUGEINT_DIGITS = 40  # a HUGEINT has 39

_STRING_FORMATS = {"date-time": "TIMESTAMPTZ", "date": "DATE"}
_SCALARS = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
_SAME_AS = {  # type of a column of another loader -> our type for the same values
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"), "BIGINT"),
    "UBIGINT": "HUGEINT",
    "FLOAT": "DOUBLE",
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS"), "TIMESTAMPTZ"),
}
_NESTED = ("STRUCT(", "MAP(", "UNION(")
_TYPES = {"BIGINT", "HUGEINT", "DOUBLE", "BOOLEAN", "VARCHAR", "TIMESTAMPTZ", "DATE", "JSON"}


def column_type(schema: Json) -> str:
    """Return the narrowest DuckDB type for all values that the JSON schema of a property allows; JSON in doubt."""
    types = _types(schema)
    if types == {"BIGINT", "DOUBLE"}:
        return "DOUBLE"
    if types <= {"VARCHAR", *_STRING_FORMATS.values()} and len(types) > 1:
        return "VARCHAR"
    if types == {"BIGINT", "HUGEINT"}:
        return "HUGEINT"
    return types.pop() if len(types) == 1 else "JSON"


def _types(schema: Json) -> set[str]:
    """Return the types of all alternatives of a schema except null."""
    if not isinstance(schema, dict):
        return {"JSON"}
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {_type(name, schema) for name in names if name != "null"} or {"JSON"}
    for union in ("anyOf", "oneOf", "allOf"):
        if alternatives := [option for option in _options(schema, union) if option != {"type": "null"}]:
            if union == "allOf" and len(alternatives) > 1:
                return {"JSON"}
            return set[str]().union(*map(_types, alternatives))
    return {"JSON"}


def allows_null(schema: Json) -> bool:
    """Return whether a JSON schema allows null."""
    if not isinstance(schema, dict):
        return schema is not False
    if "type" in schema:
        return "null" in schema["type"] if isinstance(schema["type"], list) else schema["type"] == "null"
    options = [option for union in ("anyOf", "oneOf") for option in _options(schema, union)]
    return any(map(allows_null, options)) if options else all(map(allows_null, _options(schema, "allOf")))


def allows_nested(schema: Json) -> bool:
    """Return whether a JSON schema allows an object or an array."""
    if not isinstance(schema, dict):
        return True
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return any(name in types for name in ("object", "array"))
    options = [option for union in ("anyOf", "oneOf") for option in _options(schema, union)]
    return any(map(allows_nested, options)) if options else all(map(allows_nested, _options(schema, "allOf")))


def _options(schema: dict[str, Json], union: str) -> list[Json]:
    options = schema.get(union)
    return options if isinstance(options, list) else []


def _type(name: Json, schema: dict[str, Json]) -> str:
    if name == "string":
        return _STRING_FORMATS.get(str(schema.get("format")), "VARCHAR")
    if name == "integer":
        limits = [schema.get(key, 0) for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")]
        wide = any(_is_number(limit) and not -(1 << BIGINT_BITS) <= limit < 1 << BIGINT_BITS for limit in limits)
        return "HUGEINT" if wide else "BIGINT"
    return _SCALARS.get(str(name), "JSON")


def _is_number(value: Json) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def short_type(name: str) -> str:
    """Return our name for a type that DuckDB reports."""
    return "TIMESTAMPTZ" if name == "TIMESTAMP WITH TIME ZONE" else name


def known_type(name: str) -> str:
    """Return our type for the type of an existing column; VARCHAR for any other type."""
    return _SAME_AS.get(name, name if name in _TYPES else "VARCHAR")


def common_type(old: str, new: str) -> str:
    """Return the narrowest of our types that holds all values of both types."""
    if old == new:
        return old
    if "JSON" in (old, new):
        return "JSON"
    for ladder in (("BIGINT", "HUGEINT"), ("BIGINT", "DOUBLE"), ("HUGEINT", "DOUBLE")):
        if {old, new} == set(ladder):
            return ladder[1]
    return "VARCHAR"


def identifier(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _integer(bits: int) -> Callable[[Json], int]:
    def fit(value: Json) -> int:
        if type(value) is Decimal and value.adjusted() < _HUGEINT_DIGITS and value == value.to_integral_value():
            value = int(value)
        if type(value) is not int:
            raise ValueError("is not an integer")
        if not -(1 << bits) <= value < 1 << bits:
            raise ValueError(f"does not fit into {bits + 1} bits")
        return value

    return fit


_bigint, _hugeint = _integer(BIGINT_BITS), _integer(HUGEINT_BITS)


def _double(value: Json) -> float:
    if type(value) is msgspec.Raw:  # a number with an exponent that Decimal cannot hold
        value = float(bytes(value))
    if type(value) is not Decimal and type(value) is not int and type(value) is not float:
        raise ValueError("is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number - number != 0:  # infinite, or not a number
        raise ValueError("does not fit into a DOUBLE")
    return number


def _exact_double(value: Json) -> float:
    number = _double(value)
    if number != value:
        raise ValueError("is an integer that a column of type DOUBLE cannot hold exactly")
    return number


def _key_double(value: Json) -> float:
    number = _double(value)
    if number != value and Decimal(repr(number)) != value:  # another key may become the same double
        raise ValueError("is a number that a key in a column of type DOUBLE cannot hold exactly")
    return number


def _boolean(value: Json) -> bool:
    if type(value) is not bool:
        raise ValueError("is not a boolean")
    return value


def _text(value: Json) -> str:
    return value if type(value) is str else encode(value).decode()


def _json(value: Json) -> str:
    return encode(value).decode()


def _string(value: Json) -> str:
    if type(value) is not str:
        raise ValueError("is not a string")
    return value


def _text_or_null(value: Json) -> str | None:
    text = _string(value)
    return text if text.strip() else None


class _Conversion(NamedTuple):
    """Conversion of a column's values: a Python function, the staged type, and a pattern for DuckDB."""

    fit: Callable[[Json], Json]
    read_as: str
    pattern: str = ""


_MINUTES = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d([Zz]|[+-]\d\d(:?\d\d)?)?"
"""Pattern of a date-time without seconds."""

_CONVERSIONS = {
    "BIGINT": _Conversion(_bigint, "BIGINT"),
    "HUGEINT": _Conversion(lambda value: str(_hugeint(value)), "VARCHAR"),
    "DOUBLE": _Conversion(_double, "DOUBLE"),
    "BOOLEAN": _Conversion(_boolean, "BOOLEAN"),
    "VARCHAR": _Conversion(_text, "VARCHAR"),
    "JSON": _Conversion(_json, "VARCHAR"),
    "TIMESTAMPTZ": _Conversion(
        _string,
        "VARCHAR",
        r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d(:?\d\d)?)?)?",
    ),
    "DATE": _Conversion(_string, "VARCHAR", r"\d{4}-\d\d-\d\d([Tt ]00:00(:00(\.0+)?)?([Zz]|[+-]00(:?00)?)?)?"),
}


@dataclass(frozen=True)
class Column:
    """One property of a stream and the column it is stored in.

    Attributes:
        key: Generated name, such as `c0`, for SQL and decoders.
        source: Name of the property in a record.
        name: Name of the column.
        staged: Name of the value in a staged row.
        type: DuckDB type of the column, which may be wider than `declared`.
        declared: DuckDB type for the property's JSON schema.
        is_key: True if the property is a key property.
        blank_is_null: True if a blank string is loaded as NULL in a column of dates or times.
    """

    key: str
    source: str
    name: str
    staged: str
    type: str
    declared: str
    is_key: bool
    blank_is_null: bool

    @property
    def fit(self) -> Callable[[Json], Json]:
        """Function from a value that is not null to the staged value.

        It returns None for a blank string if `blank_is_null`, and raises ValueError with a reason that does not quote
        the value.
        """
        if self.blank_is_null and self.is_moment:
            return _text_or_null
        if self.type == "DOUBLE" and self.declared in {"BIGINT", "HUGEINT"}:
            return _exact_double
        if self.is_key and self.type == "DOUBLE":
            return _key_double
        return KEY_FITS.get(self.type, _CONVERSIONS[self.type].fit) if self.is_key else _CONVERSIONS[self.type].fit

    @property
    def is_moment(self) -> bool:
        """True for a column of dates or times."""
        return self.type in _STRING_FORMATS.values()

    @property
    def matches_declared_type(self) -> bool:
        """True if every value that matches the property's schema is of the column's type."""
        return self.type == self.declared or (self.type == "VARCHAR" and self.declared in _STRING_FORMATS.values())

    @property
    def read_as(self) -> str:
        """DuckDB type of the staged value."""
        return _CONVERSIONS[self.type].read_as

    def expression(self) -> str:
        """Return SQL that casts the staged value to the column's type, or fails with the column's key."""
        pattern = _CONVERSIONS[self.type].pattern
        if self.is_key and self.type == "VARCHAR":
            return staged_key(self.key, self.declared)
        if not pattern:
            return self.key if self.read_as == self.type else f"{self.key}::{self.type}"
        what = {"DATE": "a date", "TIMESTAMPTZ": "a date-time"}[self.type]
        complaint = literal(f"{self.key} is not {what}")
        staged = f"upper({self.key})" if self.type == "TIMESTAMPTZ" else f"left({self.key}, 10)"
        # DuckDB does not parse a time with an offset and without seconds.
        full = f"left({staged}, 16) || ':00' || substr({staged}, 17)"
        minutes = f"WHEN regexp_full_match({self.key}, {literal(_MINUTES)}) THEN try_cast({full} AS {self.type}) "
        blank = f" OR trim({self.key}) = ''" if self.blank_is_null else ""
        return (
            f"CASE WHEN {self.key} IS NULL{blank} THEN NULL ELSE coalesce("
            f"CASE WHEN regexp_full_match({self.key}, {literal(pattern)}) THEN try_cast({staged} AS {self.type}) "
            f"{minutes if self.type == 'TIMESTAMPTZ' else ''}END, error({complaint})) END"
        )


_QUOTED, _NO_JSON = r'"(\\.|[^"\\])*"', r"(?i)nan|inf|,\s*[\]}]"
"""Patterns of a JSON string, and of invalid JSON that DuckDB accepts."""


def cast_expression(name: str, old: str, new: str, *, is_key: bool = False, nested: bool = False) -> str:
    """Return SQL that casts the existing values of a column to a wider type without loss.

    Args:
        name: Name of the column.
        old: Type of the column.
        new: New type of the column.
        is_key: True for a column of the key.
        nested: True if text that is a JSON object or array becomes that, and not a JSON string.
    """
    column = identifier(name)
    if is_key and (key := widened_key(column, old, new)):
        return key
    text = f"{column}::VARCHAR"
    if old in {"TIMESTAMPTZ", "TIMESTAMP"}:
        moment = f"{column} AT TIME ZONE 'UTC'" if old == "TIMESTAMPTZ" else column
        text = f"strftime({moment}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    if new == "VARCHAR":
        return f"to_json({column})::VARCHAR" if old.startswith(_NESTED) or old.endswith("]") else text
    if new == "JSON" and old == "VARCHAR" and nested:
        bare = f"regexp_replace({column}, {literal(_QUOTED)}, '', 'g')"
        return (
            f"CASE WHEN regexp_matches({column}, '^\\s*[{{\\[]') AND NOT regexp_matches({bare}, {literal(_NO_JSON)}) "
            f"AND json_valid({column}) THEN {column}::JSON ELSE to_json({column}) END"
        )
    if new == "JSON":
        return f"to_json({text if old in {'TIMESTAMPTZ', 'TIMESTAMP', 'DATE', 'VARCHAR'} else column})"
    return f"{column}::{new}"
