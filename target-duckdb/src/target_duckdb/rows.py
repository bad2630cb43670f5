"""Decoders from a record's JSON text to a row to stage, by msgspec.

Each stream has two. The fast one relies on msgspec's types where they are as exact as `Column.fit`, and on `fit` for
the other columns; the second one relies on `fit` for all of them. A record that neither can decode (because of an
unknown property, a missing key, half a surrogate pair, a value of the wrong type) is not staged here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from target_duckdb.columns import Column, Json

Bigint = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]

_NATIVE: dict[str, Any] = {
    "BIGINT": Bigint,
    "DOUBLE": float,
    "BOOLEAN": bool,
    "VARCHAR": str,
    "TIMESTAMPTZ": Annotated[str, msgspec.Meta(min_length=10)],  # a shorter string is not a date, and may be blank
    "DATE": Annotated[str, msgspec.Meta(min_length=10)],
}
"""Python types that msgspec reads from JSON and writes to it exactly as `Column.fit` does."""


class Line(msgspec.Struct, gc=False):
    """A RECORD message with its record not decoded yet."""

    type: Literal["RECORD"]
    stream: str
    record: msgspec.Raw
    version: Bigint | None = None
    time_extracted: str | None = None


read_line = msgspec.json.Decoder(Line).decode
"""Decode a RECORD message; raises msgspec.DecodeError or UnicodeError for any other or unusual line."""


class Decoder(NamedTuple):
    """A decoder of records; `decode` raises msgspec.DecodeError or ValueError.

    Attributes:
        decode: Function from JSON text to an object with an attribute for each column, named by the column's key.
        fits: Attributes that need a conversion, and the conversion.
        ignored: Attributes that are not staged.
    """

    decode: Callable[[msgspec.Raw | bytes | str], Any]
    fits: Sequence[tuple[str, Callable[[Json], Json]]]
    ignored: Sequence[str]


def decoders(columns: Sequence[Column], keys: Collection[str], ignored: Collection[str]) -> list[Decoder]:
    """Return the two decoders of a stream; none if its property names cannot be those of the staged values.

    Args:
        columns: The stream's columns.
        keys: Key properties, which every record must have.
        ignored: Properties that a record may have and that are not loaded.
    """
    if not columns or any(column.staged != column.source for column in columns):
        return []
    try:
        return [_decoder(columns, keys, sorted(ignored), native=native) for native in (True, False)]
    except ValueError:  # msgspec refuses names with a quote, a backslash or a control character
        return []


def _decoder(columns: Sequence[Column], keys: Collection[str], ignored: Sequence[str], *, native: bool) -> Decoder:
    fields: list[tuple[str, Any] | tuple[str, Any, None]] = []
    fits, required = [], []
    for column in columns:
        kind = _NATIVE.get(column.type) if native and column.matches_declared_type else None
        if column.is_key and column.type == "DOUBLE":  # msgspec rounds to a float, perhaps that of another key
            kind = None
        if kind is None:
            fits.append((column.key, column.fit))
        if column.source not in keys:
            fields.append((column.key, Any if kind is None else kind | None, None))
        elif kind is None:
            fields.append((column.key, Any))
            required.append(column.key)
        else:
            fields.append((column.key, kind))
    names = {column.key: column.source for column in columns}
    dropped = {f"u{index}": name for index, name in enumerate(ignored)}
    row = msgspec.defstruct(
        "Row",
        [*fields, *((key, Any, None) for key in dropped)],
        rename=names | dropped,
        forbid_unknown_fields=True,
        omit_defaults=True,
        kw_only=True,
        gc=False,
    )
    decode = msgspec.json.Decoder(row, float_hook=Decimal).decode
    return Decoder(_without_null(decode, required) if required else decode, fits, list(dropped))


def _without_null(
    decode: Callable[[msgspec.Raw | bytes | str], Any], required: Sequence[str]
) -> Callable[[msgspec.Raw | bytes | str], Any]:
    """Return a decoder that raises ValueError if one of these attributes is null."""

    def checked(text: msgspec.Raw | bytes | str) -> Any:
        row = decode(text)
        if any(getattr(row, key) is None for key in required):
            raise ValueError("a key has no value")
        return row

    return checked
