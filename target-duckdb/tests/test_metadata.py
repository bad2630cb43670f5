"""The columns of the SDK, in each combination of who writes them and what the settings say: see the README's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_duckdb.sdk import METADATA

from .singer import INTEGER, MOMENT, TEXT, activate, load, query, record, schema, state, types

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.long

Json = Any

GONE = "2024-01-01T00:00:00Z"
DELETED_AT = "_sdc_deleted_at"
OTHERS: dict[str, Json] = {name: 4711 if name[5] in "st" else GONE for name in METADATA - {DELETED_AT}}
ON_OFF = (False, True)
SPELLINGS: list[Callable[[str], str]] = [str.lower, str.upper, str.title]
SWITCHES = [
    {"add_record_metadata": added, "hard_delete": hard, "stream_maps": {"other": None} if steps else {}}
    for added in ON_OFF
    for hard in ON_OFF
    for steps in ON_OFF
]


def load_of(columns: dict[str, Json], *, declared: bool) -> list[Json]:
    """A stream of three rows, of which the second carries these values, and the third null in their place."""
    kinds = {name: MOMENT if value == GONE else INTEGER for name, value in columns.items()} if declared else {}
    rows: list[dict[str, Json]] = [{"id": 1}, {"id": 2, **columns}, {"id": 3, **dict.fromkeys(columns)}]
    messages: list[Json] = [{"type": "RECORD", "stream": "t", "record": row} for row in rows]
    return [schema("t", {"id": INTEGER} | kinds), *messages, *messages]


@pytest.mark.parametrize("options", SWITCHES)
@pytest.mark.parametrize("spelt", SPELLINGS)
@pytest.mark.parametrize("declared", ON_OFF)
def test_the_time_at_which_a_record_was_deleted_is_kept_and_hard_delete_removes_its_row(
    file: Path,
    caplog: pytest.LogCaptureFixture,
    declared: bool,  # noqa: FBT001  # pytest passes it by name
    spelt: Callable[[str], str],
    options: dict[str, Json],
) -> None:
    for _ in range(2):
        load(file, load_of({spelt(DELETED_AT): GONE}, declared=declared), **options)
    assert set(types(file, "t")) == {"id"} | (METADATA if options["add_record_metadata"] else {DELETED_AT})
    marked = [] if options["hard_delete"] else [(2, "2024-01-01 00:00:00+00")]
    stored = query(file, "SELECT id, _sdc_deleted_at::VARCHAR FROM t ORDER BY id")
    assert stored == [(1, None), *marked, (3, None)]
    assert not [entry for entry in caplog.records if entry.levelname == "WARNING"]


@pytest.mark.parametrize("options", SWITCHES)
@pytest.mark.parametrize("spelt", SPELLINGS)
@pytest.mark.parametrize("declared", ON_OFF)
def test_the_other_columns_are_the_loaders_and_what_a_record_holds_there_is_told_of_once(
    file: Path,
    caplog: pytest.LogCaptureFixture,
    declared: bool,  # noqa: FBT001  # pytest passes it by name
    spelt: Callable[[str], str],
    options: dict[str, Json],
) -> None:
    load(file, load_of({spelt(name): value for name, value in OTHERS.items()}, declared=declared), **options)
    assert set(types(file, "t")) == {"id"} | (METADATA if options["add_record_metadata"] else set())
    assert query(file, "SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]
    told = [entry.getMessage() for entry in caplog.records if entry.levelname == "WARNING"]
    assert sorted(told) == [
        f"stream `t`: the records' own values in the metadata column `{spelt(name)}` are not loaded."
        for name in sorted(OTHERS)
    ]
    if options["add_record_metadata"]:
        held = " OR ".join(f"{name}::VARCHAR IN ('4711', '2024-01-01 00:00:00+00')" for name in OTHERS)
        assert query(file, f"SELECT id FROM t WHERE {held}") == []  # noqa: S608  # our own names


@pytest.mark.parametrize("added", ON_OFF)
@pytest.mark.parametrize("spelt", ["_sdc_deleted_at", "_SDC_DELETED_AT"])
def test_a_deletion_that_is_taken_back_and_a_blank_one_leave_the_row_alive(
    file: Path,
    added: bool,  # noqa: FBT001  # pytest passes it by name
    spelt: str,
) -> None:
    values: list[dict[str, Json]] = [{"id": 1, spelt: GONE}, {"id": 1, spelt: None}, {"id": 2, spelt: ""}]
    rows = [{"type": "RECORD", "stream": "t", "record": row} for row in values]
    load(file, [schema("t", {"id": INTEGER, spelt: TEXT}), *rows], add_record_metadata=added)
    assert query(file, "SELECT id FROM t WHERE _sdc_deleted_at IS NULL ORDER BY id") == [(1,), (2,)]


@pytest.mark.parametrize("added", ON_OFF)
@pytest.mark.parametrize("hard", ON_OFF)
def test_versions_and_deletions_of_records_meet_in_a_table_of_another_loader(
    file: Path,
    added: bool,  # noqa: FBT001  # pytest passes it by name
    hard: bool,  # noqa: FBT001  # the same
) -> None:
    query(file, "CREATE TABLE t (id BIGINT, _SDC_DELETED_AT TIMESTAMPTZ, _SDC_TABLE_VERSION BIGINT)")
    query(file, "INSERT INTO t VALUES (1, NULL, 1), (2, NULL, 1)")
    messages = [schema("t", {"id": INTEGER}), record("t", 2, id=2), record("t", 2, id=3, _sdc_deleted_at=GONE)]
    load(file, [*messages, activate("t", 2), state()], hard_delete=hard, add_record_metadata=added)
    assert query(file, "SELECT id FROM t WHERE _sdc_deleted_at IS NULL") == [(2,)]
    assert query(file, "SELECT count(*) FROM t") == [(1 if hard else 3,)]
