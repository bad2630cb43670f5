from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from target_duckdb.errors import LoadError

from .singer import INTEGER, MOMENT, NUMBER, TEXT, load, query, record, schema, types

if TYPE_CHECKING:
    from pathlib import Path

DAY = {"type": "string", "format": "date"}


def stored(file: Path, kind: Any, raw: str) -> Any:
    """Return the value read back for one given as JSON text, in a property with a JSON schema."""
    load(file, [schema("t", {"v": kind}, ()), f'{{"type":"RECORD","stream":"t","record":{{"v":{raw}}}}}'])
    return query(file, "SELECT v FROM t")[0][0]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (INTEGER, "BIGINT"),
        ({"type": "integer", "maximum": 2**63 - 1}, "BIGINT"),
        ({"type": "integer", "maximum": 2**64 - 1}, "HUGEINT"),
        ({"type": "integer", "exclusiveMinimum": -(2.0**70)}, "HUGEINT"),
        (NUMBER, "DOUBLE"),
        ({"type": ["integer", "number", "null"]}, "DOUBLE"),
        ({"type": "boolean"}, "BOOLEAN"),
        (TEXT, "VARCHAR"),
        (MOMENT, "TIMESTAMP WITH TIME ZONE"),
        (DAY, "DATE"),
        ({"type": "string", "format": "time"}, "VARCHAR"),
        ({"type": ["null", "object"]}, "JSON"),
        ({"type": "array"}, "JSON"),
        ({"type": ["string", "integer"]}, "JSON"),
        ({}, "JSON"),
        (True, "JSON"),
        ({"type": "null"}, "JSON"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "BIGINT"),
        ({"oneOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, "TIMESTAMP WITH TIME ZONE"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]}, "VARCHAR"),
        ({"anyOf": [{"type": "string"}, {"type": "object"}]}, "JSON"),
        ({"allOf": [{"type": "integer"}]}, "BIGINT"),
        ({"$ref": "#/definitions/x"}, "JSON"),
    ],
)
def test_a_json_schema_becomes_the_type_that_holds_all_its_values(file: Path, kind: Any, expected: str) -> None:
    load(file, [schema("t", {"v": kind}, ())])
    assert types(file, "t") == {"v": expected}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2024-01-01T02:00:00+02:00", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-01-01 02:00:00", datetime(2024, 1, 1, 2, tzinfo=UTC)),
        ("2024-01-01t02:00:00z", datetime(2024, 1, 1, 2, tzinfo=UTC)),
        ("2024-01-01T02:00:00.123456-0330", datetime(2024, 1, 1, 5, 30, 0, 123456, tzinfo=UTC)),
        ("2024-01-01T02:00:00.123456789Z", datetime(2024, 1, 1, 2, 0, 0, 123456, tzinfo=UTC)),
        ("2024-01-01", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-01-01T02:00Z", datetime(2024, 1, 1, 2, tzinfo=UTC)),
        ("2024-01-01T02:00+02:00", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-01-01 02:00", datetime(2024, 1, 1, 2, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_a_date_time_is_stored_as_its_instant(file: Path, raw: str, expected: datetime) -> None:
    assert stored(file, MOMENT, json.dumps(raw)) == expected


@pytest.mark.parametrize("raw", ["2024-02-29", "2024-02-29T00:00:00Z", "2024-02-29 00:00:00.000"])
def test_a_date_is_stored_as_a_date(file: Path, raw: str) -> None:
    assert stored(file, DAY, json.dumps(raw)) == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        (INTEGER, "9223372036854775807", 2**63 - 1),
        (INTEGER, "-9223372036854775808", -(2**63)),
        (INTEGER, "9007199254740993.0", 2**53 + 1),
        (INTEGER, "1e3", 1000),
        ({"type": "integer", "maximum": 2**100}, str(2**100), 2**100),
        ({"type": "integer", "minimum": -(2**127)}, str(-(2**127)), -(2**127)),
        (NUMBER, "0.1", 0.1),
        (NUMBER, "2.2250738585072014E-308", 2.2250738585072014e-308),
        (NUMBER, "5e-324", 5e-324),
        (NUMBER, "-1.7976931348623157e308", -1.7976931348623157e308),
        (NUMBER, "12345678901234567890", 12345678901234567890.0),
        (TEXT, '"a\\u0000b\\n\\"\\\\, \\ud83d\\ude00"', 'a\0b\n"\\, 😀'),
        (TEXT, '"' + "x" * 20_000_000 + '"', "x" * 20_000_000),
        (TEXT, "1.50", "1.50"),
        ({"type": "string", "format": "time"}, '"10:00:00+02:00"', "10:00:00+02:00"),
        ({}, '{"b": 1.23456789012345678901234567890, "a": [null, "\\u00e9", 12345678901234567890123]}',
         '{"b":1.23456789012345678901234567890,"a":[null,"é",12345678901234567890123]}'),
        ({}, '"text"', '"text"'),
        ({"type": ["string", "integer"]}, "5", "5"),
        ({"type": "object"}, '{"a":"x\\u0000y","a b":{}}', '{"a":"x\\u0000y","a b":{}}'),
    ],
)  # fmt: skip
def test_a_value_is_stored_exactly(file: Path, kind: Any, raw: str, expected: Any) -> None:
    assert stored(file, kind, raw) == expected


