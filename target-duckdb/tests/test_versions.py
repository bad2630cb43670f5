from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .singer import INTEGER, TEXT, activate, load, query, record, schema, state, types

if TYPE_CHECKING:
    from pathlib import Path

    from .singer import Message

PEOPLE = schema("t", {"id": INTEGER, "name": TEXT})
LIVE = "SELECT id FROM t WHERE _sdc_deleted_at IS NULL ORDER BY id"


def rows(version: int | None, *ids: int) -> list[Message]:
    return [record("t", version, id=i, name="x") for i in ids]


def test_no_extra_column_exists_where_no_version_was_sent(file: Path) -> None:
    load(file, [PEOPLE, *rows(None, 1)])
    assert list(types(file, "t")) == ["id", "name"]


def test_the_deletion_column_exists_only_after_an_announcement(file: Path) -> None:
    load(file, [PEOPLE, *rows(7, 1)])
    assert list(types(file, "t")) == ["id", "name", "_sdc_table_version"]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_rows_that_are_gone_are_marked_and_rows_that_return_are_not(file: Path, size: int) -> None:
    load(file, [PEOPLE, *rows(1, 1, 2, 3), activate("t", 1), state()], batch_size_rows=size)
    assert query(file, LIVE) == [(1,), (2,), (3,)]
    load(file, [PEOPLE, *rows(2, 1, 4), activate("t", 2), state()], batch_size_rows=size)
    assert query(file, LIVE) == [(1,), (4,)]
    marked = query(file, "SELECT id, _sdc_deleted_at FROM t WHERE id IN (2, 3) ORDER BY id")
    load(file, [PEOPLE, *rows(3, 1, 2, 4), activate("t", 3), state()], batch_size_rows=size)
    assert query(file, LIVE) == [(1,), (2,), (4,)]
    assert query(file, "SELECT id, _sdc_deleted_at FROM t WHERE id = 3") == marked[1:]


def test_hard_delete_removes_what_is_gone(file: Path) -> None:
    load(file, [PEOPLE, *rows(1, 1, 2), activate("t", 1), state()])
    load(file, [PEOPLE, *rows(2, 2), activate("t", 2), state()], hard_delete=True)
    assert query(file, "SELECT id FROM t") == [(2,)]


def test_rows_loaded_before_versions_came_are_marked_when_they_are_gone(file: Path) -> None:
    load(file, [PEOPLE, *rows(None, 1, 2)])
    load(file, [PEOPLE, *rows(5, 2), activate("t", 5), state()])
    assert query(file, LIVE) == [(2,)]


def test_a_run_that_broke_off_before_its_announcement_marks_nothing(file: Path) -> None:
    load(file, [PEOPLE, *rows(1, 1, 2), activate("t", 1), state()])
    load(file, [PEOPLE, *rows(2, 1)])
    assert query(file, LIVE) == [(1,), (2,)]


def test_a_table_that_is_empty_at_the_source_is_marked_at_the_end(file: Path) -> None:
    load(file, [PEOPLE, *rows(1, 1, 2), activate("t", 1), state()])
    load(file, [PEOPLE, activate("t", 2), state()])
    assert query(file, LIVE) == []


@pytest.mark.parametrize("hard", [False, True])
def test_a_version_announced_before_its_rows_keeps_the_rows_that_follow(file: Path, hard: bool) -> None:  # noqa: FBT001  # pytest passes it by name
    load(file, [PEOPLE, activate("t", 1), *rows(1, 1, 2), state()], hard_delete=hard)
    assert query(file, LIVE) == [(1,), (2,)]
    load(file, [PEOPLE, activate("t", 2), *rows(2, 2, 3), state()], hard_delete=hard)
    assert query(file, LIVE) == [(2,), (3,)]
    assert query(file, "SELECT count(*) FROM t") == [(3,)]


def test_a_version_announced_first_by_a_tap_that_breaks_off_marks_nothing(file: Path) -> None:
    load(file, [PEOPLE, *rows(1, 1, 2, 3), activate("t", 1), state()])
    load(file, [PEOPLE, state(), activate("t", 2), *rows(2, 1)])
    load(file, [PEOPLE, state(), activate("t", 3)])
    assert query(file, LIVE) == [(1,), (2,), (3,)]


