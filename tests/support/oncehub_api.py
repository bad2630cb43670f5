"""OnceHub, for the tests that hold for every tap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api import Api
from tap_bookings.tap import TapBookings

if TYPE_CHECKING:
    from api import Row
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
    kept=frozenset({"bookings", "contacts"}),
    # Whether trashing a booking moves its update time is not known.
    rows={
        "webhooks": _webhook,
        "bookings": lambda thing: {name: value for name, value in thing.items() if name != "in_trash"},
    },
    announces_limit=False,
    empty_pages=False,
    empty=_delete_teams,
)
