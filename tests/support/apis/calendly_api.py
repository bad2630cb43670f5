"""Calendly, for the tests that hold for every tap."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from api import NOTHING_ODD, Api, host_of
from calendly_mutations import CHORES, MUTATIONS
from calendly_visibility import BEGINS, SEEN, UNSEEN
from tap_calendly.tap import TapCalendly

if TYPE_CHECKING:
    from api import Row
    from sandbox import Sandbox


def _membership(thing: Row) -> Row:
    return {name: value for name, value in thing.items() if name != "event_type"} | {
        "event_type_uri": thing["event_type"]["uri"],
        "member_uri": thing["member"]["uri"],
    }


def _communication(thing: Row) -> Row:
    told = (thing.get(name) for name in ("type", "to", "from", "created_at", "event_uri", "body"))
    return thing | {"_id": hashlib.sha256("\x1f".join(map(str, told)).encode()).hexdigest()}


def _delete_recaps(sandbox: Sandbox) -> str:
    for recap in list(sandbox.world.recaps.values()):
        sandbox.world.delete_recap(recap)
    return "meeting_recaps"


# Meetings of some days ago that are still to come, and one that was held.
_STOCK = (
    ("book_soon", 0),
    ("book_next_week", 0),
    ("book_for_next_year", 1),
    ("open_a_group_meeting", 0),
    ("join_a_group_meeting", 0),
    ("join_a_group_meeting", 0),
    ("submit_a_form", 0),
    ("a_day_passes", 0),
    ("begin_a_recap", 0),
    ("a_day_passes", 0),
)

CALENDLY = Api(
    name="calendly",
    tap=TapCalendly,
    main="scheduled_events",
    first=r"/users/me$",
    listed=r"/contacts$",
    person=("api_user", "email"),
    hides_lists=False,
    snapshots=frozenset({"user_busy_times", "event_type_available_times"}),
    seen=SEEN,
    unseen=UNSEEN,
    begins=BEGINS,
    mutations=MUTATIONS,
    chores=CHORES,
    before=[(), _STOCK],
    switches={
        "odd": [
            *NOTHING_ODD,
            {"start_time": ""},
            {"updated_at": 1767225600},
            {"start_time": "soon", "created_at": {"a": "time"}},
            {"start_time": "9999-12-31T23:59:59Z", "name": 5, "tracking": "none"},
        ]
    },
    rows={
        "event_type_memberships": _membership,
        "meeting_recap_transcripts": lambda thing: {"recap_uri": thing["meeting_recap"], "transcript": thing},
        "outgoing_communications": _communication,
        "webhook_subscriptions": lambda thing: thing | {"callback_url": host_of(thing["callback_url"])},
    },
    checked_with=frozenset({"/user_availability_schedules"}),
    numbered={
        "locations": ("user_uri", "user"),
        "event_type_availability_schedules": ("event_type_uri", "event_type"),
    },
    empty=_delete_recaps,
)