def test_half_a_surrogate_pair_becomes_the_replacement_character(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert stored(file, TEXT, '"a\\ud800b\\\\ud800 \\udc00\\ud83d\\ude00"') == "a\ufffdb\\ud800 \ufffd😀"
    assert sum("surrogate" in entry.getMessage() for entry in caplog.records) == 1


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (INTEGER, "9223372036854775808"),
        (INTEGER, "1.5"),
        (INTEGER, "1e999999999"),
        (INTEGER, '"4711"'),
        (INTEGER, "true"),
        ({"type": "integer", "maximum": 2**100}, str(2**127)),
        (NUMBER, "1e400"),
        (NUMBER, "4711" + "0" * 400),
        (NUMBER, '"4711"'),
        ({"type": "boolean"}, "4711"),
        (MOMENT, '"infinity 4711"'),
        (MOMENT, '"infinity"'),
        (MOMENT, '"2024-02-30T00:00:00Z"'),
        (MOMENT, '"4711"'),
        ({"type": "string", "format": "date-time"}, '""'),
        (MOMENT, "4711"),
        (DAY, '"2024-01-01T10:00:00Z"'),
        (DAY, '"2024-13-01"'),
        (DAY, '""'),
    ],
)
def test_a_value_that_does_not_fit_ends_the_load_and_is_not_told(file: Path, kind: Any, raw: str) -> None:
    with pytest.raises(LoadError, match=r"^stream `t`, column `v`: a value .*\.$") as error:
        stored(file, kind, raw)
    assert raw.strip('"') == "" or raw.strip('"') not in str(error.value)
    assert query(file, "SELECT * FROM t") == []


@pytest.mark.parametrize("steps", [{}, {"stream_maps": {"other": None}}, {"add_record_metadata": True}])
@pytest.mark.parametrize("form", ["date", "date-time"])
@pytest.mark.parametrize("blank", ["", " ", "\t\n", " " * 12, "\u00a0"])
def test_a_blank_where_a_date_may_be_missing_is_null_and_told_of_once(
    file: Path, caplog: pytest.LogCaptureFixture, blank: str, form: str, steps: dict[str, Any]
) -> None:
    text = {"type": "string", "format": form}
    kinds = {"a": {"anyOf": [text, {"type": "null"}]}, "b": text | {"type": ["string", "null"]}, "c": TEXT}
    rows = [record("t", a=blank, b=blank, c=blank), record("t", a="2024-01-02", b=blank, c=blank)]
    load(file, [schema("t", kinds, ()), *rows * 2], **steps)
    assert query(file, "SELECT count(*), count(a), count(b), count(c) FROM t") == [(4, 2, 0, 4)]
    told = sorted(entry.getMessage() for entry in caplog.records if entry.levelname == "WARNING")
    if len(blank) < 10:
        assert told == [
            f"stream `t`, column `{x}`: a blank string instead of a date or time is loaded as NULL." for x in "ab"
        ]


