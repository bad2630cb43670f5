"""The same records give the same rows, or the same error, whichever way they take."""

from __future__ import annotations

import gzip
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from singer_sdk.exceptions import MissingKeyPropertiesError

from target_duckdb.errors import LoadError
from target_duckdb.sink import DuckDBSink
from target_duckdb.target import TargetDuckDB

from .singer import INTEGER, MOMENT, NUMBER, TEXT, load, query, record, schema, state, text_of, types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = pytest.mark.long

Json = Any

DAY = {"type": ["null", "string"], "format": "date"}
HUGE = {"type": ["null", "integer"], "maximum": 2**100}
FITTING: dict[str, tuple[Json, list[str]]] = {
    "integer": (INTEGER, ["0", "-0", "-7", "9007199254740993", "9223372036854775807", "-9223372036854775808", "null"]),
    "whole": (INTEGER, ["1.0", "1e3", "9007199254740993.0", "-0.0"]),
    "huge": (HUGE, ["1", str(2**100), "null", "1.0"]),
    "number": (NUMBER, ["0", "-0.0", "0.1", "1e22", "5e-324", "1e-400", "12345678901234567890", "1.0", "null"]),
    "boolean": ({"type": "boolean"}, ["true", "false", "null"]),
    "text": (TEXT, ['""', '"a"', '"null"', "null", r'"\u00e9\n\u0000\"\\ \/ \ud83d\ude00"', '"é😀"', r'"\ud800"']),
    "words": (TEXT, ["1", "1.50", "true", '{"a": 1.50}', "[ ]"]),
    "moment": (MOMENT, ['"2024-01-01T02:00:00+02:00"', '"2024-01-01T02:00:00.123456789Z"', '"2024-01-01"', "null"]),
    "day": (DAY, ['"2024-02-29"', '"2024-02-29T00:00:00Z"', "null"]),
    "nested": ({"type": "object"}, ['{"a" : 1.50, "b": [1e2, 123456789012345678901234567890 ]}', '{"a":1,"a":2}', "{}",
                                    r'{"\u00e9":"\u0041\/","x":"\ud800"}', '{"a":-0.0,"b":-0,"c":1.0}', "null"]),
    "any": ({}, ["1.50", '"x"', "true", "[]", "null", "12345678901234567890.10"]),
}  # fmt: skip
MISFITS = ["1.5", '"12"', "true", "1e400", str(2**128), "[]", '"2024-13-01"', "9223372036854775808", '"\xff"']


@st.composite
def streams(draw: st.DrawFn) -> tuple[dict[str, Json], dict[str, Json], list[str], list[str]]:
    """An older schema of a stream, the newer one, the key, and records as JSON text."""
    names = draw(st.lists(st.sampled_from(["id", "Id", "a b", "n", "q'", 'q"', "_sdc_sequence", "é", ""]),
                          min_size=1, max_size=5, unique=True))  # fmt: skip
    kinds = {name: draw(st.sampled_from(sorted(FITTING))) for name in names}
    older = {name: FITTING[draw(st.sampled_from(sorted(FITTING)))][0] for name in draw(st.sets(st.sampled_from(names)))}
    keys = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    spoilt = draw(st.integers(0, 9)) == 0

    def text() -> str:
        present = [name for name in names if name in keys or draw(st.integers(0, 5))]
        values = [(name, draw(st.sampled_from(FITTING[kinds[name]][1]))) for name in present]
        if draw(st.integers(0, 9)) == 0:
            values.append((draw(st.sampled_from(["more", "ID", "_sdc_batched_at", "_sdc_table_version"])), '{"x":1}'))
        if present and draw(st.integers(0, 9)) == 0:
            values.append((values[0][0], draw(st.sampled_from(FITTING[kinds[values[0][0]]][1]))))
        if present and spoilt and draw(st.integers(0, 5)) == 0:
            values[0] = (values[0][0], draw(st.sampled_from(MISFITS)))
        if spoilt and draw(st.integers(0, 9)) == 0:
            values = values[1:]
        colon, comma = draw(st.sampled_from([(":", ","), (" : ", " ,\t")]))
        return "{" + comma.join(f"{json.dumps(name)}{colon}{value}" for name, value in values) + "}"

    return older, {name: FITTING[kind][0] for name, kind in kinds.items()}, keys, [text() for _ in range(12)]


