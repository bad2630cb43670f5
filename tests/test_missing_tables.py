"""A state without its warehouse: what it vouches for does not come again, and the loader says so, or refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from api import settings
from calendly_api import CALENDLY
from commands import Outcome, run, run_tap
from harness import Messages
from tables import load
from target_duckdb.errors import LoadError

if TYPE_CHECKING:
    from pathlib import Path

    from api import Api
    from harness import Runner
    from sandbox import Sandbox

pytestmark = pytest.mark.long

TOLD = "The tap resumes from a state, but "
FAIL = {"on_missing_table": "fail"}


def incremental(state: dict[str, Any]) -> set[str]:
    """The streams that a state has bookmarks of."""
    return {stream for stream, bookmark in state["bookmarks"].items() if bookmark.get("replication_key_value")}


def tables(file: Path) -> dict[str, int]:
    """The tables of a file, with the number of their rows."""
    with duckdb.connect(file) as warehouse:
        names = warehouse.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall()
        return {name: warehouse.table(name).aggregate("count(*)").fetchall()[0][0] for (name,) in names}


class Pipe:
    """The commands `tap-calendly | target-duckdb`."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.tap = settings(CALENDLY, sandbox)
        sandbox.calendly.requests_per_minute = 1_000_000

    def run(self, file: Path, state: object = None, **options: Any) -> Outcome:
        """Read, from a state if there is one, and load."""
        read = run_tap(self.folder, CALENDLY.tap.name, self.tap, state=state)
        assert read.code == 0, read.err
        config = self.folder / "target.json"
        config.write_text(json.dumps({"filepath": str(file), **options}))
        return run("target-duckdb", f"--config={config}", stdin=read.out)


@pytest.fixture
def pipe(tmp_path: Path, sandbox: Sandbox) -> Pipe:
    return Pipe(tmp_path, sandbox)


def test_a_file_that_was_deleted_is_told_of_once_with_its_streams_and_what_to_do(pipe: Pipe, tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    first = pipe.run(file)
    before = tables(file)
    state = json.loads(first.out.splitlines()[-1])
    assert TOLD not in first.err
    assert TOLD not in pipe.run(file, state).err

    file.unlink()
    lost = pipe.run(file, state)

    assert lost.code == 0
    [sentence] = [line for line in lost.err.splitlines() if TOLD in line]
    assert "| WARNING " in sentence
    assert str(file) in sentence
    assert "`event_invitees`" in sentence
    assert "`meltano run --full-refresh …`, or `meltano state clear …`" in sentence
    assert "run the tap without --state" in sentence
    assert tables(file)["main.event_invitees"] < before["main.event_invitees"]

    again = pipe.run(file)
    assert TOLD not in again.err
    assert tables(file) == before


@pytest.mark.parametrize("how", ["deleted", "moved", "another schema"])
def test_a_load_that_is_to_fail_leaves_no_table_and_no_state_each_time(pipe: Pipe, tmp_path: Path, how: str) -> None:
    file, moved = tmp_path / "warehouse.duckdb", tmp_path / "moved.duckdb"
    state = json.loads(pipe.run(file, **FAIL).out.splitlines()[-1])
    before = tables(file)
    options: dict[str, Any] = FAIL | ({"default_target_schema": "other"} if how == "another schema" else {})
    if how == "deleted":
        file.unlink()
    read = moved if how == "moved" else file
    for _ in range(2):
        refused = pipe.run(read, state, **options)
        assert (refused.code, refused.out) == (1, "")
        [sentence] = refused.errors
        assert sentence.startswith(f"{TOLD}{read} has no table of stream")
        assert sentence.endswith("None of these streams is loaded, and no STATE is written.")
        [named] = [stream for stream in incremental(state) if f"`{stream}`" in sentence]
        schema = options.get("default_target_schema", "main")
        assert f"{schema}.{named}" not in tables(read)

    whole = pipe.run(read, **options)
    assert whole.code == 0, whole.err
    assert TOLD not in whole.err
    assert {name.partition(".")[2]: count for name, count in tables(read).items() if name.startswith(f"{schema}.")} == {
        name.partition(".")[2]: count for name, count in before.items()
    }


def test_each_tap_s_streams_that_go_on_from_a_bookmark_are_lost_and_those_that_are_read_in_full_are_not(
    api: Api, runner: Runner, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def read() -> list[bytes]:
        messages = Messages()
        tap = runner.build(messages)
        tap.run()
        tap.close()
        runner.warehouse.load(messages.read)
        return [json.dumps(message).encode() for message in messages.read]

    def told() -> list[str]:
        return [entry.getMessage() for entry in caplog.records if TOLD in entry.getMessage()]

    states = load(tmp_path / "a.duckdb", read())
    known = incremental(json.loads(states[-1]))
    assert told() == []
    lines = read()
    load(tmp_path / "a.duckdb", lines, **FAIL)
    assert told() == []

    load(tmp_path / "b.duckdb", lines)
    [sentence] = told()
    streams = {json.loads(line)["stream"] for line in lines if json.loads(line)["type"] == "SCHEMA"}
    named = {stream for stream in streams if f"`{stream}`" in sentence}
    assert named <= known
    assert len(named) == min(len(known & streams), 5)
    with pytest.raises(LoadError, match=TOLD):
        load(tmp_path / "c.duckdb", lines, **FAIL)
