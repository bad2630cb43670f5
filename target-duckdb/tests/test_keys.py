"""One value of a key is one row, however it is spelt; without a value there is no row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.exceptions import SyncError

from target_duckdb.keys import number_text
from target_duckdb.reader import decode
from target_duckdb.sink import DuckDBSink

from .singer import INTEGER, MOMENT, NUMBER, TEXT, load, query, record, schema, types

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long

DAY = {"type": ["null", "string"], "format": "date"}
HUGE = {"type": ["null", "integer"], "maximum": 2**100}
MIXED = {"type": ["integer", "string"]}
ANY: dict[str, Any] = {}
MOMENT_OR_TEXT = {"anyOf": [MOMENT, {"type": "string"}]}


@pytest.fixture(params=["direct", "exact"], autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways that a record may take."""
    if request.param == "direct":
        yield
    else:
        with patch.object(DuckDBSink, "stage_json", lambda *_: False):
            yield


def line(raw: str, number: int) -> str:
    """A record with a key as JSON text."""
    return f'{{"type":"RECORD","stream":"t","record":{{"k":{raw},"n":{number}}}}}'


def tell(kind: Any, *raws: str, first: int = 0) -> list[Any]:
    return [schema("t", {"k": kind, "n": INTEGER}, ("k",)), *(line(raw, first + i) for i, raw in enumerate(raws))]


ONE: list[tuple[list[tuple[Any, str]], str]] = [
    ([(INTEGER, "1"), (INTEGER, "1.0"), (INTEGER, "1e0")], "BIGINT"),
    ([(INTEGER, "1"), (NUMBER, "1.0"), (NUMBER, "1"), (NUMBER, "1.00")], "DOUBLE"),
    ([(INTEGER, "1"), (TEXT, '"1"'), (INTEGER, "1"), (NUMBER, "1.0")], "VARCHAR"),
    ([(INTEGER, "1"), (NUMBER, "1"), (TEXT, '"1"'), (NUMBER, "1.0"), (INTEGER, "1")], "VARCHAR"),
    ([(INTEGER, "1"), (MIXED, "1"), (MIXED, '"1"'), (MIXED, "1.0")], "JSON"),
    ([(INTEGER, "1"), (NUMBER, "1"), (TEXT, '"1"'), (ANY, "1"), (ANY, '"1"'), (ANY, "1.0")], "JSON"),
    ([(HUGE, str(2**70)), (NUMBER, str(2**70)), (TEXT, f'"{2**70}"'), (ANY, str(2**70))], "JSON"),
    ([(NUMBER, "1.5"), (NUMBER, "1.50"), (TEXT, '"1.5"'), (NUMBER, "1.500"), (ANY, "1.50"), (ANY, '"1.5"')], "JSON"),
    ([(NUMBER, "1e22"), (TEXT, '"10000000000000000000000"'), (NUMBER, "10000000000000000000000.0")], "VARCHAR"),
    ([(NUMBER, "1e300"), (TEXT, '"1e+300"'), (NUMBER, "1E300"), (ANY, "1e300")], "JSON"),
    ([(NUMBER, "1e-7"), (ANY, "0.0000001"), (ANY, "1.0E-7")], "JSON"),
    ([(NUMBER, "0.0"), (NUMBER, "-0.0"), (ANY, "0"), (ANY, "-0.0"), (ANY, '"0"')], "JSON"),
    ([(INTEGER, str(2**53 + 1)), (NUMBER, str(2**53 + 1)), (NUMBER, f"{2**53 + 1}.0")], "VARCHAR"),
    ([({"type": "boolean"}, "true"), (TEXT, '"true"'), (ANY, "true")], "JSON"),
    ([(ANY, '{"a": 1.0, "b": [2]}'), (ANY, '{"b":[2.0],"a":1}')], "JSON"),
    (
        [
            (MOMENT, '"2024-01-01T02:00:00+02:00"'),
            (MOMENT, '"2024-01-01"'),
            (MOMENT, '"2024-01-01T00:00:00.0000001Z"'),
        ],
        "TIMESTAMP WITH TIME ZONE",
    ),
    (
        [
            (MOMENT, '"2024-01-01T02:00:00.5+02:00"'),
            (TEXT, '"2024-01-01T00:00:00.500Z"'),
            (MOMENT, '"2024-01-01T00:00:00.5000009Z"'),
            (MOMENT_OR_TEXT, '"2023-12-31 20:30:00.500-0330"'),
            (ANY, '"2024-01-01T00:00:00.5"'),
        ],
        "JSON",
    ),
    ([(TEXT, '"2024-01-01T00:00Z"'), (TEXT, '"2024-01-01T01:00:00.000+01"'), (TEXT, '"2024-01-01t00:00z"')], "VARCHAR"),
    ([(TEXT, '"2024-01-01T00:00:00Z"'), (MOMENT, '"2024-01-01"'), (MOMENT, '"2024-01-01 00:00"')], "VARCHAR"),
    ([(DAY, '"2024-02-29"'), (TEXT, '"2024-02-29"'), (DAY, '"2024-02-29T00:00:00Z"')], "VARCHAR"),
]