def outcome(file: Path, messages: list[Json], **options: Json) -> tuple[Json, ...]:
    """The rows of a stream and their types after a load, and the error that ended it."""
    error = ""
    try:
        load(file, messages, **options)
    except (LoadError, MissingKeyPropertiesError) as raised:
        error = str(raised).replace(str(file), "the file")
    with duckdb.connect(file) as connection:
        if not connection.execute("SELECT 1 FROM duckdb_tables()").fetchall():
            return (error,)
        found = connection.execute("FROM s")
        return error, str(found.description), sorted(map(repr, found.fetchall()))


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(streams(), st.sampled_from([4, 12]), st.none() | st.just(5), st.booleans())
def test_text_values_and_batch_files_give_the_same_rows_or_the_same_error(
    stream: tuple[dict[str, Json], dict[str, Json], list[str], list[str]],
    size: int,
    version: int | None,
    zipped: bool,  # noqa: FBT001  # hypothesis passes it
) -> None:
    older, newer, keys, texts = stream
    told = {} if version is None else {"version": version}
    before = [schema("s", older, ()), schema("s", newer, keys)]
    lines = [f'{{"type":"RECORD","stream":"s","record":{text}, "version": {json.dumps(version)}}}' for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part"
        content = "\n".join(texts).encode()
        part.write_bytes(gzip.compress(content) if zipped else content)
        encoding = {"format": "jsonl", "compression": "gzip" if zipped else "none"}
        batch = {"type": "BATCH", "stream": "s", "encoding": encoding, "manifest": [part.as_uri()], **told}
        quick = outcome(Path(folder) / "a.duckdb", [*before, *lines], batch_size_rows=size)
        with patch.object(DuckDBSink, "stage_json", lambda *_: False):
            exact = outcome(Path(folder) / "b.duckdb", [*before, *lines], batch_size_rows=size)
        files = outcome(Path(folder) / "c.duckdb", [*before, batch], batch_size_rows=size)
    assert quick == exact
    assert files == exact


@pytest.mark.parametrize("settings", [{}, {"add_record_metadata": True}])
def test_only_what_is_unusual_goes_through_the_sdks_steps(
    file: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Json]
) -> None:
    slow: list[Json] = []
    steps = TargetDuckDB._process_record_message

    def noted(target: TargetDuckDB, message: dict[str, Json]) -> None:
        slow.append(message["record"])
        steps(target, message)

    monkeypatch.setattr(TargetDuckDB, "_process_record_message", noted)
    kinds = {name: kind for name, (kind, _) in FITTING.items()}
    usual = {name: [text for text in texts if "ud800" not in text] for name, (_, texts) in FITTING.items()}

    def rows(**more: Json) -> Iterable[str]:
        for number in range(6):
            values = [f'"{name}":{texts[number % len(texts)]}' for name, texts in usual.items()]
            values += [f'"{name}":{json.dumps(value)}' for name, value in more.items()]
            yield f'{{"type":"RECORD","stream":"t","record":{{{",".join(values)}}},"version":{number // 3}}}'

    load(file, [schema("t", {"boolean": {}, "day": TEXT}, ()), schema("t", kinds, ()), *rows(), *rows(x=1)], **settings)
    assert [("x" in one) for one in slow] == [True]
    assert query(file, "SELECT count(*), count(huge) FROM t") == [(12, 10)]


def test_the_columns_of_the_sdk_hold_what_the_sdk_computes(tmp_path: Path, file: Path) -> None:
    messages = [schema("t", {"id": INTEGER}), {**record("t", 4, id=1), "time_extracted": "2024-01-01T00:00:00+00:00"}]
    messages += [record("t", 4, id=2, _sdc_deleted_at="2024-01-02T00:00:00Z", _sdc_sequence=7)]
    begin = datetime.now(UTC)
    load(file, messages, add_record_metadata=True)
    with patch.object(DuckDBSink, "stage_json", lambda *_: False):
        load(tmp_path / "b.duckdb", messages, add_record_metadata=True)
    end = datetime.now(UTC)
    told, computed = (
        "SELECT id, _sdc_extracted_at, _sdc_deleted_at, _sdc_table_version FROM t ORDER BY id",
        "SELECT _sdc_sync_started_at, _sdc_batched_at, _sdc_received_at, _sdc_sequence FROM t ORDER BY id",
    )
    assert query(file, told) == query(tmp_path / "b.duckdb", told)
    assert types(file, "t") == types(tmp_path / "b.duckdb", "t")
    for loaded in (file, tmp_path / "b.duckdb"):
        first, second = query(loaded, computed)
        assert first[:2] == second[:2]
        for started, batched, received, sequence in (first, second):
            assert begin.timestamp() * 1000 - 1 <= started <= batched.timestamp() * 1000 + 1
            assert batched - timedelta(seconds=1) <= received <= end
            assert abs(sequence - received.timestamp() * 1000) < 1000


def test_the_rows_of_all_streams_together_are_bounded_and_the_largest_batch_is_written(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TargetDuckDB, "max_staged_bytes", 3000)
    written: list[tuple[str, int]] = []
    merge = DuckDBSink.process_batch

    def noted(sink: DuckDBSink, context: dict[str, Any]) -> None:
        written.append((sink.stream_name, sink.current_size))
        merge(sink, context)

    monkeypatch.setattr(DuckDBSink, "process_batch", noted)
    messages = [schema("large", {"id": INTEGER, "name": TEXT}), schema("small", {"id": INTEGER})]
    for number in range(20):
        messages += [record("large", id=number, name="x" * 200), record("small", id=number)]
    load(file, messages)
    assert [stream for stream, _ in written] == ["large", "large", "small"]
    assert query(file, "SELECT (SELECT count(*) FROM large), (SELECT count(*) FROM small)") == [(20, 20)]


def test_records_that_have_waited_five_minutes_are_written_with_the_next(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_duckdb.reader._INTERVAL", 0)
    target = TargetDuckDB(config={"filepath": str(file)})
    kept = []

    def lines() -> Iterator[str]:
        yield text_of([schema("t", {"id": INTEGER})])
        for number in range(3):
            yield text_of([record("t", id=number)])
            kept.append(target.warehouse.connection.execute("SELECT count(*) FROM t").fetchall()[0][0])
            target._last_full_drain_at -= 200

    target.process_lines(lines())  # type: ignore[arg-type]  # lines are enough
    target.warehouse.close()
    assert kept == [0, 0, 3]


def test_every_message_is_counted_however_it_was_read(file: Path) -> None:
    messages = [schema("t", {"id": INTEGER}), record("t", id=1), record("t", id=1, new=2), record("t", id=1), state()]
    target = TargetDuckDB(config={"filepath": str(file)})
    counts = target.process_lines(text_of(messages).splitlines(keepends=True))  # type: ignore[arg-type]  # lines are enough
    target.warehouse.close()
    assert counts == {"SCHEMA": 1, "RECORD": 3, "STATE": 1}


def test_rows_of_nothing_but_null_are_rows(file: Path) -> None:
    load(file, [schema("t", {"a": TEXT}, ()), *[record("t")] * 3, record("t", a=None)])
    assert query(file, "FROM t") == [(None,)] * 4
