"""Whatever comes in: it is loaded, or one sentence says what is wrong with it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from singer_sdk.exceptions import MappingError, SyncError
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_duckdb.columns import identifier
from target_duckdb.errors import LoadError
from target_duckdb.names import suffixed

from .singer import INTEGER, MOMENT, NUMBER, TEXT, load, query, record, run, schema, state

Json = Any

SENTENCES = (LoadError, SyncError, MappingError, InvalidInputLine)
"""The errors that the command prints as a sentence."""

DEEP = '{"anyOf":[' * 400 + "{}" + "]}" * 400
DEEP_SCHEMA = f'{{"type":"SCHEMA","stream":"t","schema":{{"properties":{{"a":{DEEP}}}}}}}'
JSON_LINES = {"format": "jsonl"}
T = schema("t", {"id": INTEGER, "v": {}})
WRONG = [None, 4711, 4711.5, "4711", [], ["4711"], {}, {"4711": 4711}, True]


def of_value(raw: str, kind: Json = None) -> list[Json]:
    """A stream with one record, whose value is given as JSON text."""
    properties = {"id": INTEGER, "v": {} if kind is None else kind}
    return [schema("t", properties), f'{{"type":"RECORD","stream":"t","record":{{"id":1,"v":{raw}}}}}', state()]


def complaint(file: Path, messages: list[Json], **options: Json) -> str:
    """The sentence that ends a load; empty where all was loaded."""
    try:
        load(file, messages, **options)
    except SENTENCES as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("NaN", "Line 2 of the input holds NaN in stream `t`, column `v`"),
        ('{"a": [1, -Infinity]}', "Line 2 of the input holds -Infinity in stream `t`, column `v`"),
        ("9" * 4301, "an integer of more than 4,300 digits in stream `t`, column `v`"),
        ("[" * 1100 + "]" * 1100, "nests more than 500 levels in stream `t`, column `v`"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nests more than 500 levels in stream `t`, column `v`"),
    ],
)
@pytest.mark.parametrize("kind", [{}, TEXT, INTEGER, NUMBER, MOMENT])
def test_what_no_json_decoder_takes_is_named_with_its_line_stream_and_column(
    file: Path, raw: str, told: str, kind: Json
) -> None:
    assert told in complaint(file, of_value(raw, kind))
    assert query(file, "FROM t") == []


@pytest.mark.parametrize("options", [{}, {"stream_maps": {"other": None}}])
@pytest.mark.parametrize(
    ("kind", "raw", "stored"),
    [
        ({}, "[1e999999999999999999999]", "[1e999999999999999999999]"),
        (TEXT, "-1E-999999999999999999999", "-1E-999999999999999999999"),
        (NUMBER, "1e-999999999999999999999", 0.0),
    ],
)
def test_a_number_of_any_exponent_is_kept(file: Path, kind: Json, raw: str, stored: Json, options: Json) -> None:
    load(file, of_value(raw, kind), **options)
    assert query(file, "SELECT v FROM t") == [(stored,)]


@pytest.mark.parametrize("kind", [INTEGER, NUMBER, {"type": "boolean"}, MOMENT])
def test_a_number_beyond_a_column_is_an_error_of_that_column(file: Path, kind: Json) -> None:
    assert complaint(file, of_value("1e999999999999999999999", kind)).startswith("stream `t`, column `v`: a value ")


def test_nesting_that_can_be_walked_is_loaded(file: Path) -> None:
    raw = "[" * 300 + "]" * 300
    load(file, of_value(raw))
    assert query(file, "SELECT v FROM t") == [(raw,)]


@pytest.mark.parametrize("wrong", WRONG, ids=map(json.dumps, WRONG))
@pytest.mark.parametrize(
    "message",
    [
        lambda wrong: schema("t", {"id": INTEGER}) | {"schema": wrong},
        lambda wrong: schema("t", {"id": INTEGER}) | {"schema": {"properties": wrong}},
        lambda wrong: schema("t", {"id": INTEGER}) | {"stream": wrong},
        lambda wrong: schema("t", {"id": INTEGER}) | {"key_properties": wrong},
        lambda wrong: schema("t", {"id": INTEGER}) | {"key_properties": [wrong]},
        lambda wrong: {"type": wrong},
        lambda wrong: {"type": "RECORD", "stream": "t", "record": wrong},
        lambda wrong: {"type": "RECORD", "stream": wrong, "record": {"id": 1}},
        lambda wrong: {"type": "RECORD", "stream": "t", "record": {"id": 1}, "version": wrong},
        lambda wrong: {"type": "ACTIVATE_VERSION", "stream": "t", "version": wrong},
        lambda wrong: {"type": "ACTIVATE_VERSION", "stream": wrong, "version": 1},
        lambda wrong: {"type": "BATCH", "stream": "t", "encoding": wrong, "manifest": ["/nowhere"]},
        lambda wrong: {"type": "BATCH", "stream": "t", "encoding": {"format": wrong}, "manifest": ["/nowhere"]},
        lambda wrong: {"type": "BATCH", "stream": "t", "encoding": JSON_LINES, "manifest": wrong},
        lambda wrong: {"type": "BATCH", "stream": "t", "encoding": JSON_LINES, "manifest": [wrong]},
        lambda wrong: {"type": "BATCH", "stream": wrong, "encoding": JSON_LINES, "manifest": []},
    ],
)
def test_a_part_of_a_message_that_is_of_a_wrong_type_gets_a_sentence_without_its_value(
    file: Path, message: Any, wrong: Json
) -> None:
    told = complaint(file, [T, record("t", id=1), message(wrong), state()])
    assert "4711" not in told or wrong in ("4711", ["4711"])  # a name, or a format, is no value


@pytest.mark.parametrize("wrong", WRONG, ids=map(json.dumps, WRONG))
@pytest.mark.parametrize(
    "kind",
    [
        lambda wrong: wrong,
        lambda wrong: {"type": wrong},
        lambda wrong: {"type": [wrong]},
        lambda wrong: {"anyOf": wrong},
        lambda wrong: {"oneOf": [wrong, {"type": "null"}]},
        lambda wrong: {"type": "object", "properties": wrong},
        lambda wrong: {"type": "string", "format": wrong},
    ],
)
@pytest.mark.parametrize("options", [{}, {"data_flattening_max_level": 3}])
def test_a_wrong_schema_of_a_property_is_none(file: Path, kind: Any, wrong: Json, options: Json) -> None:
    assert complaint(file, [schema("t", {"id": INTEGER, "v": kind(wrong)}), record("t", id=1, v="x")], **options) == ""
    assert query(file, "SELECT count(v) FROM t") == [(1,)]


def test_a_record_that_is_null_is_an_error_and_lets_no_state_out(tmp_path: Path) -> None:
    done = run(tmp_path, [T, {"type": "RECORD", "stream": "t", "record": None}, state()])
    assert (done.returncode, done.stdout) == (1, "")
    assert "stream `t`, line 2 of the input: the record of a RECORD message is not an object." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("messages", "options", "told"),
    [
        ([{"type": "LOG", "stream": "t"}], {}, "Line 1 of the input is a message of an unknown type, LOG."),
        ([T | {"schema": {"type": "object"}}], {}, "stream `t`, line 1 of the input: the schema has no properties"),
        ([T, {"type": "STATE"}], {}, "A STATE message lacks value."),
        (
            of_value("5"),
            {"stream_maps": {"t": {"x": "v / 0"}}},
            "`x` of stream `t` fails on a record (Zero",
        ),
        (of_value("5"), {"stream_maps": {"t": {"x": "v["}}}, "`x` of stream `t` is not valid in a stream map"),
        (
            [schema("t", {"id": {"type": "4711"}})],
            {"validate_records": True},
            "stream `t`: its JSON schema is not valid",
        ),
        ([DEEP_SCHEMA], {}, "Line 1 of the input nests more than 500 levels in stream `t`"),
    ],
)
def test_the_cause_is_named(tmp_path: Path, messages: list[Json], options: Json, told: str) -> None:
    done = run(tmp_path, messages, **options)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert sum("| ERROR" in line for line in done.stderr.splitlines()) == 1


@pytest.mark.parametrize("options", [{}, {"stream_maps": {"other": None}}])
def test_blank_lines_and_byte_order_marks_are_skipped(file: Path, options: Json) -> None:
    lines = ["\ufeff" + json.dumps(T), "", "\ufeff", "  \t", "\ufeff" + json.dumps(record("t", id=1)), "\ufeff\ufeff"]
    assert load(file, [*lines[:5], state(), "", ""], **options) == ['{"done": true}']
    assert query(file, "SELECT id FROM t") == [(1,)]
    assert "Line 6" in complaint(file, [*lines[:5], "x"], **options)


def test_a_byte_order_mark_at_the_start_of_a_batch_file_is_skipped(tmp_path: Path, file: Path) -> None:
    (tmp_path / "part").write_bytes(b'\xef\xbb\xbf{"id":1}\n\n{"id":2}\n')
    message = {"type": "BATCH", "stream": "t", "encoding": JSON_LINES, "manifest": [str(tmp_path / "part")]}
    load(file, [T, message])
    assert query(file, "SELECT id FROM t ORDER BY id") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"manifest": ["file://[::1"]}, "contains an invalid URL."),
        ({"manifest": ["/a\0b"]}, "cannot be read"),
        ({"encoding": {"format": "jsonl", "compression": "zstd"}}, "batch files of compression `zstd` cannot be read."),
        ({"encoding": {"format": "avro"}}, "batch files of format `avro` cannot be read."),
        ({"stream": "u", "manifest": []}, "came before its SCHEMA message"),
    ],
)
def test_batch_files_of_an_unknown_kind_or_place_are_named(file: Path, message: Json, told: str) -> None:
    batch = {"type": "BATCH", "stream": "t", "encoding": JSON_LINES, "manifest": ["/nowhere"]}
    assert told in complaint(file, [T, batch | message])


NAMES = ["id", "Id", "ID", suffixed("Id"), suffixed("Id").lower(), suffixed(suffixed("Id")), "", "\0", "a\0b", "ab",
         suffixed("a\0b"), suffixed(suffixed("a\0b")), "x" * 300]  # fmt: skip


@settings(max_examples=30, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.permutations(NAMES), st.permutations(NAMES))
def test_properties_of_any_names_have_a_column_each_in_every_run(first: list[str], second: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.duckdb"
        for number, names in enumerate((first, first, second)):
            values = {name: f"{number} {NAMES.index(name)}" for name in names}
            row = {"type": "RECORD", "stream": "t", "record": values}
            load(file, [schema("t", dict.fromkeys(names, TEXT), ()), row])
        rows = query(file, "FROM t")
    assert [sorted(row) for row in rows] == [sorted(f"{number} {index}" for index in range(len(NAMES)))
                                              for number in range(3)]  # fmt: skip
    assert rows[0] == tuple(value.replace("1 ", "0 ") for value in rows[1])


def test_streams_of_any_names_have_a_table_each(file: Path) -> None:
    names = NAMES[:-1]
    for _ in range(2):
        messages = [message for name in names for message in (schema(name, {"id": TEXT}), record(name, id=name))]
        load(file, messages)
    tables = [table for (table,) in query(file, "SELECT table_name FROM duckdb_tables()")]
    rows = [query(file, f"SELECT id FROM {identifier(table)}") for table in tables]  # noqa: S608  # quoted
    assert sorted(rows) == sorted([(name,)] for name in names)


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["t", "RECORD", "object"])
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "v", "type", "properties", "anyOf", "stream", "format", "_sdc_deleted_at"]), inner
        )
    ),
    max_leaves=8,
)
WHOLE: list[Json] = [
    T,
    record("t", 1, id=1, v="x"),
    {"type": "ACTIVATE_VERSION", "stream": "t", "version": 1},
    {"type": "BATCH", "stream": "t", "encoding": JSON_LINES, "manifest": []},
    state(),
]


@st.composite
def odd_messages(draw: st.DrawFn) -> list[Json]:
    """Messages of which some have a part that is anything, or missing."""
    messages: list[Json] = [T] if draw(st.booleans()) else []
    for message in draw(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=5)):
        odd = json.loads(json.dumps(message))
        part = odd
        while isinstance(part, dict) and part:
            name = draw(st.sampled_from(sorted(part)))
            if draw(st.booleans()):
                part[name] = draw(anything)
                break
            if not draw(st.integers(0, 4)):
                del part[name]
                break
            part = part[name]
        messages.append(odd)
    return messages


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    odd_messages(),
    st.sampled_from([{}, {"data_flattening_max_level": 2}, {"add_record_metadata": True}, {"hard_delete": True}]),
)
def test_any_messages_are_loaded_or_end_in_a_sentence(messages: list[Json], options: Json) -> None:
    with tempfile.TemporaryDirectory() as folder:
        complaint(Path(folder) / "a.duckdb", messages, **options)
