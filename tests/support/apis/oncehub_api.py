"""OnceHub, for the tests that hold for every tap."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from api import NOTHING_ODD, Api, host_of
from oncehub_mutations import CHORES, MUTATIONS
from oncehub_visibility import BEGINS, SEEN, UNSEEN
from sandbox.oncehub.bookings import booking_ref
from tap_bookings.tap import TapBookings

if TYPE_CHECKING:
    from typing import Any

    from api import Row
    from harness import Runner
    from sandbox import Sandbox


def _webhook(thing: Row) -> Row:
    return {name: value for name, value in thing.items() if name != "secret"} | {"url": host_of(thing["url"])}


def _delete_teams(sandbox: Sandbox) -> str:
    sandbox.world.version += 1
    sandbox.world.teams.clear()
    sandbox.world.groups.clear()
    return "teams"


ONCEHUB = Api(
    name="oncehub",
    tap=TapBookings,
    main="bookings",
    first=r"/v2/test$",
    listed=r"/v2/users$",
    person=("users", "email"),
    seen=SEEN,
    unseen=UNSEEN,
    begins=BEGINS,
    mutations=MUTATIONS,
    chores=CHORES,
    # A first load has slices where a page is full.
    settings={
        "page_size": [2, 1, 100],
        "lookback_days": [1, 5, 0, 30],
        "start_date": [None, None, None, -3, -20, -300],
    },
    before=[(), (("book_twice_a_season", 0),), (("book_twice_a_season", 0),) * 2, (("book_twice_a_season", 0),) * 3],
    switches={
        "trash_moves_update_time": [False, True],
        "reassignment_moves_update_time": [True, False],
        "approval_moves_update_time": [True, False],
        "declined_status": ["canceled", "declined"],
        "day_granular_filters": [False, True],
        "list_deleted_stubs": [False, True],
        "after_deleted_anchor": ["refuse", "continue"],
        "send_has_more": [True, False],
        "send_link": [True, False],
        "odd": [
            *NOTHING_ODD,
            {"last_updated_time": ""},
            {"creation_time": 1767225600},
            {"creation_time": "soon", "subject": {"a": "text"}, "duration_minutes": "thirty"},
            {"last_updated_time": "0001-01-01T00:00:00Z", "starting_time": ["a", "list"]},
        ],
    },
    rows={"webhooks": _webhook},
    announces_limit=False,
    empty_pages=False,
    empty=_delete_teams,
)


def every(_name: str, _default: bool) -> bool:  # noqa: FBT001 - as a runner selects
    """Selects every stream."""
    return True


def booked(sandbox: Sandbox, days: float = 5) -> Any:
    """A new booking, so many days ahead."""
    return sandbox.world.book(start=sandbox.world.now + timedelta(days=days))


def booking(oncehub: Runner, sandbox: Sandbox, made: Any) -> Row:
    """The row of a booking."""
    ticket = sandbox.world.desk.ticket(made)
    return oncehub.warehouse.rows["bookings"][booking_ref(sandbox.oncehub, ticket),]
