"""The tap and the loader as two processes and a pipe, ended in the roughest way."""

from __future__ import annotations

import json
import random
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from api import settings
from commands import BIN
from truth import Judge

if TYPE_CHECKING:
    from pathlib import Path

    from api import Api
    from harness import Runner
    from sandbox import Sandbox

SCHEMA = "loaded"


class Pipe:
    """`tap | target`, with the last state that the target has written."""

    def __init__(self, api: Api, sandbox: Sandbox, folder: Path) -> None:
        getattr(sandbox, api.name).requests_per_minute = 60_000
        self.tap = [str(BIN / api.tap.name), f"--config={folder / 'tap.json'}"]
        self.target = [str(BIN / "target-duckdb"), f"--config={folder / 'target.json'}"]
        self.state = folder / "state.json"
        self.file = folder / "warehouse.duckdb"
        (folder / "tap.json").write_text(json.dumps(settings(api, sandbox) | {"requests_per_minute": 60_000}))
        (folder / "target.json").write_text(
            json.dumps({"filepath": str(self.file), "default_target_schema": SCHEMA, "batch_size_rows": 20})
        )

    def run(self, *, kill_tap: float | None = None, kill_target: float | None = None) -> None:
        """A run; one of the two is killed after so many seconds."""
        arguments = [f"--state={self.state}"] if self.state.exists() else []
        with (
            subprocess.Popen([*self.tap, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tap,
            subprocess.Popen(
                self.target, stdin=tap.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as target,
        ):
            assert tap.stdout is not None
            tap.stdout.close()
            for process, seconds in ((tap, kill_tap), (target, kill_target)):
                if seconds is not None:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(seconds)
                    process.kill()
            written, _ = target.communicate(timeout=120)
            tap.wait(timeout=120)
        if states := [line for line in written.splitlines() if line.startswith("{")]:
            self.state.write_text(states[-1])

    def rows(self, stream: str, keys: list[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The live rows of a table."""
        with duckdb.connect(self.file, read_only=True) as warehouse:
            answer = warehouse.table(f"{SCHEMA}.{stream}").execute()
            types = dict(zip(answer.columns, map(str, answer.types), strict=True))
            rows = [dict(zip(types, row, strict=True)) for row in answer.fetchall()]
        live = [row for row in rows if row.get("_sdc_deleted_at") is None]
        return {tuple(row[key] for key in keys): row for row in live}


@pytest.mark.parametrize("seed", range(3))
def test_killed_with_sigkill_and_run_again_the_warehouse_equals_the_source(
    api: Api, sandbox: Sandbox, runner: Runner, tmp_path: Path, seed: int
) -> None:
    moments = random.Random(seed)
    pipe, judge = Pipe(api, sandbox, tmp_path), Judge(api, sandbox)
    pipe.run(kill_tap=moments.uniform(2, 4))
    sandbox.advance(days=2)
    pipe.run(kill_target=moments.uniform(2, 4))
    sandbox.advance(days=2)
    pipe.run()

    runner.sync()
    assert judge.verdict(runner) == {}
    for stream in api.default_streams():
        keys = runner.warehouse.keys[stream]
        assert pipe.rows(stream, keys).keys() == runner.warehouse.rows[stream].keys(), stream


def test_a_stream_that_has_become_empty_has_no_live_row_though_no_bookmark_moves(
    api: Api, sandbox: Sandbox, tmp_path: Path
) -> None:
    pipe = Pipe(api, sandbox, tmp_path)
    pipe.run()
    stream = api.empty(sandbox)
    keys = list(api.tap(config={}, validate_config=False).streams[stream].primary_keys)
    before = json.loads(pipe.state.read_text())
    assert pipe.rows(stream, keys)

    pipe.run()

    assert json.loads(pipe.state.read_text()) == before
    assert pipe.rows(stream, keys) == {}
