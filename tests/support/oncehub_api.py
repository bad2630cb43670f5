"""OnceHub, for the tests that hold for every tap."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from api import Api
from sandbox.oncehub.bookings import booking_ref
from sight import Unseen
from tap_bookings.tap import TapBookings

if TYPE_CHECKING:
    from typing import Any

    from api import Row
    from harness import Runner
    from sandbox import Sandbox


def _webhook(thing: Row) -> Row:
    return {name: value for name, value in thing.items() if name != "secret"} | {"url": thing["url"].partition("?")[0]}


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
    unseen=(
        Unseen(
            "What is deleted without a trace.",
            "`--full-refresh` into an empty schema.",
            ("bookings", "contacts"),
            lambda finding: finding.gone,
        ),
    ),
    # Whether trashing a booking moves its update time is not known.
    rows={
        "webhooks": _webhook,
        "bookings": lambda thing: {name: value for name, value in thing.items() if name != "in_trash"},
    },
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
