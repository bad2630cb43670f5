"""Rows in files: the same warehouse, however they travel."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import url2pathname

import pytest
from typing_extensions import override

from api import runner_of
from calendly_api import CALENDLY
from commands import run_tap
from harness import Messages
from luma_api import LUMA
from tables import load, unequal
from tap_common.output.batches import BatchWriter

if TYPE_CHECKING:
    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox


pytestmark = pytest.mark.long


class Batches(BatchWriter):
    """Keeps the lines that a target would read."""

    def __init__(self, root: Path, **settings: Any) -> None:
        super().__init__("tap-x", {"storage": {"root": root.as_uri(), "prefix": "a-"}, **settings})
        self.lines: list[bytes] = []

    @override
    def write(self, line: bytes, *, flush: bool) -> None:
        self.lines.append(line)


class Records(Messages):
    """Keeps the lines that a target would read."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []

    @override
    def write(self, line: bytes, *, flush: bool) -> None:
        self.lines.append(line)


def run(runner: Runner, writer: Batches | Records) -> list[bytes]:
    """A run from the last state, whose own is kept; what it wrote."""
    tap = runner.build(writer)  # type: ignore[arg-type]  # a writer as any
    tap.run()
    tap.close()
    runner.warehouse.state = json.loads(writer.lines[-1])["value"]
    return writer.lines


def rows_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    [url] = message["manifest"]
    content = Path(url2pathname(url.removeprefix("file://"))).read_bytes()
    packed = message["encoding"]["compression"] == "gzip"
    return [json.loads(line) for line in (gzip.decompress(content) if packed else content).splitlines()]


def test_files_and_records_fill_the_same_warehouse_run_after_run(
    sandbox: Sandbox, clock: VirtualClock, tmp_path: Path
) -> None:
    by_files, by_records = (runner_of(LUMA, sandbox, clock) for _ in range(2))
    for compression in ("gzip", "none"):
        sandbox.advance(days=3)
        files = Batches(tmp_path / "files", encoding={"compression": compression}, batch_size=50)
        load(tmp_path / "files.duckdb", run(by_files, files))
        load(tmp_path / "records.duckdb", run(by_records, Records()))

        assert unequal(tmp_path / "files.duckdb", tmp_path / "records.duckdb") == []
        assert not any(line.startswith(b'{"type":"RECORD"') for line in files.lines)


def test_no_row_passes_the_state_that_vouches_for_it(
    api: Api, sandbox: Sandbox, clock: VirtualClock, tmp_path: Path
) -> None:
    """Between two states come the same rows, as the same stream, with the same version, as without files."""
    told: list[list[list[str]]] = []
    for writer in (Batches(tmp_path, batch_size=7), Records()):
        since: list[str] = []
        told.append([])
        for line in run(runner_of(api, sandbox, clock), writer):
            message = json.loads(line)
            rows = rows_of(message) if message["type"] == "BATCH" else [message.get("record")]
            versioned = "version" if message.get("version") else "no version"
            if message["type"] in {"RECORD", "BATCH"}:
                since += [f"{message['stream']} {versioned} {json.dumps(row)}" for row in rows]
            elif message["type"] == "ACTIVATE_VERSION":
                since.append(f"{message['stream']} ends after {sum(message['stream'] in row for row in since)}")
            elif message["type"] == "STATE":
                told[-1].append(sorted(since))
                since = []

    assert told[0] == told[1]
    assert sum(map(len, told[0])) > 50


def test_a_file_holds_as_many_rows_as_it_may(calendly: Runner, tmp_path: Path) -> None:
    sizes = [
        len(rows_of(message))
        for message in map(json.loads, run(calendly, Batches(tmp_path, batch_size=5)))
        if message["type"] == "BATCH" and message["stream"] == "scheduled_events"
    ]

    assert len(sizes) > 2
    assert set(sizes[:-1]) == {5}
    assert 1 <= sizes[-1] <= 5


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "Setting `batch_config` lacks `storage.root`"),
        ({"encoding": {"format": "parquet"}, "storage": {"root": "x"}}, "supports the format `jsonl`"),
        ({"storage": {"root": "x"}, "batch_size": "many"}, "`batch_size` is a whole number"),
        ({"storage": {"root": "/proc/none"}}, "A batch file cannot be written to /proc/none"),
        ({"storage": {"root": "nosuch://x"}}, "A batch file cannot be written to nosuch://x: ValueError."),
    ],
)
def test_files_that_cannot_be_written_get_one_sentence(
    sandbox: Sandbox, tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    sandbox.calendly.requests_per_minute = 60_000
    config = {"api_key": "sandbox-admin", "api_url": f"{sandbox.url}/calendly", "batch_config": settings}
    outcome = run_tap(tmp_path, CALENDLY.tap.name, config)

    assert outcome.code == 1
    assert sentence in outcome.errors[-1]
    assert "Traceback" not in outcome.err