def test_a_version_announced_first_and_last_acts_the_second_time(file: Path) -> None:
    load(file, [PEOPLE, *rows(1, 1, 2), activate("t", 1), state()])
    load(file, [PEOPLE, activate("t", 2), *rows(2, 1), activate("t", 2), *rows(2, 3)])
    assert query(file, LIVE) == [(1,), (3,)]


def test_an_announcement_for_records_without_a_version_is_refused(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    load(file, [PEOPLE, *rows(None, 1, 2), activate("t", 1), state()])
    assert query(file, "SELECT id FROM t ORDER BY id") == [(1,), (2,)]
    assert "without a version" in caplog.text


def test_the_announcement_of_one_stream_leaves_the_others_alone(file: Path) -> None:
    other = schema("u", {"id": INTEGER})
    load(file, [PEOPLE, other, *rows(1, 1), record("u", 1, id=1), activate("t", 1), activate("u", 1), state()])
    load(file, [PEOPLE, other, *rows(2, 2), record("u", 2, id=2), activate("t", 2), state()])
    assert query(file, LIVE) == [(2,)]
    assert query(file, "SELECT id FROM u WHERE _sdc_deleted_at IS NULL ORDER BY id") == [(1,), (2,)]


@pytest.mark.parametrize(("hard", "left"), [(False, [(1, False), (2, True)]), (True, [(1, False)])])
def test_a_deletion_that_the_record_itself_tells_of_is_kept(
    file: Path,
    hard: bool,  # noqa: FBT001  # pytest passes it by name
    left: list[tuple[int, bool]],
) -> None:
    told = schema("t", {"id": INTEGER, "_sdc_deleted_at": {"type": ["null", "string"], "format": "date-time"}})
    gone = record("t", id=2, _sdc_deleted_at="2024-01-01T00:00:00Z")
    load(file, [told, record("t", id=1), record("t", id=2), gone], hard_delete=hard)
    assert query(file, "SELECT id, _sdc_deleted_at IS NOT NULL FROM t ORDER BY id") == left


def test_versions_can_be_switched_off(file: Path) -> None:
    load(file, [PEOPLE, *rows(1, 1), activate("t", 1), state()])
    load(file, [PEOPLE, *rows(2, 2), activate("t", 2), state()], process_activate_version_messages=False)
    assert query(file, LIVE) == [(1,), (2,)]


@pytest.mark.parametrize("hard", [False, True])
def test_a_table_that_is_empty_at_the_source_is_emptied_by_hard_delete(file: Path, hard: bool) -> None:  # noqa: FBT001  # pytest passes it by name
    load(file, [PEOPLE, *rows(1, 1, 2), activate("t", 1), state()])
    load(file, [PEOPLE, activate("t", 2)], hard_delete=hard)
    assert query(file, LIVE) == [(1,), (2,)]
    load(file, [PEOPLE, activate("t", 2), state()], hard_delete=hard)
    assert query(file, LIVE) == []
    assert query(file, "SELECT count(*) FROM t") == [(0 if hard else 2,)]


@pytest.mark.parametrize("first", [[], [state()], [schema("u", {"id": INTEGER}), record("u", 1, id=7)]])
def test_a_version_announced_before_its_schema_waits_for_it(file: Path, first: list[Message]) -> None:
    load(file, [PEOPLE, *rows(1, 1, 2), activate("t", 1), state()])
    load(file, [*first, activate("t", 2), PEOPLE, *rows(2, 2, 3), state()])
    assert query(file, LIVE) == [(2,), (3,)]
    if len(first) > 1:
        assert query(file, "SELECT id FROM u") == [(7,)]


def test_a_version_announced_without_a_schema_is_told_of_and_costs_no_row(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = load(file, [PEOPLE, *rows(1, 1), activate("other", 1), *rows(1, 2), activate("t", 1), state()])
    assert out == ['{"done": true}']
    assert query(file, LIVE) == [(1,), (2,)]
    assert "stream `other`: ACTIVATE_VERSION is ignored, because no SCHEMA message came." in caplog.messages
