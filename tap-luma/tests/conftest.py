from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from apis import Api
from harness import Runner
from sandbox.luma.api import PATHS
from sandbox.luma.asking import Param, one_of
from tap_luma.tap import TapLuma
from truth import Judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import VirtualClock
    from sandbox import Sandbox
    from sandbox.world.gatherings import Gatherings

Row = dict[str, Any]

PROFILE = ("user_name", "user_first_name", "user_last_name", "user_email")
MOMENTARY = ("spots_remaining", "registration_open", "require_approval", "display_price")


def named(thing: Row | None) -> Row | None:
    """An object whose id stands under both names."""
    return thing and {"id": thing.get("api_id"), **thing, "api_id": thing.get("id", thing.get("api_id"))}


def with_ids(*lists: str, without: tuple[str, ...] = ()) -> Callable[[Row], Row]:
    """The row of an object: its own id, and those in its lists, under both names."""

    def row(thing: Row) -> Row:
        kept = {name: value for name, value in thing.items() if name not in without}
        return kept | {"api_id": thing["id"]} | {name: [named(item) for item in thing[name]] for name in lists}

    return row


def guest(thing: Row) -> Row:
    """The row of a guest, whose name and address may have changed since the window left the event."""
    tickets = [
        {**(named(one) or {}), "event_ticket_type_api_id": one["event_ticket_type_id"]}
        for one in thing["event_tickets"]
    ]
    answers = thing["registration_answers"]
    return {name: value for name, value in thing.items() if name not in PROFILE} | {
        "api_id": thing["id"],
        "user_api_id": thing["user_id"],
        "custom_source": thing["utm_source"],
        "event_api_id": thing["event_id"],
        "event_tickets": tickets,
        "event_ticket": next(iter(tickets), None),
        "registration_answers": answers and [one | {"answer": one["value"]} for one in answers],
    }


def contact(thing: Row) -> Row:
    """The row of a contact."""
    member = thing["membership"]
    tier = "calendar_membership_tier"
    return thing | {
        "tags": [named(tag) for tag in thing["tags"]],
        "membership": member and member | {f"{tier}_api_id": member[f"{tier}_id"]},
    }


def webhook(thing: Row) -> Row:
    """The row of a webhook: without what may be a secret."""
    return {name: value for name, value in thing.items() if name != "secret"} | {"url": thing["url"].partition("?")[0]}


def delete_coupons(sandbox: Sandbox) -> str:
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
    kept=frozenset(
        {
            "event_details",
            "event_hosts",
            "event_guests",
            "event_tickets",
            "guest_orders",
            "ticket_types",
            "event_coupons",
            "event_blasts",
        }
    ),
    rows={
        "events": with_ids("tags"),
        "event_details": with_ids("hosts", without=MOMENTARY),
        "event_guests": guest,
        "guest_orders": lambda thing: thing | {"coupon_info": named(thing["coupon_info"])},
        "contacts": contact,
        "webhooks": webhook,
    },
    left_out=frozenset({"description", "description_md"}),
    empty=delete_coupons,
)


@pytest.fixture
def run_against(clock: VirtualClock) -> Callable[[Sandbox], Runner]:
    """Runs of tap-luma against a sandbox."""

    def build(sandbox: Sandbox) -> Runner:
        return Runner(TapLuma, {"api_key": "sandbox-admin", "api_url": f"{sandbox.url}/luma"}, clock)

    return build


@pytest.fixture
def luma(sandbox: Sandbox, run_against: Callable[[Sandbox], Runner]) -> Runner:
    """Runs of tap-luma against the small sandbox."""
    return run_against(sandbox)


@pytest.fixture
def judge(sandbox: Sandbox) -> Judge:
    """Compares with the truth of the small sandbox."""
    return Judge(LUMA, sandbox)


@pytest.fixture
def life(sandbox: Sandbox) -> Gatherings:
    """What can happen to events."""
    return sandbox.world.gatherings


@pytest.fixture
def refuse_order(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has the API refuse to sort guests."""

    def refuse() -> None:
        endpoint = PATHS["/v1/events/guests/list"]
        params = {**endpoint.params, "sort_column": Param(one_of("registered_at"))}
        monkeypatch.setitem(PATHS, endpoint.path, replace(endpoint, params=params))

    return refuse