@pytest.mark.parametrize("keys", [("v",), ("id", "v")])
def test_a_blank_date_in_a_key_ends_the_load(file: Path, keys: tuple[str, ...]) -> None:
    with pytest.raises(LoadError, match="stream `t`, column `v`: "):
        load(file, [schema("t", {"id": INTEGER, "v": MOMENT}, keys), record("t", id=1, v="")])


def test_a_new_property_adds_a_column(file: Path) -> None:
    messages = [schema("t", {"id": INTEGER}), record("t", id=1)]
    messages += [schema("t", {"new": TEXT, "id": INTEGER}), record("t", id=2, new="a")]
    load(file, messages)
    assert query(file, "SELECT id, new FROM t ORDER BY id") == [(1, None), (2, "a")]


STEPS: list[tuple[Any, str]] = [
    (INTEGER, "1"),
    ({"type": "integer", "maximum": 2**100}, "2"),
    (NUMBER, "2.5"),
    (TEXT, '"x"'),
    ({"type": "object"}, '{"a":1}'),
    (INTEGER, "9007199254740993"),
]


def test_a_column_widens_step_by_step_and_keeps_its_values(file: Path) -> None:
    seen = []
    for i, (kind, raw) in enumerate(STEPS):
        line = f'{{"type":"RECORD","stream":"t","record":{{"id":{i},"v":{raw}}}}}'
        load(file, [schema("t", {"id": INTEGER, "v": kind}), line])
        seen.append(types(file, "t")["v"])
    assert seen == ["BIGINT", "HUGEINT", "DOUBLE", "VARCHAR", "JSON", "JSON"]
    values = [row[0] for row in query(file, "SELECT v FROM t ORDER BY id")]
    assert values == ['"1.0"', '"2.0"', '"2.5"', '"x"', '{"a":1}', "9007199254740993"]


TEXTS = {
    '{"a":1.50,"b":"x, ]"}': '{"a":1.50,"b":"x, ]"}',
    ' [1, {"a": null}] ': ' [1, {"a": null}] ',
    '{"a":"NaN"}': '{"a":"NaN"}',
    "[NaN]": '"[NaN]"',
    "[1,]": '"[1,]"',
    "{a}": '"{a}"',
    "x": '"x"',
    "5": '"5"',
    "true": '"true"',
    "null": '"null"',
    "": '""',
}


@pytest.mark.parametrize("wider", [{"type": ["null", "object"]}, {"type": ["string", "array"]}, {}])
def test_text_that_is_an_object_or_an_array_widens_to_json_as_json(file: Path, wider: Any) -> None:
    rows = [record("t", id=i, v=text) for i, text in enumerate(TEXTS)]
    rows += [record("t", id=90, v={"a": [1, None]}), record("t", id=91, v=[1]), record("t", id=92, v=None)]
    load(file, [schema("t", {"id": INTEGER, "v": TEXT}), *rows])
    load(file, [schema("t", {"id": INTEGER, "v": wider})])
    stored = [value for (value,) in query(file, "SELECT v FROM t ORDER BY id")]
    assert stored == [*TEXTS.values(), '{"a":[1,null]}', "[1]", None]
    assert query(file, "SELECT v->>'b' FROM t WHERE id = 0") == [("x, ]",)]


def test_text_stays_text_where_no_object_is_allowed_and_in_a_key(file: Path) -> None:
    load(file, [schema("t", {"v": TEXT, "k": TEXT}, ("k",)), record("t", v="[1]", k="[1]")])
    load(file, [schema("t", {"v": {"type": ["string", "integer"]}, "k": {}}, ("k",)), record("t", v="[2]", k="[1]")])
    assert query(file, "SELECT v, k FROM t") == [('"[2]"', '"[1]"')]
    load(file, [schema("u", {"v": TEXT}, ()), record("u", v="[1]")])
    load(file, [schema("u", {"v": {"type": ["string", "integer"]}}, ())])
    assert query(file, "FROM u") == [('"[1]"',)]


def test_a_struct_or_list_of_another_loader_widens_to_the_text_of_its_json(file: Path) -> None:
    query(file, "CREATE TABLE t AS SELECT {'a': 1} AS o, [1, 2] AS l")
    load(file, [schema("t", {"o": TEXT, "l": TEXT}, ())])
    assert query(file, "FROM t") == [('{"a":1}', "[1,2]")]


