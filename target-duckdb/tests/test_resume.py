"""A run that goes on from a state needs the tables that the state's runs have filled."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from target_duckdb.errors import LoadError
from target_duckdb.target import TargetDuckDB

from .singer import INTEGER, TEXT, activate, complaints, load, query, record, run, schema, state, text_of, types

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long

Json = Any

FAIL = {"on_missing_table": "fail"}
T, U = schema("t", {"id": INTEGER, "v": TEXT}), schema("u", {"id": INTEGER})


def bookmarks(*streams: str) -> dict[str, Json]:
    """A state of an earlier run."""
    return state({"bookmarks": {stream: {"replication_key_value": "2024-01-01"} for stream in streams}})


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if "resumes from a state" in one.getMessage()]


def tables(file: Path) -> set[str]:
    return {table for (table,) in query(file, "SELECT table_name FROM duckdb_tables()")}


def test_streams_whose_tables_are_gone_are_named_in_one_warning_and_what_comes_is_loaded(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    messages = [bookmarks("t", "u", "off"), T, record("t", id=1), T, record("t", id=2), U, state()]
    assert load(file, messages) == ['{"done": true}']
    [sentence] = told(caplog)
    assert f"{file} has no table of streams `t`, `u` in the schema `main`" in sentence
    assert "`meltano run --full-refresh …`" in sentence
    assert query(file, "SELECT id FROM t ORDER BY id") == [(1,), (2,)]
    caplog.clear()
    load(file, messages)
    assert told(caplog) == []


@pytest.mark.parametrize("options", [{}, FAIL])
def test_a_loss_is_none_where_the_tables_are_there_or_the_state_tells_of_nothing(
    file: Path, caplog: pytest.LogCaptureFixture, options: Json
) -> None:
    load(file, [T, record("t", id=1), state()])
    before = state({"bookmarks": {"u": {}, "v": {"starting_replication_value": "x"}, "w": None}})
    for first in (bookmarks("t", "T", "off"), before, state({}), state({"bookmarks": []}), state([1]), state("x")):
        out = load(file, [first, T, record("t", id=2), U, record("u", id=1), state()], **options)
        assert out == ['{"done": true}']
        query(file, "DROP TABLE u")
    load(file, [U, record("u", id=1), bookmarks("u"), state()], **options)
    query(file, "DROP TABLE u")
    load(file, [schema("x", {"id": INTEGER}), bookmarks("u"), U, record("u", id=1), state()], **options)
    assert told(caplog) == []


@pytest.mark.parametrize("options", [{}, FAIL])
@pytest.mark.parametrize("steps", [{}, {"stream_maps": {"other": None}}, {"data_flattening_max_level": 1}])
def test_a_stream_that_is_read_in_full_loses_nothing(
    file: Path, caplog: pytest.LogCaptureFixture, options: Json, steps: Json
) -> None:
    nested = schema("t", {"id": INTEGER, "o": {"type": "object", "properties": {"z": TEXT}}})
    rows = [record("t", 5, id=1, o={"z": "a", "more": 1}, _sdc_deleted_at="2024-01-01T00:00:00Z")]
    rows += [record("t", 5, id=2, o={"z": "b"}), activate("t", 5), U, activate("u", 5)]
    out = load(file, [bookmarks("t", "u"), nested, nested, *rows, state()], **options, **steps)
    assert out == ['{"done": true}']
    assert query(file, "SELECT id FROM t ORDER BY id") == [(1,), (2,)]
    assert "u" in tables(file)
    assert told(caplog) == []


LOSSES: dict[str, list[Json]] = {
    "a record": [T, record("t", id=1), U],
    "a record of another stream first": [U, record("u", 3, id=1), T, record("t", id=1)],
    "no record": [U, record("u", 3, id=1), T],
    "an odd record": [T, record("t", id=1, unknown=2, _sdc_deleted_at="2024-01-01T00:00:00Z")],
    "a second schema": [T, schema("t", {"id": TEXT}), record("t", id="x")],
}


@pytest.mark.parametrize("case", LOSSES)
@pytest.mark.parametrize("elsewhere", [{}, {"default_target_schema": "other"}])
def test_by_a_setting_the_load_ends_and_leaves_no_table_and_no_state_each_time(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    case: str,
    elsewhere: Json,
) -> None:
    if elsewhere:
        run(tmp_path, [T, record("t", id=7), state()])
    for _ in range(2):
        between = state({"bookmarks": {"u": {"replication_key_value": "2025-01-01"}}})
        done = run(tmp_path, [bookmarks("t"), *LOSSES[case], between, state()], **FAIL, **elsewhere)
        [sentence] = complaints(done)
        assert "has no table of stream `t` in the schema" in sentence
        assert "None of these streams is loaded" in sentence
        assert done.stdout == ""
        with_rows = tables(tmp_path / "a.duckdb")
        assert ("t" in with_rows) == bool(elsewhere)
    # The same where states are written at once.
    monkeypatch.setattr("target_duckdb.target._STATE_EVERY", 0)
    schema_of, *rest = LOSSES[case]
    target = TargetDuckDB(config={"filepath": str(tmp_path / "b.duckdb"), **FAIL})
    with pytest.raises(LoadError, match="stream `t`"):
        target.listen(io.StringIO(text_of([bookmarks("t"), schema_of, state({"x": 1}), *rest, state()])))
    target.warehouse.close()
    assert capsys.readouterr().out == ""


def test_a_state_is_written_as_soon_as_no_loss_is_left_to_find(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_duckdb.target._STATE_EVERY", 0)
    load(file, [U, record("u", id=1), state()])
    first = bookmarks("t", "u")
    messages = [first, U, record("u", id=2), state({"n": 1}), T, state({"n": 2}), record("t", 1, id=1), state({"n": 3})]
    assert load(file, messages, **FAIL)[0] == '{"n": 3}'


@pytest.mark.parametrize(
    ("maps", "named"),
    [
        ({"t": {"__alias__": "people"}}, "stream `people`"),
        ({"t": {}, "copy": {"__source__": "t", "id": "id"}}, "streams `t`, `copy`"),
        ({"t": None}, ""),
    ],
)
def test_the_loader_s_stream_maps_lead_to_the_stream_that_has_the_bookmark(
    file: Path, caplog: pytest.LogCaptureFixture, maps: Json, named: str
) -> None:
    load(file, [bookmarks("t"), T, record("t", id=1), state()], stream_maps=maps)
    assert [named in sentence for sentence in told(caplog)] == [True] * bool(named)


def test_many_streams_are_not_all_named(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [f"s{number}" for number in range(9)]
    load(file, [bookmarks(*names), *(schema(name, {"id": INTEGER}) for name in names), state()])
    assert "`s0`, `s1`, `s2`, `s3`, `s4` and 4 more in" in told(caplog)[0]


def test_a_load_that_breaks_off_tells_of_the_loss_all_the_same(tmp_path: Path) -> None:
    done = run(tmp_path, [bookmarks("t"), T, record("t", id=1), "x"])
    assert done.returncode == 1
    assert done.stderr.count("resumes from a state") == 1


def test_the_setting_takes_two_words(tmp_path: Path) -> None:
    done = run(tmp_path, [T], on_missing_table="ignore")
    assert done.returncode == 1
    assert "on_missing_table" in done.stderr


def test_a_table_in_another_spelling_is_the_stream_s(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    query(file, "CREATE TABLE T (ID BIGINT)")
    assert load(file, [bookmarks("t"), T, record("t", id=1), state()], **FAIL) == ['{"done": true}']
    assert list(types(file, "T")) == ["ID", "v"]
    assert told(caplog) == []
