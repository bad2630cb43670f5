"""The tap's messages in the loader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb

from harness import Messages
from tables import live, load

if TYPE_CHECKING:
    from pathlib import Path

    from api import Api
    from harness import Runner
    from sandbox import Sandbox


def test_a_stream_that_has_become_empty_has_no_live_row_though_no_bookmark_moves(
    api: Api, sandbox: Sandbox, runner: Runner, tmp_path: Path
) -> None:
    file = tmp_path / "warehouse.duckdb"

    def run() -> list[str]:
        messages = Messages()
        tap = runner.build(messages)
        tap.run()
        tap.close()
        runner.warehouse.load(messages.read)
        return load(file, [json.dumps(message).encode() for message in messages.read])

    def rows(stream: str) -> int:
        with duckdb.connect(file) as warehouse:
            return len(warehouse.sql(f"FROM {live(warehouse, 'warehouse', stream)}").fetchall())

    before = run()
    stream = api.empty(sandbox)
    assert rows(stream)

    assert json.loads(run()[-1]) == json.loads(before[-1])
    assert rows(stream) == 0
