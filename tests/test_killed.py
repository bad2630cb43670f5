"""Killed anywhere: whatever ended a run, and wherever, the next one makes the warehouse equal the source."""

from __future__ import annotations

import copy
import io
import json
import random
import shutil
import signal
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from api import runner_of
from apis import APIS
from calendly_api import CALENDLY
from harness import Messages, Warehouse
from luma_api import LUMA
from processes import Blow, Pipe
from savvycal_api import SAVVYCAL
from tables import SCHEMA, load, loader, unequal
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox

Message = dict[str, Any]
State = dict[str, Any] | None


pytestmark = pytest.mark.long


class Recorded:
    """A tap's runs at one moment, each of them recorded."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._known: dict[str, list[Message]] = {}

    def messages(self, state: State) -> list[Message]:
        """Return the messages of a run from a state; the same ones while the source stands still."""
        text = json.dumps(state)
        if text not in self._known:
            runner = copy.copy(self.runner)
            runner.warehouse = Warehouse(state=copy.deepcopy(state))
            messages = Messages()
            tap = runner.build(messages)
            tap.run()
            tap.close()
            tap.pool.shutdown()
            self._known[text] = messages.read
        return self._known[text]


def lines(messages: Sequence[Message]) -> list[bytes]:
    """The messages as they come through the pipe."""
    return [json.dumps(message).encode() + b"\n" for message in messages]


def copied(warehouse: Warehouse) -> Warehouse:
    """A warehouse that can be loaded into without changing the first one."""
    return Warehouse(
        rows={stream: dict(rows) for stream, rows in warehouse.rows.items()},
        keys=dict(warehouse.keys),
        versions={stream: dict(versions) for stream, versions in warehouse.versions.items()},
        state=warehouse.state,
    )


@pytest.mark.parametrize("earlier", [False, True], ids=["first", "second"])
def test_ended_after_any_message_and_run_again_from_the_last_state_the_result_is_the_same(
    api: Api, sandbox: Sandbox, runner: Runner, *, earlier: bool
) -> None:
    judge = Judge(api, sandbox)
    if earlier:
        runner.sync()
        judge.verdict(runner)
        sandbox.advance(days=3)
    ended = copied(runner.warehouse)
    recorded = Recorded(runner)
    messages = recorded.messages(ended.state)
    runner.sync()
    judge.check(runner)

    for number, message in enumerate(messages):
        again = copied(ended)
        again.load(recorded.messages(ended.state))
        assert again.rows == runner.warehouse.rows, f"after {number} messages"
        ended.load([message])
    assert ended.rows == runner.warehouse.rows


@dataclass(frozen=True)
class Image:
    """Return the file that a loader killed after so many messages leaves, and its last state."""

    after: int
    file: Path
    state: State


def images(folder: Path, messages: Sequence[Message]) -> Iterator[Image]:
    """Each image that differs from the one before it."""
    file, out = folder / "live.duckdb", io.StringIO()
    log = file.with_name(f"{file.name}.wal")
    target = loader(file, batch_size_rows=7)
    found: list[Image] = []

    def fed() -> Iterator[bytes]:
        before: object = None
        for number, line in enumerate(lines(messages), 1):
            yield line
            states = out.getvalue().splitlines()
            now = [(one.stat().st_size, one.stat().st_mtime_ns) for one in (file, log) if one.exists()], states
            if now != before:
                copy_ = folder / f"{number}.duckdb"
                for one in (file, log):
                    if one.exists():
                        shutil.copy(one, copy_.with_name(one.name.replace(file.name, copy_.name)))
                found.append(Image(number, copy_, json.loads(states[-1]) if states else None))
            before = now

    with redirect_stdout(out):
        target.process_lines(fed())  # type: ignore[arg-type]  # lines are enough
    target.warehouse.close()
    yield from found


def vouched(messages: Sequence[Message], image: Image) -> dict[str, set[tuple[Any, ...]]]:
    """The keys of all records that came before the state that the loader has written."""
    said = [
        n for n, one in enumerate(messages[: image.after]) if one["type"] == "STATE" and one["value"] == image.state
    ]
    before = Warehouse()
    before.load(messages[: said[-1]] if said else [])
    return {stream: set(rows) for stream, rows in before.rows.items() if rows}


def held(image: Image, keys: dict[str, list[str]]) -> dict[str, set[tuple[Any, ...]]]:
    """The keys of all rows that its tables have, once DuckDB has read what the killed process left."""
    if not image.file.exists():
        return {}
    with duckdb.connect(image.file, read_only=True) as warehouse:
        found = warehouse.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", [SCHEMA]).fetchall()
        return {name: set(warehouse.table(f"{SCHEMA}.{name}").select(*keys[name]).fetchall()) for (name,) in found}


def test_a_loader_that_is_killed_after_any_message_has_everything_that_its_last_state_vouches_for(
    api: Api, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_duckdb.target._STATE_EVERY", 0)
    recorded = Recorded(runner)
    messages = recorded.messages(None)
    keys = {one["stream"]: one["key_properties"] for one in messages if one["type"] == "SCHEMA"}
    load(tmp_path / "whole.duckdb", lines(messages))

    left = list(images(tmp_path, messages))

    told = [image for before, image in pairwise(left) if image.state != before.state]
    assert len(left) > len(keys)
    assert len(told) > 2
    for image in [*told, *left[:: len(left) // 8]]:
        rows = held(image, keys)
        missing = {stream: found - rows.get(stream, set()) for stream, found in vouched(messages, image).items()}
        assert not any(missing.values()), image
    for image in left[1 :: len(left) // 3]:
        load(image.file, lines(recorded.messages(image.state)))
        assert unequal(image.file, tmp_path / "whole.duckdb") == [], image


@pytest.mark.parametrize("api", [CALENDLY, LUMA], ids=lambda api: api.name)  # the mechanism is tap-common's
def test_told_to_stop_or_killed_in_the_middle_tap_and_loader_end_at_once_and_the_next_run_completes_them(
    api: Api, serve: Callable[..., Sandbox], clock: VirtualClock, tmp_path: Path
) -> None:
    sandbox = serve(scale="test" if api is SAVVYCAL else "tiny")
    load(tmp_path / "whole.duckdb", lines(Recorded(runner_of(api, sandbox, clock)).messages(None)))
    pipe = Pipe(api, sandbox, tmp_path)
    moments = random.Random(api.name)
    kills = [{"tap": signal.SIGKILL}, {"target": signal.SIGKILL}]
    for struck in (kills[APIS.index(api) % 2], {"target": signal.SIGTERM, "tap": signal.SIGTERM}):
        blows = dict(zip(struck, sorted(moments.sample(range(10, 80), len(struck))), strict=True))
        tap, target = pipe.run(**{name: Blow(after, struck[name]) for name, after in blows.items()})

        codes = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 128 + signal.SIGTERM}
        assert tap.code == (codes[struck["tap"]] if "tap" in struck else 1), tap.log
        # Without a signal of its own: the input ended, in the middle of a line or not.
        assert target.code in ([codes[struck["target"]]] if "target" in struck else [0, 1]), target.log
        assert max(tap.seconds, target.seconds) < 2
        assert "Traceback" not in tap.log + target.log

    tap, target = pipe.run()
    assert (tap.code, target.code) == (0, 0)
    assert unequal(pipe.file, tmp_path / "whole.duckdb") == []


def test_a_signal_ends_a_tap_that_waits_for_as_long_as_the_api_asks(api: Api, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.retry_after = 600
    sandbox.faults.script(api.listed, ["429-retry-after"])
    pipe = Pipe(api, sandbox, tmp_path)
    with (tmp_path / "out").open("wb") as out, pipe.start_tap(stdout=out) as tap:
        while "waiting 601 s" not in (tmp_path / "tap.log").read_text():
            assert tap.popen.poll() is None
            time.sleep(0.02)
        tap.strike(signal.SIGTERM)
    ended = tap.ended()

    assert ended.code == 128 + signal.SIGTERM
    assert ended.seconds < 2
    assert ended.errors == []
    assert all(json.loads(line) for line in (tmp_path / "out").read_text().splitlines())
