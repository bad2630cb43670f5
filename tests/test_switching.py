"""From PyPI's target-duckdb 0.8.0 to this loader, by the commands of the page, on a file that 0.8.0 has made."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from commands import BIN
from loaded import ROOT
from targets import Environment, NotInstalledError, installed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long

PAGE = (ROOT / "docs" / "guides" / "switching-from-target-duckdb-0.8.0.md").read_text(encoding="utf-8")
COPY, LOAD, RENAME = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
[TOLD] = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
[SETTINGS] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)

TEXT, WHOLE = {"type": ["null", "string"]}, {"type": ["null", "integer"], "minimum": -(2**31), "maximum": 2**31 - 1}
USERS = {
    "Id": {"type": "integer"},
    "firstName": TEXT,
    "Active": {"type": ["null", "boolean"]},
    "signedUp": {**TEXT, "format": "date-time"},
    "wakesAt": {**TEXT, "format": "time"},
    "Visits": WHOLE,
    "tags": {"type": ["null", "array"]},
    "Address": {"type": ["null", "object"], "properties": {"zipCode": TEXT}},
}
ANNA = {
    "Id": 1,
    "firstName": "",
    "Active": False,
    "signedUp": "2024-01-01T02:00:00+02:00",
    "wakesAt": "06:30:00",
    "Visits": 7,
    "tags": [],
    "Address": {"zipCode": "1"},
}
BEN = ANNA | {"Id": 2, "firstName": "Ben", "signedUp": "2024-01-01T10:00:00.5Z"}
ORDERS = {"orderNo": WHOLE | {"type": "integer"}, "userId": {"type": ["null", "integer"]}}


def messages(users: list[dict[str, Any]], orders: list[dict[str, Any]]) -> bytes:
    """The messages of a tap that has two streams."""
    told: list[dict[str, Any]] = []
    for stream, properties, rows in (("orders", ORDERS, orders), ("public-users", USERS, users)):
        key = [next(iter(properties))]
        told.append({"type": "SCHEMA", "stream": stream, "schema": {"properties": properties}, "key_properties": key})
        told += [{"type": "RECORD", "stream": stream, "record": row, "version": 1} for row in rows]
        told.append({"type": "ACTIVATE_VERSION", "stream": stream, "version": 1})
    return "".join(f"{json.dumps(one)}\n" for one in [*told, {"type": "STATE", "value": {}}]).encode()


def rows(file: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table by their key, but for when they came."""
    with duckdb.connect(file) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        query = f"SELECT COLUMNS('^[^_]')::VARCHAR FROM \"{table}\" ORDER BY 1"  # noqa: S608  # the test's own
        found = connection.execute(query)
        assert found.description
        return [dict(zip([one[0] for one in found.description], row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The loader of PyPI, with a DuckDB with which it keeps every row of this test."""
    try:
        return installed("target-duckdb", tmp_path_factory.mktemp("known") / "environment")
    except NotInstalledError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def folder(known: Environment, tmp_path: Path) -> Path:
    """A folder with what 0.8.0 has loaded, a tap and this loader."""
    known.run(messages([ANNA, BEN], [{"orderNo": 1, "userId": 1}]), json.loads(SETTINGS) | {
        "path": str(tmp_path / "warehouse.duckdb")
    })  # fmt: skip
    (tmp_path / "target.json").write_text(SETTINGS)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    commands = {name: f'exec {BIN / name} "$@"' for name in ("target-duckdb", "python")}
    for name, command in (commands | {"tap-calendly": "cat messages"}).items():
        program = tmp_path / ".venv" / "bin" / name
        program.write_text(f"#!/bin/sh\n{command}\n")
        program.chmod(0o755)
    return tmp_path


def types(folder: Path, block: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", block], cwd=folder, capture_output=True, text=True, check=False, timeout=100)


def test_the_commands_of_the_page_go_on_with_the_tables_that_0_8_0_has_made(folder: Path) -> None:
    file = folder / "warehouse.duckdb"
    assert types(folder, COPY).returncode == 0
    before = rows(file, "users")
    assert [row["firstname"] for row in before] == [None, "Ben"]
    (folder / "messages").write_bytes(messages([ANNA, BEN | {"Id": 3}], [{"orderNo": 1, "userId": 2**40}]))

    refused = types(folder, LOAD)
    assert refused.returncode == 1
    assert TOLD in refused.stderr
    assert "Traceback" not in refused.stderr
    assert rows(file, "users") == before
    assert types(folder, RENAME).returncode == 0
    for _ in range(2):
        done = types(folder, LOAD)
        assert done.returncode == 0, done.stderr

    assert rows(file, "orders") == [{"orderno": "1", "userid": str(2**40)}]
    users = {row["id"]: row for row in rows(file, "public-users")}
    assert users["1"] == {
        "id": "1",
        "firstname": "",
        "active": "false",
        "signedup": "2024-01-01 00:00:00+00",
        "wakesat": "06:30:00",
        "visits": "7",
        "tags": "[]",
        "address": '{"zipCode":"1"}',
    }
    assert users["2"] == users["3"] | {"id": "2", "address": '{"zipCode": "1"}'}
    with duckdb.connect(file) as connection:
        live = connection.execute('SELECT id FROM "public-users" WHERE _sdc_deleted_at IS NULL ORDER BY id').fetchall()
        assert live == [(1,), (3,)]
        assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(2,)]


def test_a_new_file_of_this_loader_is_opened_by_an_older_duckdb(known: Environment, folder: Path) -> None:
    (folder / "warehouse.duckdb").unlink()
    (folder / "messages").write_bytes(messages([ANNA, BEN], []))
    assert types(folder, LOAD).returncode == 0
    query = 'SELECT max(firstName) FROM "public-users"'
    program = f"import duckdb, sys; print(duckdb.connect(sys.argv[1]).execute('{query}').fetchall())"
    older = [str(known.folder / "bin" / "python"), "-c", program, str(folder / "warehouse.duckdb")]
    assert subprocess.run(older, capture_output=True, text=True, check=True, timeout=100).stdout == "[('Ben',)]\n"


def test_every_setting_of_0_8_0_is_on_the_page(known: Environment) -> None:
    [source] = known.folder.glob("lib/*/site-packages/target_duckdb")
    text = "".join(path.read_text(encoding="utf-8") for path in source.glob("*.py"))
    names = set(re.findall(r'config\.get\(\s*"(\w+)"', text))
    assert {"database", "token", "schema_mapping"} < names
    assert {name for name in names if f"`{name}`" not in PAGE} == set()
