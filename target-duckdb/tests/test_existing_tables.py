"""Tables that another loader has made, and columns that match but for case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_duckdb.errors import LoadError

from .singer import INTEGER, MOMENT, NUMBER, TEXT, activate, complaints, load, query, record, run, schema, state, types

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long

OBJECT = {"type": ["null", "object"]}
PEOPLE = schema("Users", {"Id": INTEGER, "firstName": TEXT}, ("Id",))
ANNA = record("Users", Id=1, firstName="Anna")
BEN = record("Users", Id=2, firstName="Ben")


def everything(file: Path) -> list[tuple[Any, ...]]:
    """Content of a file except its rows."""
    return query(file, "SELECT sql FROM duckdb_tables() UNION ALL SELECT sql FROM duckdb_views() ORDER BY 1")


@pytest.mark.parametrize("key", ["BIGINT", "BIGINT NOT NULL", "HUGEINT PRIMARY KEY", "INTEGER PRIMARY KEY"])
def test_a_table_and_columns_that_match_but_for_case_are_taken(file: Path, key: str) -> None:
    query(file, f"CREATE TABLE users (id {key}, firstname VARCHAR)")
    query(file, "INSERT INTO users VALUES (1, 'A'), (3, 'C')")
    for _ in range(2):
        load(file, [PEOPLE, ANNA, BEN, state()])
        assert query(file, "SELECT table_name FROM duckdb_tables()") == [("users",)]
        assert query(file, "FROM users ORDER BY id") == [(1, "Anna"), (2, "Ben"), (3, "C")]
        assert list(types(file, "users")) == ["id", "firstname"]


def test_taken_columns_go_the_quick_way(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query(file, "CREATE TABLE users (ID BIGINT, firstname VARCHAR)")
    monkeypatch.setattr("target_duckdb.sink.DuckDBSink.stage_record", lambda *_: pytest.fail("the slow way"))
    load(file, [PEOPLE, ANNA, BEN])
    assert query(file, "SELECT count(firstname) FROM users") == [(2,)]


@pytest.mark.parametrize("order", [["Id", "ID", "id"], ["id", "Id", "ID"]])
@pytest.mark.parametrize("there", ["id", "ID", "iD"])
def test_of_properties_that_differ_only_by_case_one_has_the_column_and_all_keep_theirs(
    file: Path, order: list[str], there: str
) -> None:
    query(file, f"CREATE TABLE t ({there} VARCHAR)")
    for number, names in enumerate([order, list(reversed(order)), order[:1], order[1:], order[2:], order]):
        load(
            file,
            [
                schema("t", dict.fromkeys(names, TEXT), ()),
                record("t", None, **{name: f"{name}{number}" for name in names}),
            ],
        )
    columns = list(types(file, "t"))
    assert len(columns) == 3
    assert columns[0] == there
    held = {column: {row[0][:-1] for row in query(file, f'SELECT "{column}" FROM t') if row[0]} for column in columns}  # noqa: S608  # the test's own names
    assert sorted(map(sorted, held.values())) == [["ID"], ["Id"], ["id"]]
    if there in order:
        assert held[there] == {there}


def test_streams_that_differ_only_by_case_have_a_table_each_in_every_run(file: Path) -> None:
    query(file, "CREATE TABLE users (id BIGINT)")
    streams = ["Users", "USERS", "users"]
    for number, names in enumerate([streams, list(reversed(streams)), *([name] for name in streams)]):
        messages: list[Any] = []
        for name in names:
            messages += [schema(name, {"id": INTEGER}), record(name, id=streams.index(name) * 10 + number)]
        load(file, messages)
    tables = [name for (name,) in query(file, "SELECT table_name FROM duckdb_tables()")]
    held = [{row[0] // 10 for row in query(file, f'SELECT id FROM "{name}"')} for name in tables]  # noqa: S608  # the test's own names
    assert sorted(map(list, held)) == [[0], [1], [2]]


def test_columns_that_the_loader_adds_itself_are_found_in_any_case(file: Path) -> None:
    query(file, "CREATE TABLE t (ID BIGINT, _SDC_DELETED_AT VARCHAR, _SDC_TABLE_VERSION INTEGER)")
    query(file, "INSERT INTO t (ID) VALUES (1), (2)")
    load(file, [schema("t", {"id": INTEGER}), record("t", 7, id=2), activate("t", 7), state()])
    assert query(file, "SELECT ID, _SDC_DELETED_AT IS NULL FROM t ORDER BY ID") == [(1, False), (2, True)]
    assert list(types(file, "t")) == ["ID", "_SDC_DELETED_AT", "_SDC_TABLE_VERSION"]


def test_what_no_row_need_have_is_not_requested_of_it(file: Path) -> None:
    query(file, "CREATE TABLE users (id BIGINT NOT NULL, firstname VARCHAR NOT NULL, gone VARCHAR NOT NULL)")
    load(file, [PEOPLE, ANNA, record("Users", Id=2)])
    assert query(file, "FROM users ORDER BY id") == [(1, "Anna", None), (2, None, None)]


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("PRIMARY KEY (id)", ()),
        ("PRIMARY KEY (id)", ("mail",)),
        ("PRIMARY KEY (id, mail)", ("id",)),
        ("PRIMARY KEY (gone)", ("id",)),
    ],
)
def test_a_primary_key_that_is_not_the_streams_is_given_up_with_a_warning_and_a_view_stays(
    file: Path, caplog: pytest.LogCaptureFixture, key: str, keys: tuple[str, ...]
) -> None:
    query(file, f"CREATE TABLE t (id BIGINT, mail VARCHAR, gone INTEGER, {key}); CREATE VIEW v AS FROM t")
    query(file, "INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)")
    load(
        file,
        [schema("t", {"id": INTEGER, "mail": TEXT}, keys), record("t", id=1, mail="x"), record("t", id=3, mail="x")],
    )
    assert len(query(file, "FROM v")) == {(): 4, ("mail",): 3, ("id",): 3}[keys]
    assert query(file, "SELECT table_name FROM duckdb_tables()") == [("t",)]
    assert sum("the primary key of the table main.t is dropped" in entry.getMessage() for entry in caplog.records) == 1


def test_a_primary_key_does_not_keep_its_columns_narrow(file: Path) -> None:
    query(file, "CREATE TABLE t (id INTEGER, day TIMESTAMP, n INTEGER, PRIMARY KEY (id, day))")
    query(file, "INSERT INTO t VALUES (1, '2024-01-01', 1)")
    told = schema("t", {"id": INTEGER, "day": MOMENT, "n": NUMBER}, ("id", "day"))
    load(
        file,
        [told, record("t", id=1, day="2024-01-01T01:00:00+01:00", n=2), record("t", id=2**40, day="2024-01-01", n=3)],
    )
    assert query(file, "SELECT id, n FROM t ORDER BY id") == [(1, 2.0), (2**40, 3.0)]


WIDER, FREE = "column `id`: it has to become BIGINT, but the ", "column `n`: it has to take NULL, but the "
IN_THE_WAY = [
    ("CREATE TABLE t (id INTEGER UNIQUE, n VARCHAR)", f"{WIDER}constraint UNIQUE"),
    ("CREATE TABLE t (id INTEGER CHECK (id > 0), n VARCHAR)", f"{WIDER}constraint CHECK"),
    ("CREATE TABLE t (id INTEGER, n VARCHAR); CREATE INDEX i ON t (n)", f"{WIDER}index `i`"),
    ("CREATE TABLE t (id INTEGER PRIMARY KEY, n VARCHAR UNIQUE)", "`id`: it cannot stay in the primary key"),
    ("CREATE TABLE t (id INTEGER PRIMARY KEY, n VARCHAR); CREATE TABLE u (t INTEGER REFERENCES t (id))", "key of `u`"),
    ("CREATE TABLE t (id BIGINT, n VARCHAR NOT NULL); CREATE INDEX i ON t (n)", f"{FREE}index `i`"),
    ("CREATE TABLE t (id BIGINT, n VARCHAR AS (id::VARCHAR))", "column `n`: it has to take values, but the expression"),
    (
        "CREATE TABLE t (id BIGINT, n VARCHAR PRIMARY KEY, x INT CHECK (x > 0))",
        "`n`: it cannot stay in the primary key",
    ),
    ("CREATE TABLE u (id BIGINT); CREATE VIEW T AS FROM u", "main.T is a view"),
]


@pytest.mark.parametrize(("made", "told"), IN_THE_WAY)
def test_what_is_in_the_way_is_named_before_anything_is_changed(file: Path, made: str, told: str) -> None:
    query(file, made)
    before = everything(file)
    messages = [schema("t", {"a": TEXT, "id": INTEGER, "n": TEXT}), record("t", 1, id=1, n="x")]
    with pytest.raises(LoadError) as refused:
        load(file, messages, default_target_schema="main")
    assert str(refused.value).startswith("stream `t`")
    assert told in str(refused.value)
    assert everything(file) == before


def test_a_row_that_a_constraint_refuses_is_not_quoted_and_its_stream_is_named(file: Path) -> None:
    query(file, "CREATE TABLE t (id BIGINT, n VARCHAR UNIQUE, x BIGINT CHECK (x > 0))")
    people = schema("t", {"id": INTEGER, "n": TEXT, "x": INTEGER})
    for values, kind in (({"n": "4711"}, "UNIQUE"), ({"x": -4711}, "CHECK")):
        with pytest.raises(
            LoadError, match=f"^stream `t`: a record violates a constraint of the table main.t .*{kind}"
        ) as refused:
            load(file, [people, record("t", id=1, **values), record("t", id=2, **values)])
        assert "4711" not in str(refused.value)
    assert query(file, "FROM t") == []


TYPES: list[tuple[str, str, Any, Any, str]] = [  # type, value, property, another value, both as text
    ("VARCHAR", "'2024-01-01 10:00:00'", MOMENT, "2024-01-02T00:00:00Z", "2024-01-01 10:00:00 2024-01-02T00:00:00Z"),
    ("TIMESTAMP", "'2024-01-01 10:00:00.5'", MOMENT, "2024-01-02T01:00:00+01:00",
     "2024-01-01 10:00:00.5+00 2024-01-02 00:00:00+00"),
    ("TIMESTAMP_S", "'2024-01-01 10:00:00'", MOMENT, "2024-01-02T00:00:00Z",
     "2024-01-01 10:00:00+00 2024-01-02 00:00:00+00"),
    ("TIMESTAMP", "'2024-01-01 10:00:00.5'", TEXT, "x", "2024-01-01T10:00:00.500000Z x"),
    ("DATE", "'2024-01-01'", MOMENT, "2024-01-02T00:00:00Z", "2024-01-01 2024-01-02T00:00:00Z"),
    ("TIME", "'10:00:00'", TEXT, "11:00:00", "10:00:00 11:00:00"),
    ("DECIMAL(9, 2)", "1.50", NUMBER, 2.25, "1.50 2.25"),
    ("FLOAT", "1.5", NUMBER, 2.25, "1.5 2.25"),
    ("TINYINT", "1", INTEGER, 2**40, f"1 {2**40}"),
    ("UBIGINT", f"{2**63}", INTEGER, 2**40, f"{2**63} {2**40}"),
    ("HUGEINT", f"{2**70}", INTEGER, 2**40, f"{2**70} {2**40}"),
    ("INTEGER", "1", NUMBER, 0.5, "1.0 0.5"),
    ("UUID", "'0b9f1c54-2d0f-4e4b-8a48-0a5d7c9c1f11'", TEXT, "x", "0b9f1c54-2d0f-4e4b-8a48-0a5d7c9c1f11 x"),
    ("STRUCT(a INTEGER)", "{'a': 1}", OBJECT, {"b": 2}, '{"a":1} {"b":2}'),
    ("STRUCT(a INTEGER)[]", "[{'a': 1}]", {"type": "array"}, [2], '[{"a":1}] [2]'),
    ("INTEGER[3]", "[1, 2, 3]", TEXT, "x", "[1,2,3] x"),
    ("MAP(VARCHAR, INTEGER)", "MAP {'a': 1}", TEXT, "x", '{"a":1} x'),
    ("JSON", "'{\"a\": 1}'", OBJECT, {"b": 2}, '{"a": 1} {"b":2}'),
    ("ENUM('a', 'b')", "'a'", TEXT, "x", "a x"),
]  # fmt: skip


@pytest.mark.parametrize("case", TYPES, ids=lambda case: f"{case[0]}-{case[3]}")
def test_columns_of_other_types_keep_their_values_and_take_new_ones(
    file: Path, case: tuple[str, str, Any, Any, str]
) -> None:
    kind, value, told, new, texts = case
    query(file, f"CREATE TABLE t (id BIGINT, V {kind}); INSERT INTO t VALUES (1, {value}), (2, NULL)")  # noqa: S608  # the test's own
    load(file, [schema("t", {"id": INTEGER, "v": told}), record("t", id=3, v=new)])
    assert query(file, "SELECT string_agg(v::VARCHAR, ' ' ORDER BY id) FROM t") == [(texts,)]
    assert len(query(file, "FROM t")) == 3


def test_a_stream_that_0_8_0_kept_under_another_name_is_told_of_before_anything_is_changed(file: Path) -> None:
    query(file, "CREATE TABLE users (id HUGEINT PRIMARY KEY, name VARCHAR); INSERT INTO users VALUES (1, 'a')")
    before = everything(file)
    messages = [schema("public-users", {"Id": INTEGER, "name": TEXT}, ("Id",)), record("public-users", Id=1, name="b")]
    with pytest.raises(LoadError, match=r"^stream `public-users`: there is no table `public-users`") as refused:
        load(file, messages)
    assert everything(file) == before
    renamed = str(refused.value).partition("To go on with it: ")[2].partition(". If ")[0]
    query(file, renamed)
    load(file, messages)
    assert query(file, 'FROM "public-users"') == [(1, "b")]


@pytest.mark.parametrize(
    ("stream", "table"),
    [("public-users", "users"), ("db-public-users", "users"), ("a-b-c-D", "c_d"), ("crm.Users", "crm_users")],
)
def test_the_names_of_0_8_0_are_known(file: Path, stream: str, table: str) -> None:
    query(file, f"CREATE TABLE {table} (id HUGEINT PRIMARY KEY)")
    with pytest.raises(LoadError, match=f"`{table}`, in which target-duckdb 0.8.0 keeps this stream"):
        load(file, [schema(stream, {"id": INTEGER})])


def test_another_table_that_only_looks_like_a_streams_is_left_alone(file: Path) -> None:
    query(file, "CREATE TABLE users (id BIGINT, name VARCHAR); CREATE TABLE people (mail VARCHAR PRIMARY KEY)")
    for stream in ("public-users", "public-people"):
        load(file, [schema(stream, {"id": INTEGER}), record(stream, id=1)])
        assert query(file, f'FROM "{stream}"') == [(1,)]  # the test's own names
    messages = [schema(stream, {"id": INTEGER}) for stream in ("orders", "crm-orders")]
    load(file, [*messages, record("orders", id=1), record("crm-orders", id=2)])
    assert query(file, 'FROM orders, "crm-orders"') == [(1, 2)]


@pytest.mark.parametrize(
    "given",
    [
        {"database": "a"},
        {"dbname": "a", "token": "", "settings": {}, "schema_mapping": {}},
        {"database": None, "token": None, "schema_mapping": None},
        {"delimiter": ",", "quotechar": '"', "flush_all_streams": True, "primary_key_required": False},
        {"default_target_schema": " main "},
    ],
)
def test_settings_of_0_8_0_that_change_nothing_are_taken(tmp_path: Path, given: dict[str, Any]) -> None:
    done = run(tmp_path, [schema("t", {"id": INTEGER}), record("t", id=1)], **given)
    assert done.returncode == 0, done.stderr
    assert query(tmp_path / "a.duckdb", "FROM main.t") == [(1,)]


@pytest.mark.parametrize("more", [{}, {"default_target_schema": "crm"}])
def test_a_schema_mapping_to_one_schema_is_that_schema(file: Path, more: dict[str, str]) -> None:
    mapping = {"public": {"target_schema": "crm", "indices": {"users": ["id"]}}, "sales": {"target_schema": "crm"}}
    load(file, [schema("public-users", {"id": INTEGER}), record("public-users", id=1)], schema_mapping=mapping, **more)
    assert query(file, 'FROM crm."public-users"') == [(1,)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"token": "s3cret"},
            "`token` of target-duckdb 0.8.0 is not supported: this loader writes to files, not to MotherD",
        ),
        ({"settings": {"threads": 4}}, "Setting `settings` of target-duckdb 0.8.0 is not supported: DuckDB's own set"),
        (
            {"database": "b"},
            "Setting `database` is not the name of the file, which DuckDB uses as the name of the database",
        ),
        ({"schema_mapping": {"a": {"target_schema": "x"}, "b": {"target_schema": "y"}}}, "names several schemas"),
        ({"schema_mapping": {"a": {"target_schema": "x"}}, "default_target_schema": "main"}, "names several schemas"),
        ({"schema_mapping": {"a": {}}}, "`schema_mapping` names several schemas"),
    ],
)
def test_settings_of_0_8_0_that_are_gone_are_named_with_what_to_do(
    tmp_path: Path, given: dict[str, Any], told: str
) -> None:
    (complaint,) = complaints(run(tmp_path, ["this is not read"], **given))
    assert told in complaint
    assert "s3cret" not in complaint
    assert not (tmp_path / "a.duckdb").exists()


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("CREATE TABLE t (id BIGINT, v VARCHAR CHECK (length(v) < 2))", "(CHECK on `v`)"),
        ("CREATE TABLE t (id BIGINT, v VARCHAR CHECK (v::DATE > '2020-01-01'))", "CHECK on `v`"),
        ("CREATE TABLE t (id BIGINT, v VARCHAR CHECK (error(v) IS NULL))", "CHECK on `v`"),
        ("CREATE TABLE t (id BIGINT, v VARCHAR UNIQUE)", "(UNIQUE on `v`)"),
        ("CREATE TABLE t (id BIGINT, v VARCHAR, g INT AS (v::INT))", "the expression of the column `g`"),
        ("CREATE TABLE p (x VARCHAR UNIQUE); CREATE TABLE t (id BIGINT, v VARCHAR REFERENCES p (x))", "FOREIGN KEY"),
        ("CREATE TABLE t (id BIGINT, v VARCHAR); CREATE INDEX i ON t ((v::INT))", "(TransactionException)"),
    ],
)
def test_of_a_row_that_duckdb_refuses_the_log_has_nothing_but_names_of_the_catalog(
    tmp_path: Path, file: Path, made: str, told: str
) -> None:
    query(file, made)
    value = "4711'\"\n4711 stream `x`\x1b[31m"
    rows = [record("t", id=number, v=value) for number in range(2)]
    done = run(tmp_path, [schema("t", {"id": INTEGER, "v": TEXT}), *rows, state()])
    assert done.returncode == 1
    assert told in done.stderr
    assert "4711" not in done.stderr.replace(str(tmp_path), "")
    assert query(file, "FROM t") == []
