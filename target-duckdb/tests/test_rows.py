from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from target_duckdb.sink import DuckDBSink

from .singer import INTEGER, MOMENT, NUMBER, TEXT, complaints, load, query, record, run, schema, state, types

if TYPE_CHECKING:
    from pathlib import Path

MIXED = {"id": INTEGER, "name": TEXT, "price": NUMBER, "at": MOMENT, "tags": {"type": ["null", "array"]}}


def mixed(i: int) -> dict[str, Any]:
    return {"id": i, "name": f"n{i}", "price": i / 7, "at": "2024-01-01T02:00:00+02:00", "tags": [i, "x"]}


def test_parents_that_are_flushed_once_each_keep_all_their_rows(file: Path) -> None:
    messages = []
    for parent in range(5):
        messages += [schema("accounts", {"id": INTEGER, "name": TEXT}), record("accounts", id=parent, name="a")]
        messages.append(schema("events", MIXED))
        messages += [record("events", **mixed(parent * 200 + i)) for i in range(200)]
    load(file, messages, batch_size_rows=20)
    assert query(file, "SELECT count(*), count(DISTINCT id) FROM accounts") == [(5, 5)]
    assert query(file, "SELECT count(*), count(DISTINCT id) FROM events") == [(1000, 1000)]


@pytest.mark.parametrize("rows", [1, 10])
def test_a_table_of_nothing_but_text_keeps_its_first_row(file: Path, rows: int) -> None:
    load(file, [schema("t", {"id": TEXT, "name": TEXT}), *(record("t", id=f"i{i}", name=f"n{i}") for i in range(rows))])
    assert query(file, "SELECT id, name FROM t ORDER BY id") == [(f"i{i}", f"n{i}") for i in range(rows)]


@pytest.mark.parametrize("rows", [1, 20_000])
def test_rows_of_mixed_types_all_arrive_with_their_values(file: Path, rows: int) -> None:
    load(file, [schema("t", MIXED), *(record("t", **mixed(i)) for i in range(rows))])
    got = query(file, "SELECT * FROM t ORDER BY id")
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    assert [(*row[:3], row[3].astimezone(UTC), row[4]) for row in got] == [
        (i, f"n{i}", i / 7, moment, json.dumps([i, "x"], separators=(",", ":"))) for i in range(rows)
    ]


def test_a_stream_of_nothing_but_its_key_is_loaded_and_loaded_again(file: Path) -> None:
    for _ in range(2):
        load(file, [schema("t", {"id": INTEGER}), *(record("t", id=i) for i in range(10))])
    assert query(file, "SELECT id FROM t ORDER BY id") == [(i,) for i in range(10)]


def test_empty_text_null_and_the_word_null_stay_three_things(file: Path) -> None:
    rows = [record("t", id=1, name=""), record("t", id=2, name=None), record("t", id=3, name="null"), record("t", id=4)]
    load(file, [schema("t", {"id": INTEGER, "name": TEXT}), *rows])
    assert query(file, "SELECT name FROM t ORDER BY id") == [("",), (None,), ("null",), (None,)]


def test_the_last_of_several_rows_with_one_key_wins_within_and_across_batches(file: Path) -> None:
    rows = [record("t", id=i % 3, name=f"{i}") for i in range(20)]
    for size in (100, 7, 1):
        load(file, [schema("t", {"id": INTEGER, "name": TEXT}), *rows], batch_size_rows=size)
        assert query(file, "SELECT id, name FROM t ORDER BY id") == [(0, "18"), (1, "19"), (2, "17")]


def test_the_last_of_a_key_wins_in_a_batch_of_many_rows(file: Path) -> None:
    load(file, [schema("t", {"id": INTEGER, "n": INTEGER}), *(record("t", id=i % 7000, n=i) for i in range(30_000))])
    assert query(file, "SELECT count(*), count(DISTINCT id), min(n), max(n) FROM t") == [(7000, 7000, 23_000, 29_999)]


def test_a_property_missing_from_the_newer_record_becomes_null(file: Path) -> None:
    load(file, [schema("t", {"id": INTEGER, "name": TEXT}), record("t", id=1, name="a")])
    load(file, [schema("t", {"id": INTEGER, "name": TEXT}), record("t", id=1)])
    assert query(file, "SELECT * FROM t") == [(1, None)]


def test_rows_without_a_key_are_added_in_order(file: Path) -> None:
    for _ in range(2):
        load(file, [schema("t", {"v": INTEGER}, ()), *(record("t", v=i) for i in range(3))])
    assert query(file, "SELECT v FROM t") == [(0,), (1,), (2,), (0,), (1,), (2,)]


