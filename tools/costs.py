"""Cost of runs: requests by stream, counted on simulated accounts.

`python tools/costs.py` counts and writes costs.json, which the tables are made from; every number in it was counted.
With names of APIs it counts these alone, with numbers these sizes alone: `python tools/costs.py luma 1000 10000`.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import timedelta
from http import HTTPStatus
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from sandbox import Sandbox
from sandbox.world import EPOCH
from tap_bookings.tap import TapBookings
from tap_calendly.tap import TapCalendly
from tap_common.http.clock import Clock
from tap_common.output.writer import Writer
from tap_luma.tap import TapLuma
from tap_scheduler.tap import TapScheduler

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sandbox.world import records as r
    from sandbox.world.gatherings.records import Attendee, Gathering
    from sandbox.world.world import World
    from tap_common.stream import APIStream
    from tap_common.tap import SchedulingTap

    Counts = Mapping[str, int]
    """Requests by stream; those of no stream are `BEFORE`'s."""

FILE = Path(__file__).with_suffix(".json")
SIZES = (1_000, 10_000, 100_000)
"""Bookings, or Luma's guests, that accounts are counted with."""
TAPS: Mapping[str, type[SchedulingTap]] = {
    "calendly": TapCalendly,
    "oncehub": TapBookings,
    "luma": TapLuma,
    "savvycal": TapScheduler,
}
PER_MINUTE = {"calendly": 500, "oncehub": 40, "luma": 200, "savvycal": 60}
"""Requests that an API allows a minute; of SavvyCal, which publishes no limit, as many as the tap makes of itself."""
BEFORE = "(before the first row)"
"""Name for the requests that prove a key and belong to no stream."""
GUESTS = 40
"""Guests of each of Luma's events."""
_DAY = timedelta(days=1)
_MADE = 760 * _DAY
_AHEAD, _CALLED_OFF = 30 * _DAY, 15 * _DAY
_UNLIMITED = 10**6


