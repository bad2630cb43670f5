"""Luma, for the tests that hold for every tap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api import NOTHING_ODD, Api, host_of
from luma_mutations import MUTATIONS
from luma_other_mutations import CHORES
from luma_visibility import BEGINS, SEEN, UNSEEN
from tap_luma.tap import TapLuma

if TYPE_CHECKING:
    from collections.abc import Callable

    from api import Row
    from sandbox import Sandbox

_A_DAY_LATER = tuple(
    (name, 0)
    for name in (
        "plan_for_next_week",
        "hand_over",
        "suggest_an_event",
        "plan_for_next_year",
        "enter_after_the_fact",
        "plan_for_weeks",
        "plan_for_next_week",
        "plan_for_soon",
        "a_day_passes",
    )
)


def _named(thing: Row | None) -> Row | None:
    """An object whose id stands under both names."""
    if not isinstance(thing, dict):
        return thing
    return {"id": thing.get("api_id"), **thing, "api_id": thing.get("id", thing.get("api_id"))}


def _with_ids(name: str) -> Callable[[Row], Row]:
    """The row of an object: its own id, and those in a list of it, under both names."""

    def named(thing: Row) -> Row:
        items = thing[name]
        return thing | {"api_id": thing["id"], name: [*map(_named, items)] if isinstance(items, list) else items}

    return named


def _guest(thing: Row) -> Row:
    """The row of a guest."""
    tickets = [
        {**(_named(one) or {}), "event_ticket_type_api_id": one["event_ticket_type_id"]}
        for one in thing["event_tickets"]
    ]
    answers = thing["registration_answers"]
    return thing | {
        "api_id": thing["id"],
        "user_api_id": thing["user_id"],
        "custom_source": thing["utm_source"],
        "event_api_id": thing["event_id"],
        "event_tickets": tickets,
        "event_ticket": next(iter(tickets), None),
        "registration_answers": answers and [one | {"answer": one["value"]} for one in answers],
    }


def _contact(thing: Row) -> Row:
    """The row of a contact."""
    member = thing["membership"]
    tier = "calendar_membership_tier"
    return thing | {
        "tags": [*map(_named, thing["tags"])] if isinstance(thing["tags"], list) else thing["tags"],
        "membership": member and member | {f"{tier}_api_id": member[f"{tier}_id"]},
    }


def _webhook(thing: Row) -> Row:
    """The row of a webhook: without what may be a secret."""
    return {name: value for name, value in thing.items() if name != "secret"} | {"url": host_of(thing["url"])}


def _delete_coupons(sandbox: Sandbox) -> str:
    """Leave no coupon of a calendar."""
    gatherings = sandbox.world.gatherings
    for coupon in list(gatherings.main.coupons):
        gatherings.delete_coupon(coupon)
    return "calendar_coupons"


LUMA = Api(
    name="luma",
    tap=TapLuma,
    main="event_guests",
    first=r"/v1/calendars/get$",
    listed=r"/v1/calendars/contacts/list$",
    person=("contacts", "email"),
    second_key="sandbox-second",
    config={"organization_api_key": "sandbox-organization"},
    seen=SEEN,
    unseen=UNSEEN,
    begins=BEGINS,
    mutations=MUTATIONS,
    chores=CHORES,
    before=[(), _A_DAY_LATER],
    settings={"lookback_days": [30, 5, 1, 90, 0]},
    switches={
        "lingering_cursor": [False, True],
        "inclusive_bounds": [False, True],
        "empty_pages": [False, True],
        "fuller_view": [False, True],
        "blasts_carry_event_id": [False, True],
        "odd": [
            *NOTHING_ODD,
            {"end_at": ""},
            {"start_at": 1767225600, "created_at": "soon"},
            {"end_at": "0001-01-01T00:00:00+05:00", "name": ["a", "list"]},
            {"end_at": {"a": "time"}, "registered_at": 5, "tags": "none", "coordinate": 7},
        ],
    },
    rows={
        "events": _with_ids("tags"),
        "event_details": _with_ids("hosts"),
        "event_guests": _guest,
        "guest_orders": lambda thing: thing | {"coupon_info": _named(thing["coupon_info"])},
        "contacts": _contact,
        "webhooks": _webhook,
    },
    left_out=frozenset({"description", "description_md"}),
    empty=_delete_coupons,
)
