"""Any records of any schema, in any batches and partly sent again, are read back as a dict would hold them."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from target_duckdb.keys import number_text

from .singer import INTEGER, MOMENT, NUMBER, TEXT, load, query, schema

Json = Any

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
finite = st.floats(allow_nan=False, allow_infinity=False)
nested = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
moments = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001  # the zone comes next
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001  # the zone comes next
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)

KINDS: list[tuple[Json, st.SearchStrategy[Json]]] = [
    (INTEGER, st.integers(-(2**63), 2**63 - 1)),
    ({"type": ["null", "integer"], "minimum": -(2**127), "maximum": 2**127 - 1}, st.integers(-(2**127), 2**127 - 1)),
    (NUMBER, finite),
    ({"type": ["null", "boolean"]}, st.booleans()),
    (TEXT, words),
    (MOMENT, moments),
    ({"type": ["null", "string"], "format": "date"}, st.dates()),
    ({"type": ["null", "object"]}, st.dictionaries(words, nested, max_size=3)),
    ({}, nested),
]


def sent(value: Json) -> Json:
    """The value as a tap writes it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def shown(value: Json) -> str:
    """Text that is the same for equal values only: an instant in UTC, a whole number without its fraction."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name!r}: {shown(item)}' for name, item in value.items())}}}"
    if isinstance(value, datetime):
        return str(value.astimezone(UTC))
    return repr(int(value) if isinstance(value, float) and value.is_integer() and value else value)


def plain(value: Json) -> Json:
    """A JSON value in which equal numbers are spelt alike, and objects that differ by the order of their names."""
    if isinstance(value, dict):
        return {name: plain(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(Decimal(repr(value)) if isinstance(value, float) else value)
    return value


def in_order(value: Json) -> Json:
    """A JSON value as a key holds it: the names of its objects in order, its whole numbers as integers."""
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [in_order(item) for item in value]
    return int(Decimal(repr(value))) if isinstance(value, float) and value.is_integer() and abs(value) < 1e38 else value


def identity(value: Json) -> str:
    """Text that all spellings of one value of a key have in common."""
    if isinstance(value, datetime):
        return str(value.astimezone(UTC))
    if isinstance(value, str | date):
        return str(value)
    told = plain(value)
    return told if isinstance(told, str) else json.dumps(told, separators=(",", ":"))


@st.composite
def loads(draw: st.DrawFn) -> tuple[dict[str, Json], list[str], list[dict[str, Json]]]:
    """Properties, the key's properties, and records of a stream."""
    names = draw(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8).filter(
        lambda name: not name.startswith("_sdc_")), min_size=1, max_size=5, unique=True))  # fmt: skip
    kinds = {name: draw(st.sampled_from(KINDS)) for name in names}
    keys = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    rows = st.fixed_dictionaries({}, optional={name: st.none() | kinds[name][1] for name in names})
    full = st.fixed_dictionaries({key: kinds[key][1].filter(lambda value: value is not None) for key in keys})
    records = draw(st.lists(st.builds(lambda row, key: row | key, rows, full), max_size=12))
    if keys and records:  # some of them again, so that keys meet
        records += draw(st.lists(st.sampled_from(records), max_size=4))
        records += [{**draw(st.sampled_from(records)), **{k: records[0][k] for k in keys}}]
    return {name: kinds[name][0] for name in names}, keys, records


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(loads(), st.integers(1, 5), st.booleans(), st.data())
def test_what_is_read_back_is_what_a_dict_would_hold(
    load_of: tuple[dict[str, Json], list[str], list[dict[str, Json]]],
    size: int,
    sdk_steps: bool,  # noqa: FBT001  # hypothesis passes it
    data: st.DataObject,
) -> None:
    properties, keys, records = load_of
    model: dict[Json, tuple[Json, ...]] = {}

    def tell(part: list[dict[str, Json]]) -> list[Json]:
        for row in part:
            values = tuple(
                in_order(row.get(name)) if name in keys and kind in (KINDS[-1][0], KINDS[-2][0]) else row.get(name)
                for name, kind in properties.items()
            )
            key = json.dumps([identity(row[name]) for name in keys]) if keys else len(model)
            model[key] = values
        return [
            {"type": "RECORD", "stream": "s", "record": {name: sent(value) for name, value in row.items()}}
            for row in part
        ]

    again = data.draw(st.integers(0, len(records)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.duckdb"
        options = {"batch_size_rows": size, "stream_maps": {"other": None} if sdk_steps else {}}
        for part in (records, records[again:]):
            load(file, [schema("s", properties, keys), *tell(part)], **options)
        rows = query(file, "SELECT * FROM s")
    decoded = [kind == {} or kind == KINDS[-2][0] for kind in properties.values()]
    stored = [
        tuple(
            json.loads(value) if is_json and value is not None else value
            for value, is_json in zip(row, decoded, strict=True)
        )
        for row in rows
    ]
    assert sorted(map(shown, stored)) == sorted(map(shown, model.values()))