class Account:
    """An account of a size, which is booked evenly and of which nothing else happens by chance or promise.

    Its bookings were made in 760 days, each 30 days before it takes place: two years back and a month ahead. Every
    second one is by somebody new, who becomes a contact, and every tenth came by a routing form; of each a text
    message is sent. Every tenth is called off 15 days before it would take place; of every tenth there is a recap.
    Luma's guests register at the same pace, half of them for the first time, for events of 40 that are entered 30 days
    before they begin.
    """

    def __init__(self, sandbox: Sandbox, size: int) -> None:
        self.world: World = sandbox.world
        self.world.rest()
        self._gap = _MADE / size
        self._booked = 0
        self._kinds = cycle([kind for kind in self.world.bookable() if kind.seats == 1])
        self._event: Gathering | None = None
        self._people: list[Attendee] = []
        self.live(EPOCH + _MADE)

    def live(self, until: datetime) -> None:
        """Be booked until a moment."""
        while (moment := EPOCH + (self._booked + 1) * self._gap) <= until:
            self.world.advance_to(moment)
            self._booked += 1
            self._book(self._booked)
            self._register(self._booked)
        self.world.advance_to(until)

    def _book(self, number: int) -> None:
        world, kind = self.world, next(self._kinds)
        name, email = f"Guest {number // 2}", f"guest{number // 2}@mail.example"
        if number % 2 == 0:
            world.create_contact(kind.hosts[0].person, name, email)
        submission = world.submit_form() if number % 10 == 1 else None
        booking = world.book(kind, world.now + _AHEAD, name, email, submission=submission)
        world.desk.send_sms(booking)
        if number % 10 == 2:  # noqa: PLR2004 - one in ten
            world.after(_AHEAD - _CALLED_OFF, _call_off, booking)
        if number % 10 == 3:  # noqa: PLR2004 - one in ten
            world.at(booking.meeting.end, _recap, booking)

    def _register(self, number: int) -> None:
        life = self.world.gatherings
        if self._event is None or len(self._event.guests) == GUESTS:
            self._event = life.create(self.world.now + _AHEAD)
        if number % 2 or len(self._people) <= GUESTS // 2:
            visitor = life.add_attendee(f"Visitor {number}", f"visitor{number}@mail.example")
            self._people.append(visitor)
        else:
            visitor = self._people[-1 - GUESTS // 2]  # who was new at the event before
        life.register(self._event, visitor)


def _call_off(world: World, booking: r.Booking) -> None:
    if world.stands(booking):
        world.cancel_booking(booking)


def _recap(world: World, booking: r.Booking) -> None:
    if world.stands(booking):
        world.finish_recap(world.start_recap(booking.meeting))


class Nowhere(Writer):
    """Messages that nobody reads."""

    @override
    def write(self, line: bytes, *, flush: bool) -> None:
        """Nothing."""


class SandboxClock(Clock):
    """Time on a machine whose clock shows the sandbox's time."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox

    @override
    def now(self) -> datetime:
        return self._sandbox.world.now


def run(sandbox: Sandbox, api: str, state: Mapping[str, Any] | None = None) -> tuple[Counts, Mapping[str, Any]]:
    """The requests of a run with every setting at its default, and the state that it leaves.

    Raises:
        RuntimeError: A request was refused, or belongs to nothing.
    """
    before = len(sandbox.requests)
    config = {"api_key": "sandbox-admin", "api_url": f"{sandbox.url}/{api}", "requests_per_minute": _UNLIMITED}
    tap = TAPS[api](config=config, state=dict(state or {}), message_writer=Nowhere(), clock=SandboxClock(sandbox))
    for stream in tap.streams.values():
        stream.selected = stream.selected_by_default
    try:
        tap.run()
    finally:
        tap.close()
        tap.pool.shutdown()
    requested = sandbox.requests[before:]
    by_stream = requests_of(tap)
    rest = len(requested) - sum(by_stream.values())
    if rest < 0 or any(one.status != HTTPStatus.OK for one in requested):
        raise RuntimeError(f"requests of {api} were refused or repeated: the counts would not be its own")
    return ({BEFORE: rest} if rest else {}) | by_stream, tap.state


def requests_of(tap: SchedulingTap) -> dict[str, int]:
    """The requests that each stream of a tap has made, where it has made any."""
    streams = cast("dict[str, APIStream]", tap.streams).values()
    return {stream.name: stream.request_counter.value for stream in streams if stream.request_counter.value}


def count(api: str, size: int) -> Mapping[str, Counts]:
    """The requests of the first run over an account of a size, and of the daily run after it."""
    with Sandbox(scale="tiny", now=EPOCH) as sandbox:
        getattr(sandbox, api).requests_per_minute = _UNLIMITED
        account = Account(sandbox, size)
        first, state = run(sandbox, api)
        account.live(sandbox.world.now + _DAY)
        daily, _ = run(sandbox, api, state)
    return {"first": first, "daily": daily}


def read() -> dict[str, dict[int, Mapping[str, Counts]]]:
    """Counted requests, by API, size, `first` or `daily`, and stream."""
    if not FILE.exists():
        return {}
    counted = json.loads(FILE.read_text(encoding="utf-8"))
    return {api: {int(size): runs for size, runs in sizes.items()} for api, sizes in counted.items()}


def table(api: str) -> str:
    """A Markdown table of what runs cost: streams whose costs grow with the account, the others together, the time.

    Raises:
        KeyError: The API is unknown.
    """
    counted = read()[api]
    runs = [counted[size][run] for run in ("first", "daily") for size in SIZES]
    streams = dict.fromkeys(name for run in runs for name in run)
    costs = {name: [run.get(name, 0) for run in runs] for name in streams}
    totals = [sum(run.values()) for run in runs]
    growing = {name: row for name, row in costs.items() if len(set(row)) > 1}
    rest = [total - sum(grown) for total, grown in zip(totals, zip(*growing.values(), strict=True), strict=True)]
    rows = {
        **{f"`{name}`": [f"{count:,}" for count in row] for name, row in growing.items()},
        "all others": [f"{count:,}" for count in rest],
        "**total**": [f"{count:,}" for count in totals],
        "time at the rate limit, about": [_time(total / PER_MINUTE[api]) for total in totals],
    }
    unit = "guests" if api == "luma" else "bookings"
    columns = [f"{run} run, {size:,} {unit}" for run in ("first", "daily") for size in SIZES]
    lines = [
        ["requests", *columns],
        ["---", *["---:"] * len(columns)],
        *([name, *row] for name, row in rows.items()),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def premise(api: str) -> str:
    """Return two sentences about the accounts of a table and about a daily run."""
    if api == "luma":
        account = f"guests who registered evenly over the time, half of them for the first time, for events of {GUESTS}"
        day = "a day's guests and events have been added"
    else:
        account = "bookings made evenly over the time, each 30 days ahead, half of them by somebody new"
        day = "a day's bookings have been made, and one in ten cancelled"
    return (
        f"Counted on accounts in the sandbox, with default settings: {account}, two years back and a month ahead. The "
        f"daily run is a day after the first one: {day}."
    )


def _time(minutes: float) -> str:
    return f"{minutes / 60:.1f} h" if minutes >= 90 else f"{max(1, round(minutes))} min"  # noqa: PLR2004 - minutes


def main() -> None:
    """Count the chosen accounts, and write the numbers beside the others."""
    logging.disable(logging.CRITICAL)
    wanted = {name for name in sys.argv[1:] if name in TAPS} or set(TAPS)
    sizes = {int(size) for size in sys.argv[1:] if size.isdecimal()} or set(SIZES)
    counted = read()
    for api in TAPS:
        for size in SIZES:
            if api in wanted and size in sizes:
                counted.setdefault(api, {})[size] = runs = count(api, size)
                print(api, size, {name: sum(by_stream.values()) for name, by_stream in runs.items()}, flush=True)  # noqa: T201 - a program's output
    FILE.write_text(json.dumps(counted, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
