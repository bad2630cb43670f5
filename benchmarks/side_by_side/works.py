"""Works to measure: one table of the page each, with its programs and its goals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from side_by_side import programs as by
from side_by_side.figures import all_arrived, at_the_limit, bound, fewest, ratio

if TYPE_CHECKING:
    from side_by_side.figures import Goal
    from side_by_side.programs import Program

FIRST, AGAIN, TEN = "first load", "nothing changed", "ten changes"


@dataclass(frozen=True)
class Work:
    """One table."""

    name: str
    title: str
    shape: str
    """calendly, flat or nested."""
    size: int
    """Meetings, or rows."""
    quick: int
    """The same in `make bench-quick`."""
    programs: tuple[Program, ...]
    goals: tuple[Goal, ...]
    source: str = "api"
    """api, or messages: a file of what the template's tap wrote, for loaders."""
    latency: float = 0
    """Seconds before each answer."""
    limit: int | None = None
    """Requests in a fixed window."""
    window: float = 60
    """Seconds of the window."""
    quick_limit: tuple[int, int] | None = None
    """Requests and seconds in `make bench-quick`."""
    steps: tuple[str, ...] = ("",)
    """Runs one after the other, each with the state of the one before."""
    rounds: int = 3
    """Runs of each program; once is enough where waiting or counting is measured."""
    note: str = ""


OURS, LIST, HAND = "tap-calendly", "tap_common", "by hand"
TENTH = "tap-calendly, a tenth"
TEMPLATE, PLAIN = "template tap", "template tap, no partitions"


def _list(name: str, title: str, size: int, quick: int, template: float) -> Work:
    peers = (
        by.tap_list(),
        by.template(),
        by.dlt("dlt"),
        by.airbyte("airbyte-cdk", 1),
        by.msdk(),
        by.by_hand(1),
    )
    goals = (
        ratio("wall", LIST, TEMPLATE, template),
        *(ratio("wall", LIST, peer, 1 / 3) for peer in ("dlt", "airbyte-cdk", "tap-rest-api-msdk")),
    )
    return Work(name, title, name, size, quick, peers, goals)


def _loader(shape: str, title: str, size: int, quick: int, memory: float | None) -> Work:
    ours = "target-duckdb (ours)"
    goals = [
        ratio("wall", ours, "target-duckdb 0.8.0", 1 / 5),
        ratio("wall", ours, "dlt", 1),
    ]
    if memory:
        goals.append(bound("peak_mb", ours, memory, f"peak memory of {ours}, MB"))
    loaders = (by.our_target(), by.known_target(), by.dlt_load("dlt"))
    return Work(f"load-{shape}", title, shape, size, quick, loaders, tuple(goals), source="messages")


WORKS = (
    Work(
        "events",
        "Meetings and invitees, no latency",
        "calendly",
        2_000,
        100,
        (
            by.tap_calendly(8),
            by.template(TEMPLATE),
            by.template(PLAIN, partitions=False),
            by.dlt("dlt"),
            by.airbyte("airbyte-cdk", 1),
            by.variant(by.airbyte("airbyte-cdk, 16", 16)),
            by.by_hand(1),
        ),
        (
            ratio("cpu", OURS, TEMPLATE, 1 / 15),
            ratio("cpu", OURS, "dlt", 1 / 3),
            ratio("cpu", OURS, "airbyte-cdk", 1 / 3),
        ),
    ),
    Work(
        "latency",
        "Meetings and invitees, 50 ms an answer, 16 in flight",
        "calendly",
        2_000,
        200,
        (
            by.tap_calendly(16),
            by.variant(by.dlt("dlt, 5 workers", workers=5)),
            by.dlt("dlt, 16 workers", workers=16),
            by.airbyte("airbyte-cdk, 16", 16),
            by.by_hand(16),
        ),
        (
            ratio("wall", OURS, "dlt, 16 workers", 0.7),
            ratio("wall", OURS, "airbyte-cdk, 16", 0.7),
            ratio("wall", OURS, HAND, 1.2),
        ),
        latency=0.05,
    ),
    Work(
        "limit",
        "Meetings and invitees, under a limit",
        "calendly",
        500,
        20,
        (
            by.tap_calendly(8),
            by.template(PLAIN, partitions=False),
            by.dlt("dlt, 5 workers", workers=5),
            by.variant(by.airbyte("airbyte-cdk, 16", 16)),
            by.airbyte("airbyte-cdk, 16, api_budget", 16, budget=True),
        ),
        (at_the_limit(OURS, 1.05), bound("refused", OURS, 1, f"429s that {OURS} meets")),
        limit=100,
        window=12,
        quick_limit=(10, 1),
        rounds=1,
        note=(
            "Calendly's 500 requests a minute, scaled down to a window of 12 seconds, of which tap-calendly and the "
            "`api_budget` are told; `X-RateLimit-*` on every answer, `Retry-After` on a 429. The window is a fixed "
            "one: its first requests may come at once, so that the least is one window less than there are windows."
        ),
    ),
    _list("flat", "One list of flat rows", 200_000, 2_000, 1 / 3),
    _list("nested", "One list of nested rows of 1 KB", 50_000, 1_000, 1 / 5),
    _loader("flat", "Loading flat rows from a file of messages", 200_000, 2_000, None),
    _loader("nested", "Loading nested rows from a file of messages", 50_000, 1_000, 200),
    Work(
        "pipe",
        "From the API into DuckDB, nested rows",
        "nested",
        50_000,
        1_000,
        (
            by.our_pipe(),
            by.known_pipe(),
            by.dlt("dlt", destination="duckdb"),
            by.variant(by.dlt("dlt, defaults", destination="duckdb", defaults=True)),
        ),
        (
            ratio("wall", "ours | ours", "dlt", 0.7),
            ratio("wall", "ours | ours", "template tap | target-duckdb 0.8.0", 1 / 5),
        ),
    ),
    Work(
        "second",
        "Second runs: nothing changed, then ten changes",
        "calendly",
        10_000,
        300,
        (
            by.tap_calendly(8),
            by.dlt("dlt, by updated_at", cursor="updated_at", workers=8),
            by.variant(by.dlt("dlt, by start_time", cursor="start_time", workers=8)),
            by.airbyte("airbyte-cdk, by updated_at", 8, cursor="updated_at"),
            by.variant(by.airbyte("airbyte-cdk, by start_time", 8, cursor="start_time")),
        ),
        (all_arrived(OURS, TEN), fewest(OURS, AGAIN), fewest(OURS, TEN)),
        steps=(FIRST, AGAIN, TEN),
        rounds=1,
        note=(
            "The ten: three meetings to come are called off, two invitees of past meetings are marked as no-shows, one "
            "of several invitees calls off in two meetings, three new bookings. Only the first and the last move the "
            "meeting's `updated_at`; the API filters by start time alone. tap-calendly asks again for the invitees of "
            "every meeting of the last 30 days and to come, where a no-show shows; a program that goes by a cursor "
            "sees all the changes only if it is made to load everything again, which costs what its first load does."
        ),
    ),
    Work(
        "growth",
        "Ten times as many meetings",
        "calendly",
        200_000,
        1_000,
        (by.tap_calendly(8, TENTH, size=20_000), by.tap_calendly(8)),
        (
            ratio("cpu", OURS, TENTH, 10.5),
            ratio("peak_mb", OURS, TENTH, 1.1),
            ratio("state_bytes", OURS, TENTH, 1),
        ),
        rounds=1,
    ),
)