def test_integers_that_a_double_cannot_hold_widen_to_text_instead(file: Path) -> None:
    load(
        file,
        [schema("t", {"id": INTEGER, "v": INTEGER}), record("t", id=1, v=2**53 + 1), record("t", id=2, v=-(2**63))],
    )
    load(file, [schema("t", {"id": INTEGER, "v": NUMBER}), record("t", id=3, v=0.5)])
    assert query(file, "SELECT v FROM t ORDER BY id") == [(str(2**53 + 1),), (str(-(2**63)),), ("0.5",)]


def test_an_integer_that_its_older_column_cannot_hold_exactly_ends_the_load(file: Path) -> None:
    load(file, [schema("t", {"v": NUMBER}, ())])
    with pytest.raises(LoadError, match="cannot hold exactly"):
        stored(file, INTEGER, str(2**53 + 1))


def test_a_narrower_schema_leaves_the_wider_column(file: Path) -> None:
    load(file, [schema("t", {"id": INTEGER, "v": TEXT}), record("t", id=1, v="a")])
    load(file, [schema("t", {"id": INTEGER, "v": INTEGER}), record("t", id=2, v=5)])
    assert query(file, "SELECT v FROM t ORDER BY id") == [("a",), ("5",)]


def test_moments_and_days_widen_to_iso_text(file: Path) -> None:
    load(file, [schema("t", {"a": MOMENT, "b": DAY}, ()), record("t", a="2024-01-01T02:00:00+02:00", b="2024-01-02")])
    load(file, [schema("t", {"a": TEXT, "b": {}}, ())])
    assert query(file, "SELECT * FROM t") == [("2024-01-01T00:00:00.000000Z", '"2024-01-02"')]


def test_a_table_of_another_loader_is_taken_over(file: Path) -> None:
    query(file, "CREATE TABLE t (id INTEGER, moment TIMESTAMP, n DECIMAL(9, 2), o STRUCT(a INTEGER))")
    query(file, "INSERT INTO t VALUES (1, '2024-01-01 10:00:00', 1.25, {'a': 1}), (2, NULL, NULL, NULL)")
    properties = {"moment": MOMENT, "n": NUMBER, "o": {"type": "object"}}
    load(file, [schema("t", {"id": TEXT} | properties), record("t", id="2", n=2.5)])
    assert query(file, "SELECT id, moment::VARCHAR, n, o FROM t ORDER BY id") == [
        ("1", "2024-01-01 10:00:00+00", "1.25", '{"a":1}'),
        ("2", None, "2.5", None),
    ]


def test_a_table_with_a_primary_key_takes_updates(file: Path) -> None:
    query(file, "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR)")
    for value in "ab":
        load(file, [schema("t", {"id": INTEGER, "v": TEXT}), record("t", id=1, v=value), record("t", id=1, v=value)])
    assert query(file, "SELECT * FROM t") == [(1, "b")]


def test_a_new_key_is_the_one_that_rows_are_matched_by(file: Path) -> None:
    people = {"id": INTEGER, "mail": TEXT}
    load(file, [schema("t", people), record("t", id=1, mail="a"), record("t", id=2, mail="b")])
    messages = [record("t", id=3, mail="c"), schema("t", people, ("mail",)), record("t", id=4, mail="a")]
    load(file, [schema("t", people), *messages])
    assert query(file, "SELECT * FROM t ORDER BY id") == [(2, "b"), (3, "c"), (4, "a")]


def test_rows_pending_under_an_older_schema_do_not_overwrite_newer_ones(file: Path) -> None:
    messages = [schema("t", {"id": INTEGER, "v": INTEGER}), record("t", id=1, v=1)]
    messages += [schema("t", {"id": INTEGER, "v": INTEGER, "w": TEXT}), record("t", id=1, v=2), record("t", id=2, v=2)]
    load(file, messages, batch_size_rows=2)
    assert query(file, "SELECT id, v FROM t ORDER BY id") == [(1, 2), (2, 2)]
