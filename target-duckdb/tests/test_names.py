"""Tables and columns keep their names, whichever of them come in a run, and in whichever part of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from target_duckdb.columns import identifier
from target_duckdb.errors import LoadError
from target_duckdb.names import column_names, suffixed, table_name

from .singer import INTEGER, TEXT, activate, load, query, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.long

NAMES = ["id", "Id", "ID", suffixed("Id"), suffixed("Id").lower(), suffixed("Id").upper(), suffixed(suffixed("Id")),
         suffixed("Id", 1), suffixed(suffixed("Id"), 1), "", "\0", suffixed(""), "a\0b", suffixed("a\0b")]  # fmt: skip
subsets = st.lists(st.sampled_from(NAMES), max_size=6, unique=True)


def is_one(name: str, other: str, stored: str) -> bool:
    """Return whether two names may be stored as one: if they differ at most by case."""
    return name == other or name.lower() == other.lower() == stored.lower()


@settings(max_examples=300, deadline=None)
@given(st.lists(subsets, max_size=6), st.none() | st.sampled_from(["id", "ID", "iD"]))
def test_a_property_has_one_column_in_every_run_and_no_two_have_the_same(runs: list[list[str]], first: str) -> None:
    columns = [first] if first else []
    whose: dict[str, str] = {}
    for names in runs:
        found = column_names(names, columns)
        for name, column in found.items():
            assert is_one(whose.setdefault(column, name), name, column)
            assert "\0" not in column != ""
        assert len(set(found.values())) == len(names)
        columns += [column for column in found.values() if column not in columns]
    lower = [column.lower() for column in columns]
    assert len(set(lower)) == len(lower)


@settings(max_examples=300, deadline=None)
@given(st.lists(subsets, max_size=6))
def test_a_stream_has_one_table_in_every_run_and_no_two_have_the_same(runs: list[list[str]]) -> None:
    tables: list[str] = []
    whose: dict[str, str] = {}
    for streams in runs:
        others: list[str] = []
        for stream in streams:
            table = table_name(stream, tables, others)
            assert is_one(whose.setdefault(table, stream), stream, table)
            assert table not in others
            others.append(table)
            tables += [table] * (table not in tables)
    assert len({table.lower() for table in tables}) == len(tables)


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.permutations(["o", "O", "o__a", "O__A"]), st.booleans())
def test_a_column_that_comes_within_a_run_takes_none_that_a_property_has(names: Sequence[str], taken: bool) -> None:  # noqa: FBT001  # hypothesis passes it
    nested = {"type": "object", "properties": {"a": TEXT}}
    kinds: dict[str, Any] = {name: nested if name == "o" else TEXT for name in names}
    rows: list[dict[str, Any]] = [{name: {"a": "a"} if name == "o" else name for name in names}]
    rows += [{"o": {"a": "b", "more": 1}, "O": "O", "O__A": "O__A"}, rows[0]]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.duckdb"
        if taken:
            query(file, "CREATE TABLE t (O VARCHAR, o__A VARCHAR)")
        for _ in range(2):
            messages = [schema("t", kinds, ()), *({"type": "RECORD", "stream": "t", "record": row} for row in rows)]
            load(file, messages, data_flattening_max_level=1)
        held = {tuple(sorted(value for value in row if value is not None)) for row in query(file, "FROM t")}
        columns = [name for (name, *_) in query(file, "DESCRIBE t")]
        by_column = {one: {value for (value,) in query(file, f"SELECT {identifier(one)} FROM t")} for one in columns}  # noqa: S608  # quoted
    assert held == {("O", "O__A", "a", "o__a"), ("O", "O__A", "b", '{"more":1}')}
    assert sorted(sorted(values - {None}) for values in by_column.values()) == [
        ["O"], ["O__A"], ["a", "b"], ["o__a"], ['{"more":1}']
    ]  # fmt: skip


def test_a_column_of_the_loader_s_own_that_cannot_become_wider_is_named_with_what_is_in_the_way(file: Path) -> None:
    query(file, "CREATE TABLE t (id BIGINT, _SDC_TABLE_VERSION INTEGER); CREATE INDEX i ON t (id)")
    with pytest.raises(LoadError, match="stream `t`, column `_SDC_TABLE_VERSION`: it has to become BIGINT, but the in"):
        load(file, [schema("t", {"id": INTEGER}), record("t", 1, id=1), activate("t", 1), state()])
