"""Any target: what others' programs make of the taps' messages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import pytest

from apis import APIS
from calendly_api import CALENDLY
from harness import Warehouse
from loaded import ROOT
from luma_api import LUMA
from sandbox import Sandbox
from savvycal_api import SAVVYCAL
from tables import SCHEMA, load
from targets import (
    PROGRAMS,
    Environment,
    NotInstalledError,
    Sync,
    as_csv,
    exact,
    installed,
    last_of_each,
    read_csv,
    read_jsonl,
    sync,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from api import Api

PAGE = (ROOT / "docs" / "loaders.md").read_text(encoding="utf-8")
WITHOUT_SECONDS = re.compile(rb'(T\d\d:\d\d)(?=Z")')
"""A time as Luma may send it, which is ISO 8601, but not the RFC 3339 that JSON Schema means."""


class Syncs(NamedTuple):
    """Two runs of a tap over all its streams, three days apart; in between a stream has become empty."""

    api: Api
    first: Sync
    second: Sync
    emptied: str

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        """The properties of each stream's schema, as announced."""
        schemas = (one for one in self.first.messages if one["type"] == "SCHEMA")
        return {one["stream"]: one["schema"]["properties"] for one in schemas}

    def rows(self, stream: str) -> list[dict[str, Any]]:
        """The rows of both runs, in order."""
        return self.first.records[stream] + self.second.records[stream]


@pytest.fixture(scope="module")
def taken() -> dict[str, Syncs]:
    """The messages that there are by now, by API."""
    return {}


@pytest.fixture(params=APIS, ids=lambda api: api.name)
def syncs(request: pytest.FixtureRequest, taken: dict[str, Syncs], tmp_path_factory: pytest.TempPathFactory) -> Syncs:
    """The messages of each tap; it runs once."""
    api: Api = request.param
    if api.name not in taken:
        folder = tmp_path_factory.mktemp("sync")
        with Sandbox(scale="tiny") as sandbox:
            getattr(sandbox, api.name).requests_per_minute = 60_000
            first = sync(api, sandbox, folder)
            sandbox.advance(days=3)
            emptied = api.empty(sandbox)
            taken[api.name] = Syncs(api, first, sync(api, sandbox, folder, first), emptied)
    return taken[api.name]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Environment]:
    """Installs a program, once."""
    found: dict[str, Environment | NotInstalledError] = {}

    def get(name: str) -> Environment:
        if name not in found:
            try:
                found[name] = installed(name, tmp_path_factory.mktemp(name) / "environment")
            except NotInstalledError as reason:
                found[name] = reason
        if isinstance(there := found[name], NotInstalledError):
            pytest.skip(str(there))
        return there

    return get


def test_target_jsonl_keeps_every_row_as_it_was_sent_the_last_of_a_key_is_the_source_and_the_last_state_comes_out(
    syncs: Syncs, program: Callable[[str], Environment], tmp_path: Path
) -> None:
    target, config = program("target-jsonl"), {"destination_path": str(tmp_path), "do_timestamp_file": False}

    for run in (syncs.first, syncs.second):
        assert [exact(line) for line in target.run(run.lines, config)] == [run.state]

    written = read_jsonl(tmp_path)
    assert written == {stream: rows for stream in syncs.properties if (rows := syncs.rows(stream))}
    warehouse = Warehouse()
    warehouse.load([*syncs.first.messages, *syncs.second.messages])
    for stream, keyed in warehouse.rows.items():
        last = last_of_each(written.get(stream, []), warehouse.keys[stream])
        assert {key: last[key] for key in keyed} == keyed
    assert warehouse.rows[syncs.emptied] == {}
    assert written[syncs.emptied]


def test_target_csv_keeps_every_row_in_the_text_that_the_page_says_and_the_last_state_comes_out(
    syncs: Syncs, program: Callable[[str], Environment], tmp_path: Path
) -> None:
    target = program("target-csv")
    [printed] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    config = json.loads(printed) | {"output_path": str(tmp_path)}

    for run in (syncs.first, syncs.second):
        assert [exact(line) for line in target.run(run.lines, config)] == [run.state]

    for stream, properties in syncs.properties.items():
        assert read_csv(tmp_path)[stream] == [as_csv(row, properties) for row in syncs.rows(stream)], stream