@pytest.mark.parametrize(("spelt", "kind"), ONE)
def test_one_value_is_one_row_whatever_its_column_was_and_the_last_record_wins(
    file: Path, spelt: list[tuple[Any, str]], kind: str
) -> None:
    for number, (told, raw) in enumerate(spelt):
        load(file, tell(told, raw, first=number))
        assert query(file, "SELECT n FROM t") == [(number,)], raw
    assert types(file, "t")["k"] == kind
    told = spelt[-1][0]
    same = [raw for each, raw in spelt if each == told]
    for size in (1, 100):
        load(file, tell(told, *same, *reversed(same)), batch_size_rows=size)
        assert query(file, "SELECT n FROM t") == [(2 * len(same) - 1,)]


TWO: list[tuple[Any, list[str]]] = [
    (TEXT, ['"1"', '"1.0"', '"01"', '"1e0"', '" 1"', '"a"', '"A"', '""']),
    (TEXT, ['"2024-01-01"', '"2024-01-01T00:00:00Z"', '"2024-01-01T00:00:00.000000001Z"', '"2024-01-01T00:00:60Q"']),
    (TEXT, ['"2024-13-01T00:00:00Z"', '"2024-13-01T00:00:00.0Z"', '"2024-01-01T00:00:01Z"']),
    (ANY, ["1", '"01"', "[1]", '{"a":1}', '{"a":2}', '["1"]', "12345678901234567890123", "12345678901234567890124"]),
    (NUMBER, ["0.1", "0.10000000000000002", "9007199254740992", "9007199254740994"]),
    (INTEGER, [str(2**53), str(2**53 + 1)]),
]


@pytest.mark.parametrize(("kind", "raws"), TWO)
def test_values_that_differ_are_rows_of_their_own(file: Path, kind: Any, raws: list[str]) -> None:
    for size in (1, 100):
        load(file, tell(kind, *raws), batch_size_rows=size)
        assert query(file, "SELECT n FROM t ORDER BY n") == [(i,) for i in range(len(raws))]


def test_a_key_of_text_is_stored_as_it_was_sent_last(file: Path) -> None:
    for raw in ('"2024-01-01T02:00:00.50+02:00"', '"2024-01-01T00:00:00.5Z"'):
        load(file, tell(TEXT, raw))
        assert query(file, "SELECT k FROM t") == [(json.loads(raw),)]


def test_a_key_of_several_properties_is_compared_one_by_one(file: Path) -> None:
    people = schema("t", {"a": TEXT, "b": MIXED, "n": INTEGER}, ("a", "b"))
    load(file, [people, record("t", a="2024-01-01T00:00:00Z", b=1, n=1), record("t", a="x", b=1, n=2)])
    load(file, [people, record("t", a="2024-01-01T01:00:00+01:00", b="1", n=3), record("t", a="x", b="2", n=4)])
    assert query(file, "SELECT n FROM t ORDER BY n") == [(2,), (3,), (4,)]


def test_a_number_that_would_become_another_keys_double_ends_the_load(file: Path) -> None:
    with pytest.raises(Exception, match="stream `t`, column `k`: a value is a number that a key in a column of type"):
        load(file, tell(NUMBER, str(2**53), str(2**53 + 1)))
    assert query(file, "SELECT * FROM t") == []


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        *((kind, {}) for kind in (INTEGER, HUGE, NUMBER, TEXT, {"type": "boolean"}, MOMENT, DAY, ANY)),
        (INTEGER, {"add_record_metadata": True}),
        (ANY, {"stream_maps": {"other": None}}),
    ],
)
def test_a_record_without_a_value_in_its_key_ends_the_load_and_names_stream_and_column(
    file: Path, kind: Any, settings: dict[str, Any]
) -> None:
    told = schema("t", {"k": kind, "n": INTEGER}, ("n", "k"))
    for row in ('{"k":null,"n":1}', '{"n":1}'):
        with pytest.raises(SyncError, match=r"^stream `t`, column `k`: a key property has no value\.$"):
            load(file, [told, f'{{"type":"RECORD","stream":"t","record":{row}}}'], **settings)
    assert query(file, "SELECT * FROM t") == []


@given(st.integers(-(10**45), 10**45) | st.decimals(allow_nan=False, allow_infinity=False) | st.floats(-1e300, 1e300))
@settings(max_examples=300)
def test_the_one_spelling_of_a_number_is_that_number(value: Any) -> None:
    number = decode(json.dumps(value) if isinstance(value, int | float) else str(value).replace("E+", "E"))
    assert decode(number_text(number)) == number
    assert number_text(decode(number_text(number))) == number_text(number)
