"""DuckDB types for JSON schemas, and how a value becomes exactly one value of such a type."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import msgspec

from target_duckdb.keys import KEY_FITS, entering, widened_key

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any
"""A decoded JSON value: str, int, Decimal, bool, None, list or dict."""

_encoder = msgspec.json.Encoder(decimal_format="number")
encode = _encoder.encode
"""JSON as UTF-8 bytes without insignificant whitespace; every number keeps all its digits."""
encode_into = _encoder.encode_into
"""The same, into a bytearray."""

BIGINT_BITS, HUGEINT_BITS = 63, 127
MOST_DIGITS = 40  # a HUGEINT has 39

_STRING_FORMATS = {"date-time": "TIMESTAMPTZ", "date": "DATE"}
_SCALARS = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
_SAME_AS = {  # types that another program may have given a column, and the one of ours that holds the same values
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"), "BIGINT"),
    "UBIGINT": "HUGEINT",
    "FLOAT": "DOUBLE",
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS"), "TIMESTAMPTZ"),
}
_NESTED = ("STRUCT(", "MAP(", "UNION(")
_OURS = {"BIGINT", "HUGEINT", "DOUBLE", "BOOLEAN", "VARCHAR", "TIMESTAMPTZ", "DATE", "JSON"}


def column_type(schema: Json) -> str:
    """DuckDB type that holds every value the JSON schema of a property allows; JSON where no narrower one does."""
    types = _types(schema)
    if types == {"BIGINT", "DOUBLE"}:
        return "DOUBLE"
    if types <= {"VARCHAR", *_STRING_FORMATS.values()} and len(types) > 1:
        return "VARCHAR"
    if types == {"BIGINT", "HUGEINT"}:
        return "HUGEINT"
    return types.pop() if len(types) == 1 else "JSON"


def _types(schema: Json) -> set[str]:
    """Types of all alternatives of a schema, null left out."""
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
    """Whether a JSON schema allows null, in whichever way it says so."""
    if not isinstance(schema, dict):
        return schema is not False
    if "type" in schema:
        return "null" in schema["type"] if isinstance(schema["type"], list) else schema["type"] == "null"
    options = [option for union in ("anyOf", "oneOf") for option in _options(schema, union)]
    return any(map(allows_null, options)) if options else all(map(allows_null, _options(schema, "allOf")))


def allows_nested(schema: Json) -> bool:
    """Whether a JSON schema allows an object or an array."""
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
    """The name by which we call a type that DuckDB reports."""
    return "TIMESTAMPTZ" if name == "TIMESTAMP WITH TIME ZONE" else name


def known_type(name: str) -> str:
    """One of our types for the type of an existing column; VARCHAR for any type that is not ours."""
    return _SAME_AS.get(name, name if name in _OURS else "VARCHAR")


def widened(old: str, new: str) -> str:
    """Narrowest of our types that holds what a column of type `old` holds and what a property of type `new` brings."""
    if old == new:
        return old
    if "JSON" in (old, new):
        return "JSON"
    for ladder in (("BIGINT", "HUGEINT"), ("BIGINT", "DOUBLE"), ("HUGEINT", "DOUBLE")):
        if {old, new} == set(ladder):
            return ladder[1]
    return "VARCHAR"


def quoted(name: str) -> str:
    """An SQL identifier that stands for exactly this name."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string literal that stands for exactly this text."""
    return "'" + text.replace("'", "''") + "'"


def _integer(bits: int) -> Callable[[Json], int]:
    def fit(value: Json) -> int:
        if type(value) is Decimal and value.adjusted() < MOST_DIGITS and value == value.to_integral_value():
            value = int(value)
        if type(value) is not int:
            raise ValueError("is not an integer")
        if not -(1 << bits) <= value < 1 << bits:
            raise ValueError(f"does not fit into {bits + 1} bits")
        return value

    return fit


_bigint, _hugeint = _integer(BIGINT_BITS), _integer(HUGEINT_BITS)


def _double(value: Json) -> float:
    if type(value) is msgspec.Raw:  # a number whose exponent is beyond those of Decimal
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
        raise ValueError("is an integer that the column's type DOUBLE cannot hold exactly")
    return number


def _key_double(value: Json) -> float:
    number = _double(value)
    if number != value and Decimal(repr(number)) != value:  # another key would become the same double
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


def _text_unless_blank(value: Json) -> str | None:
    text = _string(value)
    return text if text.strip() else None


class _Form(NamedTuple):
    """How values of a column travel: what they become in Python, the type DuckDB reads, and the final expression."""

    fit: Callable[[Json], Json]
    read_as: str
    pattern: str = ""


