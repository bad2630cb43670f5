"""From a record's JSON text to a row to stage, by msgspec.

Two decoders are made for a stream. The first lets a value through only where msgspec's own types are as exact as
`Column.fit`, and leaves the other columns, JSON above all, to `fit`; the second leaves all of them to it. What neither
takes (an unknown property, a lacking key, half a surrogate pair, a value that fits nowhere) is not staged here.
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
    "TIMESTAMPTZ": Annotated[str, msgspec.Meta(min_length=10)],  # a shorter text is no date, and may be blank
    "DATE": Annotated[str, msgspec.Meta(min_length=10)],
}
"""Python types whose values msgspec reads from JSON, and writes to it, exactly as `Column.fit` does."""


class Line(msgspec.Struct, gc=False):
    """A RECORD message whose record is not decoded yet."""

    type: Literal["RECORD"]
    stream: str
    record: msgspec.Raw
    version: Bigint | None = None
    time_extracted: str | None = None


read_line = msgspec.json.Decoder(Line).decode
"""A line to a RECORD message; msgspec.DecodeError or UnicodeError if it is none, or an unusual one."""


class Decoder(NamedTuple):
    """How the text of a record becomes a row; its `decode` raises msgspec.DecodeError or ValueError.

    Attributes:
        decode: JSON text to an object with an attribute for each column, called by the column's key.
        fits: Attributes whose values are not exact yet, and what makes them so.
        ignored: Attributes that are not staged.
    """

    decode: Callable[[msgspec.Raw | bytes | str], Any]
    fits: Sequence[tuple[str, Callable[[Json], Json]]]
    ignored: Sequence[str]


def decoders(columns: Sequence[Column], keys: Collection[str], ignored: Collection[str]) -> list[Decoder]:
    """The quick and the patient decoder of a stream; none where its names cannot be those of the staged values.

    Args:
        columns: The stream's columns.
        keys: Properties without which there is no row.
        ignored: Other properties that a record may have.
    """
    if not columns or any(column.staged != column.source for column in columns):
        return []
    try:
        return [_decoder(columns, keys, sorted(ignored), native=native) for native in (True, False)]
    except ValueError:  # msgspec takes no name with a quote, a backslash or a control character in it
        return []


def _decoder(columns: Sequence[Column], keys: Collection[str], ignored: Sequence[str], *, native: bool) -> Decoder:
    fields: list[tuple[str, Any] | tuple[str, Any, None]] = []
    fits, required = [], []
    for column in columns:
        kind = _NATIVE.get(column.type) if native and column.is_of_its_type else None
        if column.is_key and column.type == "DOUBLE":  # msgspec's float is the nearest, and perhaps that of another key
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
    """Return a decoder that raises ValueError where one of these attributes is null."""

    def checked(text: msgspec.Raw | bytes | str) -> Any:
        row = decode(text)
        if any(getattr(row, key) is None for key in required):
            raise ValueError("a key has no value")
        return row

    return checked
