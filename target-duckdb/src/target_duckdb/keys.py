"""Equality of key values that are spelt differently.

A column of text or JSON holds numbers and times that a column of another type would compare by value: 1, 1.0 and "1",
or one instant with two offsets. Numbers are stored in one spelling. Other values, times in particular, are stored as
sent and compared by `identity`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_HUGE = 1 << 127
_DIGITS = 40  # a HUGEINT has 39
_TIME = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)?"
_DATE = r"\d{4}-\d\d-\d\d"
_MIDNIGHT = _DATE + r"[Tt ]00:00(:00(\.0+)?)?([Zz]|[+-]00(:?00)?)?"
_LIKE_A_TIME = "'____-__-___%'"
_NUMBERS = {"DOUBLE", "FLOAT"}


def number_text(value: int | Decimal) -> str:
    """Return the canonical spelling of a number: an integer, else the shortest double, else all digits."""
    if isinstance(value, int) or (value.adjusted() < _DIGITS and value == value.to_integral_value()):
        whole = int(value)
        if -_HUGE <= whole < _HUGE:
            return str(whole)
    try:
        double = float(value)
    except OverflowError:
        double = float("inf")
    if double - double == 0 and Decimal(repr(double)) == value:
        return repr(double)
    if isinstance(value, int):
        return str(value)
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits))
    shortest = text.rstrip("0") or "0"
    return str(Decimal((sign, tuple(map(int, shortest)), int(exponent) + len(text) - len(shortest))))


def _plain(value: Any) -> Any:
    """Return a JSON value with canonical numbers and sorted object keys."""
    if isinstance(value, dict):
        return {name: _plain(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if type(value) in {int, Decimal}:
        return msgspec.Raw(number_text(value).encode())
    return value


def json_key(value: Any) -> str:
    """Return the canonical spelling of a JSON value; raise ValueError if it is nested too deeply."""
    try:
        return msgspec.json.encode(_plain(value)).decode()
    except RecursionError:
        raise ValueError("is nested too deep for a key") from None


def text_key(value: Any) -> str:
    """Return a string as it is, and any other value in its canonical spelling."""
    return value if type(value) is str else json_key(value)


KEY_FITS: dict[str, Callable[[Any], str]] = {"VARCHAR": text_key, "JSON": json_key}
"""Conversions to the staged value of a key, for column types whose keys need their own."""


def staged_key(key: str, declared: str) -> str:
    """Return SQL for a staged key in a column of text; dates and times become what a column of their type stores."""
    if declared == "DATE":
        return f"CASE WHEN regexp_full_match({key}, '{_MIDNIGHT}') THEN left({key}, 10) ELSE {key} END"
    if declared == "TIMESTAMPTZ":
        cut = f"regexp_replace({key}, '^({_DATE}[Tt ]\\d\\d:\\d\\d:\\d\\d\\.\\d{{6}})\\d+', '\\1')"
        return f"CASE WHEN regexp_full_match({key}, '{_DATE}') THEN {key} || 'T00:00:00Z' ELSE {cut} END"
    return key


def text_of(name: str, kind: str) -> str:
    """Return SQL for the text of a key in a column of text or JSON."""
    return f"CASE WHEN {name} LIKE '\"%' THEN {name} ->> '$' ELSE {name}::VARCHAR END" if kind == "JSON" else name


def has_several_spellings(name: str, kind: str) -> str:
    """Return SQL for whether a key may have other spellings; cheaper than `identity`."""
    return {"JSON": "true", "VARCHAR": f"{name} LIKE {_LIKE_A_TIME}"}.get(kind, "false")


def identity(name: str, kind: str) -> str:
    """Return SQL for the one spelling that stands for all spellings of a key."""
    if kind not in KEY_FITS:
        return name
    text = text_of(name, kind)
    seconds = f"CASE WHEN substr({text}, 17, 1) = ':' THEN left({text}, 19) ELSE left({text}, 16) || ':00' END"
    zone = f"regexp_extract({text}, '([Zz]|[+-]\\d\\d(:?\\d\\d)?)$')"
    instant = f"try_cast(upper({seconds} || {zone}) AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    fraction = f"regexp_extract({text}, '\\.\\d+')"
    canonical = f"strftime({instant}, '%Y-%m-%dT%H:%M:%S') || rtrim({fraction}, '0.') || 'Z'"
    return (
        f"CASE WHEN {text} LIKE {_LIKE_A_TIME} AND regexp_full_match({text}, '{_TIME}') "
        f"THEN coalesce({canonical}, {text}) ELSE {text} END"
    )


def widened_key(column: str, old: str, new: str) -> str:
    """Return SQL that casts a numeric key to text or JSON in its canonical spelling; empty if a plain cast will do."""
    if new not in KEY_FITS:
        return ""
    if old in _NUMBERS:
        other = f"{column}::DOUBLE::VARCHAR"
    elif old.startswith("DECIMAL"):
        other = f"rtrim({column}::VARCHAR, '0')"
    else:
        return ""
    whole = f"{column} = trunc({column}) AND abs({column}::DOUBLE) < {_HUGE}::DOUBLE"
    text = f"CASE WHEN {whole} THEN {column}::HUGEINT::VARCHAR ELSE {other} END"
    return f"({text})::{new}"