_MINUTES = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d([Zz]|[+-]\d\d(:?\d\d)?)?"
"""A date-time without seconds."""

_FORMS = {
    "BIGINT": _Form(_bigint, "BIGINT"),
    "HUGEINT": _Form(lambda value: str(_hugeint(value)), "VARCHAR"),
    "DOUBLE": _Form(_double, "DOUBLE"),
    "BOOLEAN": _Form(_boolean, "BOOLEAN"),
    "VARCHAR": _Form(_text, "VARCHAR"),
    "JSON": _Form(_json, "VARCHAR"),
    "TIMESTAMPTZ": _Form(
        _string,
        "VARCHAR",
        r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d(:?\d\d)?)?)?",
    ),
    "DATE": _Form(_string, "VARCHAR", r"\d{4}-\d\d-\d\d([Tt ]00:00(:00(\.0+)?)?([Zz]|[+-]00(:?00)?)?)?"),
}


@dataclass(frozen=True)
class Column:
    """One property of a stream and the column it is stored in.

    Attributes:
        key: Name that says nothing about the property, such as `c0`.
        source: Name of the property in a record.
        name: Name of the column.
        staged: Name of the value within a staged row.
        type: DuckDB type of the column, which may be wider than the property asks for.
        declared: DuckDB type that the property asks for.
        is_key: Whether the property is one of the key.
        takes_blanks: Whether a text without a character but blanks is no date or time, and no error either.
    """

    key: str
    source: str
    name: str
    staged: str
    type: str
    declared: str
    is_key: bool
    takes_blanks: bool

    @property
    def fit(self) -> Callable[[Json], Json]:
        """Turn a value that is not null into what is staged; ValueError with a reason that does not hold the value.

        None comes of blanks where a date or a time is meant, and may be missing.
        """
        if self.takes_blanks and self.is_moment:
            return _text_unless_blank
        if self.type == "DOUBLE" and self.declared in {"BIGINT", "HUGEINT"}:
            return _exact_double
        if self.is_key and self.type == "DOUBLE":
            return _key_double
        return KEY_FITS.get(self.type, _FORMS[self.type].fit) if self.is_key else _FORMS[self.type].fit

    @property
    def is_moment(self) -> bool:
        """Whether it holds dates or times."""
        return self.type in _STRING_FORMATS.values()

    @property
    def is_of_its_type(self) -> bool:
        """Whether a value that is as the property's schema says is of the column's type, too."""
        return self.type == self.declared or (self.type == "VARCHAR" and self.declared in _STRING_FORMATS.values())

    @property
    def read_as(self) -> str:
        """DuckDB type in which the staged value is read."""
        return _FORMS[self.type].read_as

    def expression(self) -> str:
        """SQL that turns the staged value into the column's; where it is none, it fails with the column's key."""
        pattern = _FORMS[self.type].pattern
        if self.is_key and self.type == "VARCHAR":
            return entering(self.key, self.declared)
        if not pattern:
            return self.key if self.read_as == self.type else f"{self.key}::{self.type}"
        what = {"DATE": "a date", "TIMESTAMPTZ": "a date-time"}[self.type]
        complaint = literal(f"{self.key} is not {what}")
        staged = f"upper({self.key})" if self.type == "TIMESTAMPTZ" else f"left({self.key}, 10)"
        # DuckDB reads no time without seconds that names its zone.
        full = f"left({staged}, 16) || ':00' || substr({staged}, 17)"
        minutes = f"WHEN regexp_full_match({self.key}, {literal(_MINUTES)}) THEN try_cast({full} AS {self.type}) "
        blank = f" OR trim({self.key}) = ''" if self.takes_blanks else ""
        return (
            f"CASE WHEN {self.key} IS NULL{blank} THEN NULL ELSE coalesce("
            f"CASE WHEN regexp_full_match({self.key}, {literal(pattern)}) THEN try_cast({staged} AS {self.type}) "
            f"{minutes if self.type == 'TIMESTAMPTZ' else ''}END, error({complaint})) END"
        )


_QUOTED, _NO_JSON = r'"(\\.|[^"\\])*"', r"(?i)nan|inf|,\s*[\]}]"
"""Strings within JSON, and what DuckDB takes for JSON beside them, and nobody else does."""


def converted(name: str, old: str, new: str, *, is_key: bool = False, nested: bool = False) -> str:
    """SQL that turns a column's existing values into the wider type `new` without losing any of them.

    Args:
        name: Name of the column.
        old: Its type.
        new: Its new type.
        is_key: Whether it is one of the key.
        nested: Whether text that is a JSON object or array becomes that, and not a JSON string.
    """
    column = quoted(name)
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
