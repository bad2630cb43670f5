"""Any target: what others' programs make of the taps' messages."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import pytest

from apis import APIS
from calendly_api import CALENDLY
from harness import Warehouse
from loaded import ROOT, Project
from luma_api import LUMA
from sandbox import Sandbox
from savvycal_api import SAVVYCAL
from tables import SCHEMA, load
from targets import (
    PAGE,
    PROGRAMS,
    Environment,
    NotInstalledError,
    Sync,
    as_csv,
    declare,
    declared,
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

pytestmark = pytest.mark.long

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
    config = declared("target-csv")["config"] | {"output_path": str(tmp_path)}

    for run in (syncs.first, syncs.second):
        assert [exact(line) for line in target.run(run.lines, config)] == [run.state]

    for stream, properties in syncs.properties.items():
        assert read_csv(tmp_path)[stream] == [as_csv(row, properties) for row in syncs.rows(stream)], stream


def test_meltano_takes_the_declaration_on_the_page_and_the_files_have_every_row_of_the_source(
    program: Callable[[str], Environment], sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.savvycal.requests_per_minute = 60_000
    project = Project(SAVVYCAL, sandbox, tmp_path)
    declare(project, "files.meltano.yml")
    loaders = tmp_path / ".meltano" / "loaders"
    loaders.unlink()
    (loaders / "target-jsonl").mkdir(parents=True)
    (loaders / "target-jsonl" / "venv").symlink_to(program("target-jsonl").folder)
    environment = {"TAP_SCHEDULER_API_URL": sandbox.savvycal.api_url, "TARGET_JSONL_DO_TIMESTAMP_FILE": "false"}

    done = project.meltano("run", "--no-install", "tap-scheduler", "target-jsonl", environment=environment)

    assert done.returncode == 0, done.stderr
    written = read_jsonl(tmp_path / "output" / "tap_scheduler")
    for stream in SAVVYCAL.default_streams():
        keys, truth = SAVVYCAL.keys(stream), SAVVYCAL.table(stream, sandbox.truth("savvycal", stream))
        assert last_of_each(written[stream], keys).keys() == last_of_each(truth, keys).keys() != set(), stream


@pytest.mark.parametrize("syncs", [SAVVYCAL], ids=["savvycal"], indirect=True)
def test_the_commands_without_meltano_go_from_state_to_state_and_keep_it_when_the_tap_fails(
    syncs: Syncs, program: Callable[[str], Environment], tmp_path: Path
) -> None:
    first, later = re.findall(r"```sh\n(set -o pipefail\n.*?)```", PAGE, re.DOTALL)
    for name, run in {"3": syncs.first, "5": syncs.second}.items():
        (tmp_path / name).write_bytes(run.lines)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    tap = tmp_path / ".venv" / "bin" / "tap-calendly"
    tap.write_text('#!/bin/sh\ncp state.json given.json 2>/dev/null\ncat "$(($# + 1))" && ! test -e fail\n')
    tap.chmod(0o755)
    (tmp_path / ".tools").mkdir()
    (tmp_path / ".tools" / "target-jsonl").symlink_to(program("target-jsonl").folder)
    (tmp_path / "target.json").write_text(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])

    def types(block: str) -> int:
        done = subprocess.run(["bash", "-c", block], cwd=tmp_path, env=os.environ, check=False, timeout=100)
        return done.returncode

    def kept(name: str = "state.json") -> Any:
        return exact((tmp_path / name).read_text())

    assert types(first) == 0
    assert kept() == syncs.first.state
    (tmp_path / "fail").touch()
    assert types(later) == 1
    assert kept() == syncs.first.state
    (tmp_path / "fail").unlink()
    assert types(later) == 0
    assert (kept("given.json"), kept()) == (syncs.first.state, syncs.second.state)
    assert list((tmp_path / "output" / "tap_calendly").glob("events-*.jsonl"))


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


def test_what_is_typed_without_meltano_is_what_is_declared() -> None:
    _, as_csv = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    config = declared("target-csv")["config"]
    package, *constraints = PROGRAMS["target-csv"]

    assert f"--python .tools/target-jsonl {' '.join(PROGRAMS['target-jsonl'])}\n" in PAGE
    assert f"`{package} -c constraints.txt`" in PAGE
    assert constraints == ["-c", str(ROOT / "constraints.txt")]
    assert config | as_csv == config | {"output_path": "output/tap_calendly"}