@pytest.mark.parametrize("syncs", [SAVVYCAL], ids=["savvycal"], indirect=True)
def test_target_csv_replaces_its_files_at_every_run_unless_their_names_have_the_time(
    syncs: Syncs, program: Callable[[str], Environment], tmp_path: Path
) -> None:
    (tmp_path / "events.csv").write_text("id\nof the run before\n")

    program("target-csv").run(syncs.second.lines, {"output_path": str(tmp_path)})

    written = read_csv(tmp_path)
    assert {stream: len(rows) for stream, rows in syncs.second.records.items()} == {
        stream: len(written[stream]) for stream in syncs.properties
    }


def test_singers_checker_finds_every_message_valid(syncs: Syncs, program: Callable[[str], Environment]) -> None:
    checker = program("singer-check-tap")

    for run in (syncs.first, syncs.second):
        said = checker.check(WITHOUT_SECONDS.sub(rb"\1:00", run.lines) if syncs.api is LUMA else run.lines)
        assert "The output is valid." in said
        assert {stream: str(len(rows)) for stream, rows in run.records.items()} == dict(
            re.findall(r"^\| (\w+) +\| (\d+) ", said, re.MULTILINE)
        )


@pytest.mark.parametrize("syncs", [CALENDLY], ids=["calendly"], indirect=True)
def test_a_parquet_file_of_a_table_has_the_rows_of_the_table(syncs: Syncs, tmp_path: Path) -> None:
    [printed] = re.findall(r"```sql\n(copy .*?)```", PAGE, re.DOTALL)
    query = printed.replace("tap_calendly.", f"{SCHEMA}.").replace("output/", f"{tmp_path}/")
    load(tmp_path / "warehouse.duckdb", syncs.first.lines.splitlines(), add_record_metadata=True)
    with duckdb.connect(tmp_path / "warehouse.duckdb") as warehouse:
        warehouse.execute(query)
        table = warehouse.table(f"{SCHEMA}.event_invitees")
        copy = warehouse.read_parquet(str(tmp_path / "event_invitees.parquet"))

        assert dict(zip(copy.columns, copy.types, strict=True)) == dict(zip(table.columns, table.types, strict=True))
        assert copy.except_(table).fetchall() == table.except_(copy).fetchall() == []
        assert len(copy.fetchall()) == len(syncs.first.records["event_invitees"]) > 0


def things(*others: dict[str, Any]) -> bytes:
    """Messages of a stream that has an object, which may be null."""
    inner = {"type": ["object", "null"], "properties": {"name": {"type": "string"}}}
    schema = {"properties": {"id": {"type": "integer"}, "inner": inner}}
    messages = [{"type": "SCHEMA", "stream": "things", "schema": schema, "key_properties": ["id"]}, *others]
    return "".join(f"{json.dumps(message)}\n" for message in messages).encode()


@pytest.mark.soak
def test_target_csv_reads_batch_messages_and_target_jsonl_does_not(
    program: Callable[[str], Environment], tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"id": 1, "inner": null}\n')
    encoding = {"format": "jsonl", "compression": "none"}
    lines = things({"type": "BATCH", "stream": "things", "encoding": encoding, "manifest": [file.as_uri()]})

    program("target-csv").run(lines, {"output_path": str(tmp_path)})
    with pytest.raises(AssertionError, match="'NoneType' object has no attribute 'asdict'"):
        program("target-jsonl").run(lines, {"destination_path": str(tmp_path)})

    assert read_csv(tmp_path) == {"things": [{"id": "1", "inner": ""}]}


@pytest.mark.soak
def test_target_csv_cannot_flatten_an_object_that_is_null(
    program: Callable[[str], Environment], tmp_path: Path
) -> None:
    lines = things({"type": "RECORD", "stream": "things", "record": {"id": 1, "inner": None}})
    config = {"output_path": str(tmp_path), "flattening_enabled": True, "flattening_max_depth": 1}

    with pytest.raises(AssertionError, match="dict contains fields not in fieldnames"):
        program("target-csv").run(lines, config)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_page_names_the_version_that_was_tested(name: str) -> None:
    package, _, version = PROGRAMS[name][0].partition("==")

    assert f"`{package}` {version}" in PAGE