def test_interleaved_streams_and_repeated_schemas_cost_one_batch_each(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[str] = []
    write = DuckDBSink.process_batch

    def noted(sink: DuckDBSink, context: dict[str, Any]) -> None:
        batches.append(sink.stream_name)
        write(sink, context)

    monkeypatch.setattr(DuckDBSink, "process_batch", noted)
    messages = []
    for i in range(50):
        for stream in ("a-b", "c"):
            messages += [schema(stream, {"id": INTEGER}), record(stream, id=i)]
    with caplog.at_level("INFO"):
        load(file, messages)
    assert batches == ["a-b", "c"]
    assert query(file, 'SELECT count(*) FROM "a-b"') == query(file, "SELECT count(*) FROM c") == [(50,)]
    told = [entry.getMessage() for entry in caplog.records if "`c`" in entry.getMessage()]
    assert told == ["stream `c`: 50 rows loaded."]


@pytest.mark.parametrize("keys", [(), ("n",), ("c1", "v")])
def test_names_keep_their_case_order_and_punctuation(file: Path, keys: tuple[str, ...]) -> None:
    names = ["Zeit", "a b", 'q"uote', "ünïcode", "select", "rowid", "n", "v", "c1", "c0", "x.y", "1"]
    load(
        file,
        [
            schema("T-1 x", dict.fromkeys(names, INTEGER), keys),
            record("T-1 x", **{n: i for i, n in enumerate(names)}),
        ],
    )
    assert list(types(file, "T-1 x")) == names
    assert query(file, 'SELECT * FROM "T-1 x"') == [tuple(range(len(names)))]


def test_names_that_differ_only_by_case_get_a_column_each_in_every_run(file: Path) -> None:
    load(file, [schema("t", {"Id": INTEGER, "id": TEXT}, ("Id",)), record("t", Id=1, id="a")])
    load(file, [schema("t", {"id": TEXT, "ID": TEXT, "Id": INTEGER}, ("Id",)), record("t", Id=2, id="b", ID="c")])
    first, second, third = types(file, "t")
    assert first == "Id"
    assert (second.split("_")[0], third.split("_")[0]) == ("id", "ID")
    assert query(file, "SELECT * FROM t ORDER BY 1") == [(1, "a", None), (2, "b", "c")]


def test_an_empty_property_name_is_stored_too(file: Path) -> None:
    load(file, [schema("t", {"": INTEGER}, ("",)), record("t", **{"": 1}), record("t", **{"": 1})])
    assert query(file, "SELECT * FROM t") == [(1,)]


def test_the_schema_may_bear_the_name_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "luma.duckdb"
    load(file, [schema("t", {"id": INTEGER}), record("t", id=1)], default_target_schema="luma")
    assert query(file, "SELECT id FROM luma.luma.t") == [(1,)]


def test_a_stream_without_rows_gets_its_empty_table(file: Path) -> None:
    load(file, [schema("t", MIXED), state()])
    assert query(file, "SELECT * FROM t") == []


def test_the_metadata_columns_are_the_sdks(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    load(file, [schema("t", {"id": INTEGER}), record("t", id=1)], add_metadata_columns=True)
    assert types(file, "t")["_sdc_received_at"] == "TIMESTAMP WITH TIME ZONE"
    assert query(file, "SELECT count(_sdc_received_at), count(_sdc_deleted_at) FROM t") == [(1, 0)]
    assert not [entry for entry in caplog.records if entry.levelname == "WARNING"]


def test_flattening_makes_a_column_of_each_nested_property(file: Path) -> None:
    nested = {"type": "object", "properties": {"z": INTEGER}}
    load(file, [schema("t", {"id": INTEGER, "o": nested}), record("t", id=1, o={"z": 5})], data_flattening_max_level=1)
    assert query(file, "SELECT id, o__z FROM t") == [(1, 5)]


def test_a_stream_map_is_applied(file: Path) -> None:
    maps = {"t": {"twice": "id * 2", "__alias__": "u"}}
    load(file, [schema("t", {"id": INTEGER}), record("t", id=4)], stream_maps=maps)
    assert query(file, "SELECT id, twice FROM u") == [(4, "8")]  # the SDK types what it computes as text


@pytest.mark.parametrize("steps", [{}, {"validate_records": True}, {"stream_maps": {"other": None}}])
def test_the_direct_way_and_the_sdks_steps_load_the_same(tmp_path: Path, file: Path, steps: dict[str, object]) -> None:
    messages = [schema("t", MIXED), *(record("t", 7 if i % 2 else None, **mixed(i)) for i in range(50))]
    load(file, messages)
    load(tmp_path / "b.duckdb", messages, **steps)
    assert query(file, "FROM t") == query(tmp_path / "b.duckdb", "FROM t")
    assert types(file, "t") == types(tmp_path / "b.duckdb", "t")


def test_a_property_that_the_schema_lacks_is_told_of_once(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    load(file, [schema("t", {"id": INTEGER}), record("t", id=1, new=1), record("t", id=2, new=2)])
    assert [entry.getMessage() for entry in caplog.records if entry.levelname == "WARNING"] == [
        "stream `t`: property `new` is not in the schema, and is not loaded."
    ]


def test_of_properties_that_the_schema_lacks_ten_are_named_and_none_that_may_be_a_value(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [record("t", id=i, **{f"person{i}@x.example": i, f"new{i}": i}) for i in range(15)]
    load(file, [schema("t", {"id": INTEGER}), *rows[:8], schema("t", {"id": TEXT}), *rows[8:]])
    told = [entry.getMessage() for entry in caplog.records if entry.levelname == "WARNING"]
    assert len([line for line in told if "property `new" in line]) == 10
    assert [line for line in told if "property `new" not in line] == [
        "stream `t`: more properties are not in the schema, and are not loaded."
    ]


@pytest.mark.parametrize("name", ["person@x.example", "new"])
@pytest.mark.parametrize("steps", [{}, {"validate_records": True}])
def test_a_key_of_a_record_that_may_be_a_value_is_in_no_error(
    tmp_path: Path, name: str, steps: dict[str, object]
) -> None:
    message = schema("t", {"id": INTEGER}) | {
        "schema": {"properties": {"id": INTEGER}, "additionalProperties": INTEGER}
    }
    odd = '"x"' if steps else "NaN"
    line = f'{{"type": "RECORD", "stream": "t", "record": {{"id": 1, "{name}": {odd}}}}}'
    (complaint,) = complaints(run(tmp_path, [message, line, state()], **steps))
    assert (name in complaint) == (name == "new")
