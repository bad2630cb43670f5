"""A long run says every ten seconds how far it has come, also while it waits; a short one says nothing."""

from __future__ import annotations

import json
import logging
import re
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from threading import Semaphore
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from singer_sdk.logging import StructuredFormatter
from typing_extensions import override

from api import runner_of, settings
from calendly_api import CALENDLY
from harness import Messages, VirtualClock
from oncehub_api import ONCEHUB
from sandbox import Sandbox
from tap_common.http.clock import Clock, StoppedError
from tap_common.output import progress
from tap_common.output.progress import INTERVAL, Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from api import Api
    from harness import Runner
    from tap_common.tap import SchedulingTap

pytestmark = pytest.mark.one_api

LINE = re.compile(
    r"(?:Reading `(?P<stream>\w+)` \((?P<own>[\d,]+) records\); )?(?P<records>[\d,]+) records so far, "
    r"(?P<pace>[\d,]+) a second; (?P<requests>[\d,]+) requests"
    r"(?:; waiting for the rate limit until (?P<until>\d\d:\d\d:\d\d) UTC(?P<theirs> \(by the API's clock\))?)?\."
)


class Steps(Clock):
    """A clock whose every wait ends when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._asleep, self._awake = Semaphore(0), Semaphore(0)

    @override
    def monotonic(self) -> float:
        return 0.0

    @override
    def wait_until(self, moment: float) -> None:
        self.waits.append(moment)
        self._asleep.release()
        self._awake.acquire()
        if self._stopped.is_set():
            raise StoppedError

    def step(self) -> None:
        """End the wait that is under way, and return when the next one has begun."""
        self._asleep.acquire()
        self._awake.release()
        self._asleep.acquire()
        self._asleep.release()

    @override
    def stop(self) -> None:
        super().stop()
        self._awake.release()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Steps]:
    """The clock that the progress of the present block goes by."""
    made: list[Steps] = []

    def new() -> Steps:
        made.append(Steps())
        return made[-1]

    monkeypatch.setattr(progress, "Clock", new)
    monkeypatch.setattr(Progress.__init__, "__defaults__", (new,))
    return lambda: made[-1]


def said(caplog: pytest.LogCaptureFixture) -> list[dict[str, str | None]]:
    """The lines so far, by their parts."""
    lines = [LINE.fullmatch(message) for message in caplog.messages]
    assert sum(" records so far" in message for message in caplog.messages) == sum(map(bool, lines))
    return [line.groupdict() for line in lines if line]


def number(text: str | None) -> int:
    """Return the numbers of a line, such as 1,234."""
    return int(str(text).replace(",", ""))


def test_a_line_tells_the_stream_whose_rows_are_written_and_what_the_run_has_come_to(
    api: Api, sandbox: Sandbox, clock: VirtualClock, steps: Callable[[], Steps], caplog: pytest.LogCaptureFixture
) -> None:
    runner = runner_of(api, sandbox, clock)
    rows = [0]
    expected: list[tuple[str, int, int, int]] = []
    requested: list[tuple[int, int]] = []

    class Watching(Messages):
        """Has ten seconds pass before every thirtieth message that is a row, and then the line come."""

        @override
        def write(self, line: bytes, *, flush: bool) -> None:
            if line.startswith(b'{"type":"RECORD"') and len(self.read) % 30 == 0:
                written = [message["stream"] for message in self.read if message["type"] == "RECORD"]
                new = written[rows[-1] :]
                clock.sleep(10)
                before = requests()
                steps().step()
                if new:
                    most = max(api.all_streams(), key=new.count)
                    expected.append((most, written.count(most), len(written), round(len(new) / 10)))
                    requested.append((before, requests()))
                    rows.append(len(written))
            super().write(line, flush=flush)

    def requests() -> int:
        return sum(tap.usage.requests.values())

    tap = runner.build(Watching())
    with caplog.at_level("INFO"):
        tap.run()
    tap.close()

    lines = [line for line in said(caplog) if line["records"] != "0"]
    assert len(lines) > 2
    assert [(line["stream"], *map(number, (line["own"], line["records"], line["pace"]))) for line in lines] == expected
    told = [number(line["requests"]) for line in lines]
    assert all(least <= count <= most for count, (least, most) in zip(told, requested, strict=True))


def test_the_first_line_comes_after_ten_seconds_so_that_a_short_run_says_nothing(
    calendly: Runner, steps: Callable[[], Steps], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        calendly.sync()

    assert INTERVAL == 10
    assert set(steps().waits) <= {INTERVAL}
    assert said(caplog) == []


def test_no_line_comes_after_the_end_and_nothing_stays_behind(
    calendly: Runner, steps: Callable[[], Steps], caplog: pytest.LogCaptureFixture
) -> None:
    tap = calendly.build()
    with caplog.at_level("INFO"):
        with Progress(tap):
            [thread] = [one for one in threading.enumerate() if one.name == "progress"]
            steps().step()
            before = len(said(caplog))
        steps()._awake.release()

    assert (before, len(said(caplog))) == (1, 1)
    assert thread.daemon
    assert not thread.is_alive()
    tap.close()


@pytest.mark.parametrize(("api", "apart"), [(CALENDLY, 61), (ONCEHUB, 59)], ids=["calendly", "oncehub"])
def test_a_run_that_waits_for_the_limit_says_until_when_by_the_api_s_time_and_that_where_clocks_differ(
    api: Api,
    apart: int,
    serve: Callable[..., Sandbox],
    steps: Callable[[], Steps],
    caplog: pytest.LogCaptureFixture,
) -> None:
    expected: list[str | None] = []
    machine = SimpleNamespace(now=lambda _zone: tap.now + timedelta(seconds=apart) if tap else None)

    class Waiting(VirtualClock):
        """Has the line come while the run waits."""

        @override
        def wait_until(self, moment: float) -> None:
            rest = moment - self.monotonic()
            if rest > 0 and tap is not None and tap.server_clock.has_answered:
                steps().step()
                expected.append(f"{tap.now + timedelta(seconds=rest):%H:%M:%S}" if rest >= 1 else None)
            super().wait_until(moment)

    tap: SchedulingTap | None = None
    clock = Waiting()
    sandbox = serve(clock=clock, flow=True)
    getattr(sandbox, api.name).requests_per_minute = 4
    tap = runner_of(api, sandbox, clock).build(requests_per_minute=4, concurrency=1)
    with mock.patch.object(progress, "datetime", machine), caplog.at_level("INFO"):
        tap.run()
    tap.close()

    told = [line["until"] for line in said(caplog)]
    assert any(expected)
    assert told == expected
    assert {bool(line["theirs"]) for line in said(caplog) if line["until"]} == {apart > 60}


def test_a_wait_of_a_day_or_more_is_told_without_a_time(calendly: Runner, caplog: pytest.LogCaptureFixture) -> None:
    tap = calendly.build()
    tap.check_connection()
    tap.credential.limiter._waits, tap.credential.limiter._turn = 1, tap.clock.monotonic() + 1e12
    line = Progress(tap)
    with caplog.at_level("INFO"), line:
        line.log_progress()
    tap.close()

    assert "waiting for the rate limit until another day." in caplog.text


def test_a_line_comes_while_the_run_waits_for_an_answer(
    api: Api, sandbox: Sandbox, runner: Runner, steps: Callable[[], Steps], caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.meanwhile(1, lambda: steps().step())
    with caplog.at_level("INFO"):
        runner.sync()

    assert [line["requests"] for line in said(caplog)] == ["1"]


def test_it_is_quiet_at_level_warning_and_structured_where_the_log_is(
    calendly: Runner, steps: Callable[[], Steps], caplog: pytest.LogCaptureFixture
) -> None:
    tap = calendly.build()
    tap.check_connection()
    told = []
    for level in ("WARNING", "INFO"):
        caplog.clear()
        with caplog.at_level(level), Progress(tap):
            steps().step()
        told.append(caplog.records[:])
    tap.close()

    assert told[0] == []
    [line] = [json.loads(StructuredFormatter().format(record)) for record in told[1] if record.levelno == logging.INFO]
    assert line["logger_name"] == "tap-calendly"
    assert (line["extra"]["records"], line["extra"]["requests"]) == (0, 2)


PROGRAM = """
from tap_common.output import progress
progress.INTERVAL = 0.05
from tap_calendly.tap import TapCalendly
TapCalendly.cli()
"""


def test_a_process_says_it_while_it_waits_and_ends_at_once_when_told_to(tmp_path: Path) -> None:
    with Sandbox(scale="tiny") as sandbox:
        sandbox.calendly.requests_per_minute = 5
        (tmp_path / "config.json").write_text(json.dumps(settings(CALENDLY, sandbox) | {"requests_per_minute": 5}))
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, f"--config={tmp_path / 'config.json'}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as tap:
            assert tap.stderr is not None
            line = next(line for line in tap.stderr if "until" in line)
            tap.send_signal(signal.SIGTERM)
            _, rest = tap.communicate(timeout=10)

    assert LINE.fullmatch(line.rpartition(" | ")[2].rstrip())
    assert tap.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in rest
