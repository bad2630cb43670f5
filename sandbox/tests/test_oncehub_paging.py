"""Pages of OnceHub's lists, their signals, filters and expansion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.oncehub.endpoints import COLLECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox import Sandbox

    Fetch = Callable[..., requests.Response]

Row = dict[str, Any]


@pytest.fixture
def fetch(sandbox: Sandbox) -> Iterator[Fetch]:
    """Request from the tiny world: `fetch(stream, **params)`."""
    with requests.Session() as session:

        def send(stream: str, params: dict[str, Any] | None = None, one: str = "") -> requests.Response:
            path = COLLECTIONS[stream].path + one
            headers = {"API-Key": "sandbox-admin"}
            return session.get(sandbox.oncehub.api_url + path, params=params, headers=headers, timeout=5)

        sandbox.oncehub.requests_per_minute = 100_000
        yield send


def rows(fetch: Fetch, stream: str, **params: Any) -> list[Row]:
    """Read a list to its end, without its signals: until a page is not full."""
    found: list[Row] = []
    while True:
        answer = fetch(stream, {"limit": 3} | {name.replace("__", "."): value for name, value in params.items()})
        assert answer.status_code == 200, answer.text
        page: list[Row] = answer.json()["data"]
        found += page
        if len(page) < params.get("limit", 3):
            return found
        params["after"] = page[-1]["id"]


def by_id(found: list[Row]) -> list[Row]:
    """Return rows in order of their ids."""
    return sorted(found, key=lambda row: str(row["id"]))


@pytest.mark.parametrize("stream", COLLECTIONS)
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_paging_by_the_last_id_finds_the_truth(sandbox: Sandbox, fetch: Fetch, stream: str, limit: int) -> None:
    sandbox.oncehub.extra_fields = {stream: {"brand_new": [1, {}]}}
    found = rows(fetch, stream, limit=limit)
    assert by_id(found) == by_id(sandbox.truth("oncehub", stream))
    assert len({row["id"] for row in found}) == len(found)
    assert all(row["brand_new"] == [1, {}] for row in found)


@pytest.mark.parametrize("stream", [name for name, one in COLLECTIONS.items() if name != "sms_notifications"])
def test_every_row_can_be_requested_alone(sandbox: Sandbox, fetch: Fetch, stream: str) -> None:
    for row in sandbox.truth("oncehub", stream)[:5]:
        assert fetch(stream, one=f"/{row['id']}").json() == row


def test_ten_rows_are_the_default_and_the_newest_come_first(fetch: Fetch) -> None:
    body = fetch("bookings").json()
    assert (body["object"], len(body["data"]), body["has_more"]) == ("list", 10, True)
    created = [row["creation_time"][:19] for row in rows(fetch, "bookings")]
    assert created == sorted(created, reverse=True)


def test_links_lack_the_version_and_the_filters(sandbox: Sandbox, fetch: Fetch) -> None:
    kept = {"last_updated_time.gt": "2026-01-01"}
    first = fetch("bookings", {"limit": 4, **kept})
    last = first.json()["data"][-1]["id"]
    base = f"{sandbox.oncehub.api_url}/bookings"
    assert first.headers["Link"] == f'<{base}?after={last}&limit=4>; rel="next"'
    second = fetch("bookings", {"limit": 4, "after": last, **kept})
    ids = [row["id"] for row in second.json()["data"]]
    links = f'<{base}?after={ids[-1]}&limit=4>; rel="next", <{base}?before={ids[0]}&limit=4>; rel="previous"'
    assert second.headers["Link"] == links
    back = fetch("bookings", {"limit": 4, "before": ids[0], **kept})
    assert back.json()["data"] == first.json()["data"]
    assert 'rel="previous"' not in back.headers["Link"]
    literal = requests.get(f"{base}?after={last}&limit=4", headers={"API-Key": "sandbox-admin"}, timeout=5)
    assert literal.status_code == 404


def test_one_page_has_no_link(fetch: Fetch) -> None:
    answer = fetch("teams", {"limit": 100})
    assert "Link" not in answer.headers
    assert answer.json()["has_more"] is False


def test_signals_can_be_taken_away(sandbox: Sandbox, fetch: Fetch) -> None:
    sandbox.oncehub.send_link = False
    assert "Link" not in fetch("bookings").headers
    assert fetch("bookings").json()["has_more"] is True
    sandbox.oncehub.send_has_more = False
    assert fetch("bookings").json().keys() == {"object", "data"}
    assert len(rows(fetch, "bookings")) == len(sandbox.truth("oncehub", "bookings"))


def test_text_messages_never_say_has_more(sandbox: Sandbox, fetch: Fetch) -> None:
    answer = fetch("sms_notifications", {"limit": 1})
    assert answer.json().keys() == {"object", "data"}
    assert 'rel="next"' in answer.headers["Link"]
    sandbox.oncehub.send_link = False
    assert "Link" not in fetch("sms_notifications", {"limit": 1}).headers


def test_rows_that_come_and_go_between_pages_move_no_other_row(sandbox: Sandbox, fetch: Fetch) -> None:
    world = sandbox.world
    before = {row["id"] for row in sandbox.truth("oncehub", "bookings")}
    page = fetch("bookings", {"limit": 20}).json()["data"]
    world.book()
    gone = next(one for one in world.desk.tickets.values() if one.booking.id in world.bookings)
    world.erase(gone.meeting)
    found = page + rows(fetch, "bookings", after=page[-1]["id"])
    ids = [row["id"] for row in found]
    assert len(set(ids)) == len(ids)
    assert len(before - set(ids)) == len(gone.meeting.bookings)
    assert set(ids) <= before


def test_a_deleted_anchor_is_refused_by_default(sandbox: Sandbox, fetch: Fetch) -> None:
    page = fetch("contacts", {"limit": 2}).json()["data"]
    rest = rows(fetch, "contacts", after=page[-1]["id"])
    (card,) = [
        one for one in sandbox.world.desk.cards.values() if page[-1]["id"][4:].lower() in one.id.replace("-", "")
    ]
    sandbox.world.desk.delete_contact(card)
    refused = fetch("contacts", {"after": page[-1]["id"]})
    assert (refused.status_code, refused.json()["param"]) == (400, "after")
    sandbox.oncehub.after_deleted_anchor = "continue"
    assert rows(fetch, "contacts", after=page[-1]["id"]) == rest
    assert fetch("contacts", {"before": page[-1]["id"]}).json()["data"] == page[:1]
    assert fetch("contacts", {"after": "CTC-NEVER"}).status_code == 400


def test_an_anchor_must_be_one_of_those_requested_by_default(sandbox: Sandbox, fetch: Fetch) -> None:
    found = sandbox.truth("oncehub", "bookings")
    other = next(row["id"] for row in found if row["status"] == "canceled")
    params = {"status": "completed", "after": other}
    assert fetch("bookings", params).json()["param"] == "after"
    sandbox.oncehub.anchor_must_match = False
    assert all(row["status"] == "completed" for row in fetch("bookings", params).json()["data"])


def test_a_page_can_repeat_for_ever(sandbox: Sandbox, fetch: Fetch) -> None:
    sandbox.oncehub.repeat_token = True
    first = fetch("bookings", {"limit": 3}).json()["data"]
    second = fetch("bookings", {"limit": 3, "after": first[-1]["id"]})
    assert second.json()["data"][-1]["id"] == first[-1]["id"]
    assert second.json()["has_more"] is True
    assert f'after={first[-1]["id"]}&limit=3>; rel="next"' in second.headers["Link"]


@pytest.mark.parametrize("field", ["status", "owner", "contact", "booking_calendar", "booking_page", "event_type"])
def test_bookings_are_filtered_by_their_fields(sandbox: Sandbox, fetch: Fetch, field: str) -> None:
    truth = sandbox.truth("oncehub", "bookings")
    for value in {row[field] for row in truth if row.get(field)}:
        same = [row for row in truth if row.get(field) == value]
        assert by_id(rows(fetch, "bookings", **{field: value})) == by_id(same)


def test_other_lists_are_filtered_too(sandbox: Sandbox, fetch: Fetch) -> None:
    truth = {stream: sandbox.truth("oncehub", stream) for stream in COLLECTIONS}
    user = truth["users"][0]
    assert rows(fetch, "users", email=user["email"]) == [user]
    assert {row["id"] for row in rows(fetch, "teams", user=user["id"])} == set(user["teams"])
    assert {row["host"] for row in rows(fetch, "booking_calendars", host=user["id"])} == {user["id"]}
    contact = next(row for row in truth["contacts"] if row["email"])
    assert contact in rows(fetch, "contacts", email=contact["email"])
    assert {row["recipient_type"] for row in rows(fetch, "sms_notifications", recipient_type="user")} == {"user"}
    assert rows(fetch, "bookings", master_page="MP-NEVER") == []
    hosted = rows(fetch, "bookings", host=user["id"])
    assert [row for row in truth["bookings"] if row["owner"] == user["id"] and row not in hosted] == []


@pytest.mark.parametrize(
    ("stream", "field"),
    [
        ("bookings", "creation_time"),
        ("bookings", "starting_time"),
        ("bookings", "last_updated_time"),
        ("contacts", "creation_time"),
        ("contacts", "last_updated_time"),
        ("sms_notifications", "creation_time"),
    ],
)
def test_time_filters_are_strict_at_the_time_shown(sandbox: Sandbox, fetch: Fetch, stream: str, field: str) -> None:
    def seconds(row: Row) -> str:
        time: str = row[field]
        return time[:-1] if "." in time else f"{time[:-1]}.000"

    truth = sandbox.truth("oncehub", stream)
    edge = sorted(truth, key=seconds)[len(truth) // 2]
    later, sooner = (rows(fetch, stream, **{f"{field}__{op}": edge[field]}) for op in ("gt", "lt"))
    assert by_id(later) == by_id([row for row in truth if seconds(row) > seconds(edge)])
    assert by_id(sooner) == by_id([row for row in truth if seconds(row) < seconds(edge)])


def test_days_can_be_all_that_counts(sandbox: Sandbox, fetch: Fetch) -> None:
    params = {"last_updated_time__gt": "2026-04-01T12:00:00Z"}
    exact = rows(fetch, "bookings", **params)
    sandbox.oncehub.day_granular_filters = True
    assert rows(fetch, "bookings", **params) == [row for row in exact if row["last_updated_time"] > "2026-04-02"]


def test_ids_expand_to_objects(sandbox: Sandbox, fetch: Fetch) -> None:
    users = {row["id"]: row for row in sandbox.truth("oncehub", "users")}
    names = ("owner", "contact", "contact.owner", "booking_calendar", "event_type", "conversation", "master_page")
    found = fetch("bookings", {"limit": 100, "expand": ",".join(f"data.{name}" for name in names)}).json()["data"]
    plain = fetch("bookings", {"limit": 100}).json()["data"]
    for row, before in zip(found, plain, strict=True):
        assert row["owner"] == users.get(before["owner"], row["owner"])
        assert row["contact"]["id"] == before["contact"]
        assert "deleted" in row["contact"] or isinstance(row["contact"]["owner"], dict)
        assert not row.get("event_type") or row["event_type"]["id"] == before["event_type"]
    assert any(isinstance(row["conversation"], dict) for row in found)
    one = fetch("bookings", {"expand": "owner"}, one=f"/{plain[0]['id']}").json()
    assert one == plain[0] | {"owner": one["owner"]}
    assert isinstance(one["owner"], dict)
    messages = fetch("sms_notifications", {"expand": "data.recipient"}).json()["data"]
    assert all(row["recipient"]["object"] in {"contact", "user"} for row in messages)


def test_lists_can_take_bare_names_to_expand(sandbox: Sandbox, fetch: Fetch) -> None:
    sandbox.oncehub.list_expand_prefix = False
    assert isinstance(fetch("bookings", {"expand": "owner"}).json()["data"][0]["owner"], dict)
    assert fetch("bookings", {"expand": "data.owner"}).status_code == 400


def test_several_statuses_only_if_allowed(sandbox: Sandbox, fetch: Fetch) -> None:
    sandbox.oncehub.many_statuses = True
    found = rows(fetch, "bookings", status="canceled,no_show")
    assert {row["status"] for row in found} == {"canceled", "no_show"}


def test_what_was_deleted_answers_alone_and_leaves_the_list(sandbox: Sandbox, fetch: Fetch) -> None:
    world, truth = sandbox.world, sandbox.truth
    contact = next(row["id"] for row in truth("oncehub", "contacts"))
    member = next(one for one in world.memberships.values() if one.person not in world.seats.values())
    known = {row["id"] for row in truth("oncehub", "users")}
    world.remove_member(member)
    world.desk.delete_contact(next(iter(world.desk.cards.values())))
    (user,) = known - {row["id"] for row in truth("oncehub", "users")}
    for stream, kind, one in (("contacts", "contact", contact), ("users", "user", user)):
        assert fetch(stream, one=f"/{one}").json() == {"id": one, "object": kind, "deleted": True}
        assert one not in {row["id"] for row in rows(fetch, stream)}
        sandbox.oncehub.list_deleted_stubs = True
        assert {"id": one, "object": kind, "deleted": True} in rows(fetch, stream)
        assert one not in {row["id"] for row in truth("oncehub", stream)}
        sandbox.oncehub.list_deleted_stubs = False
    sandbox.oncehub.list_deleted_stubs = True
    for _ in range(2):
        world.delete_event_type(world.create_event_type())
    assert any(row.get("deleted") for row in rows(fetch, "booking_calendars"))
    sandbox.advance(days=8)
    assert not any(row.get("deleted") for row in rows(fetch, "booking_calendars"))
    assert fetch("users", one=f"/{user}/scheduling-availability").status_code == 404


def test_links_of_booking_pages_are_what_the_filters_say(sandbox: Sandbox, fetch: Fetch) -> None:
    streams = {"master_page": "master_pages", "event_type": "event_types", "user": "users"}
    found = [
        {"booking_page_id": page["id"], "relation": relation, "related_id": related["id"]}
        for relation, stream in streams.items()
        for related in rows(fetch, stream)
        for page in rows(fetch, "booking_pages", **{relation: related["id"]})
    ]
    truth = sandbox.truth("oncehub", "booking_page_links")
    assert sorted(map(str, found)) == sorted(map(str, truth))
    assert {row["relation"] for row in truth} == set(streams)


def test_opening_hours_are_requested_user_by_user(sandbox: Sandbox, fetch: Fetch) -> None:
    users = rows(fetch, "users")
    hours = [
        fetch("users", one=f"/{user['id']}/scheduling-availability").json() | {"user_id": user["id"]} for user in users
    ]
    truth = sandbox.truth("oncehub", "user_scheduling_availability")
    assert sorted(map(str, hours)) == sorted(map(str, truth))
    later = {"overrides_start_time": "2027-01-01"}
    found = [fetch("users", later, one=f"/{user['id']}/scheduling-availability").json() for user in users]
    assert not any(row["overrides"] for row in found)
    assert any(row["overrides"] for row in truth)
    wrong = fetch("users", {"overrides_start_time": "soon"}, one=f"/{users[0]['id']}/scheduling-availability")
    assert wrong.status_code == 400
