"""SavvyCal: pages, the narrow defaults, and the truth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import requests

from sandbox import ManualClock, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.world.invitations import Event

Row = dict[str, Any]
WIDE = {"state": "all", "period": "all", "attendance": "any"}
KEYS = ["sandbox-admin", "sandbox-member"]


class Client:
    """A client of a sandbox's SavvyCal."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()

    def __call__(self, path: str, key: str = "sandbox-admin", **params: Any) -> Any:
        params = {name.rstrip("_"): value for name, value in params.items()}
        headers = {"Authorization": f"Bearer {key}"}
        url = self.sandbox.savvycal.api_url + path
        answer = self.session.get(url, params=params, headers=headers, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def read(self, path: str, key: str = "sandbox-admin", **params: Any) -> list[Row]:
        """Return all rows, page by page."""
        rows: list[Row] = []
        while True:
            body = self(path, key, **params)
            assert len(body["entries"]) <= body["metadata"]["limit"] == int(params.get("limit", 20))
            rows += body["entries"]
            params["after"] = body["metadata"]["after"]
            if params["after"] is None:
                return rows


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """The tiny world."""
    client = Client(sandbox)
    with client.session:
        yield client


@pytest.fixture(scope="module")
def busy_client() -> Iterator[Client]:
    """A busier world that is only read."""
    with Sandbox(scale="test", clock=ManualClock()) as running:
        client = Client(running)
        with client.session:
            yield client


def by_id(rows: list[Row]) -> list[Row]:
    """Return rows in one order."""
    return sorted(rows, key=lambda row: str(row["id"]))


LISTS = {"events": "/v1/events", "scheduling_links": "/v1/links", "workflows": "/v1/workflows"}
LISTS["webhooks"] = "/v1/webhooks"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("stream", LISTS)
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_paging_finds_the_truth(client: Client, key: str, stream: str, limit: int) -> None:
    rows = client.read(LISTS[stream], key, **(WIDE if stream == "events" else {}), limit=limit)
    assert by_id(rows) == by_id(client.sandbox.truth("savvycal", stream, key))
    assert len({row["id"] for row in rows}) == len(rows)


@pytest.mark.parametrize("key", KEYS)
def test_what_is_not_paged_is_the_truth_too(client: Client, key: str) -> None:
    truth = client.sandbox.truth
    assert [client("/v1/me", key)] == truth("savvycal", "current_user", key)
    assert client("/v1/time_zones", key) == truth("savvycal", "timezones", key)
    rules = [
        {**rule, "workflow_id": parent["id"]}
        for parent in client.read("/v1/workflows", key)
        for rule in client(f"/v1/workflows/{parent['id']}/rules", key)
    ]
    assert rules == truth("savvycal", "workflow_rules", key)
    attendees = [
        {**one, "event_id": event["id"], "event_start_at": event["start_at"]}
        for event in client.read("/v1/events", key, **WIDE)
        for one in event["attendees"]
    ]
    assert by_id(attendees) == by_id(truth("savvycal", "event_attendees", key))


def test_without_parameters_only_upcoming_confirmed_meetings_of_ones_own_are_listed(busy_client: Client) -> None:
    now = busy_client.sandbox.world.now
    me = busy_client("/v1/me")["email"]
    rows = busy_client.read("/v1/events")
    everything = busy_client.sandbox.truth("savvycal", "events")
    assert 0 < len(rows) < len(everything)
    expected = [
        row["id"]
        for row in everything
        if row["state"] == "confirmed"
        and datetime.fromisoformat(row["start_at"]) > now
        and me in {one["email"] for one in row["attendees"]}
    ]
    assert sorted(row["id"] for row in rows) == sorted(expected)


def test_each_default_narrows_on_its_own(busy_client: Client) -> None:
    ids = {row["id"] for row in busy_client.read("/v1/events", **WIDE, limit=100)}
    assert len(ids) == len(busy_client.sandbox.truth("savvycal", "events"))
    for name in WIDE:
        rest = {other: value for other, value in WIDE.items() if other != name}
        fewer = {row["id"] for row in busy_client.read("/v1/events", **rest, limit=100)}
        assert fewer < ids
    assert busy_client("/v1/events", **WIDE)["metadata"]["limit"] == 20


def test_a_meeting_drops_out_of_the_default_when_it_begins(client: Client) -> None:
    world = client.sandbox.world
    event = world.invites.open(start=world.now + timedelta(minutes=30))
    (row,) = [row for row in client.read("/v1/events") if row["uuid"] == uuid_of(client, event)]
    client.sandbox.advance(minutes=30)
    assert row["id"] not in {one["id"] for one in client.read("/v1/events")}
    assert row["id"] in {one["id"] for one in client.read("/v1/events", period="past")}
    assert client(f"/v1/events/{row['id']}")["state"] == "confirmed"


def uuid_of(client: Client, event: Event) -> str:
    """Return the uuid of an event."""
    found = [row["uuid"] for row in client.sandbox.truth("savvycal", "events") if row["start_at"] == text(event.start)]
    uuid: str = found[0]
    return uuid


def text(moment: datetime) -> str:
    """Write a time as most rows do."""
    return moment.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("state", ["confirmed", "canceled", "declined", "tentative", "awaiting_approval"])
def test_states_are_distinguished(busy_client: Client, state: str) -> None:
    rows = busy_client.read("/v1/events", **WIDE | {"state": state}, limit=100)
    assert rows
    assert {row["state"] for row in rows} == {state}


@pytest.mark.parametrize(("direction", "reverse"), [("asc", False), ("desc", True), (None, True)])
def test_events_are_sorted_by_their_start_the_latest_first(
    busy_client: Client,
    direction: str | None,
    reverse: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    more = {"direction": direction} if direction else {}
    starts = [datetime.fromisoformat(row["start_at"]) for row in busy_client.read("/v1/events", **WIDE, **more)]
    assert starts == sorted(starts, reverse=reverse)


@pytest.mark.parametrize("zone", [None, "Pacific/Auckland", "America/Los_Angeles"])
def test_fixed_periods_are_bounded_by_dates_in_a_zone(busy_client: Client, zone: str | None) -> None:
    sandbox = busy_client.sandbox
    sandbox.savvycal.from_zone = zone
    there = ZoneInfo(zone or busy_client("/v1/me")["time_zone"])
    days = {
        row["id"]: datetime.fromisoformat(row["start_at"]).astimezone(there).date()
        for row in sandbox.truth("savvycal", "events")
    }
    first, last = sorted(days.values())[30], sorted(days.values())[90]
    wide = WIDE | {"period": "fixed"}
    from_on = {row["id"] for row in busy_client.read("/v1/events", **wide, from_=first)}
    assert from_on == {name for name, day in days.items() if first <= day}
    between = {row["id"] for row in busy_client.read("/v1/events", **wide, from_=first, until=last)}
    assert between == {name for name, day in days.items() if first <= day < last}
    sandbox.savvycal.until_inclusive = True
    between = {row["id"] for row in busy_client.read("/v1/events", **wide, from_=first, until=last)}
    assert between == {name for name, day in days.items() if first <= day <= last}
    sandbox.savvycal.until_inclusive = False
    assert len(busy_client.read("/v1/events", **wide)) == len(days)
    sandbox.savvycal.from_zone = None


def test_dates_mean_nothing_without_a_fixed_period(client: Client) -> None:
    plain = client.read("/v1/events")
    assert client.read("/v1/events", from_="2026-01-01", until="2026-01-02") == plain


def test_events_of_one_link_may_be_requested(busy_client: Client) -> None:
    everything = busy_client.sandbox.truth("savvycal", "events")
    link = everything[0]["link"]["id"]
    rows = busy_client.read("/v1/events", **WIDE, link=link)
    expected = [row["id"] for row in everything if row["link"] and row["link"]["id"] == link]
    assert sorted(row["id"] for row in rows) == sorted(expected)
    assert busy_client.read("/v1/events", **WIDE, link="link_0") == []


def test_rows_that_come_and_go_between_two_pages_move_no_other_row(client: Client) -> None:
    world = client.sandbox.world
    before = {row["id"] for row in client.sandbox.truth("savvycal", "events")}
    rows, after, turn = [], None, 0
    while True:
        page = client("/v1/events", **WIDE, limit=3, **({"after": after} if after else {}))
        rows += [row["id"] for row in page["entries"]]
        after = page["metadata"]["after"]
        if after is None:
            break
        world.book(start=world.now + timedelta(days=250, hours=turn))
        world.invites.propose(start=world.now + timedelta(hours=1 + turn))
        turn += 1
    assert len(rows) == len(set(rows))
    assert before <= set(rows)


def test_one_may_page_back(client: Client) -> None:
    first = client("/v1/events", **WIDE, limit=5)
    assert first["metadata"]["before"] is None
    second = client("/v1/events", **WIDE, limit=5, after=first["metadata"]["after"])
    again = client("/v1/events", **WIDE, limit=5, before=second["metadata"]["before"])
    assert again["entries"] == first["entries"]
    assert again["metadata"]["before"] is None
    assert again["metadata"]["after"] == first["metadata"]["after"]


def test_a_cursor_belongs_to_its_filters_and_its_key(client: Client) -> None:
    after = client("/v1/events", **WIDE, limit=2)["metadata"]["after"]
    assert after.endswith("=")
    assert "+" in after
    assert client("/v1/events", **WIDE, limit=9, after=after, unheard_of=1)["entries"]
    for narrower in ({"state": "all"}, WIDE | {"direction": "asc"}, WIDE | {"period": "past"}):
        with pytest.raises(requests.HTTPError, match="422"):
            client("/v1/events", **narrower, after=after)
    with pytest.raises(requests.HTTPError, match="422"):
        client("/v1/events", "sandbox-member", **WIDE, after=after)


def test_an_empty_page_may_come_in_the_middle(client: Client) -> None:
    client.sandbox.savvycal.empty_pages = True
    first = client("/v1/events", **WIDE, limit=5)
    second = client("/v1/events", **WIDE, limit=5, after=first["metadata"]["after"])
    assert second["entries"] == []
    assert second["metadata"]["after"]
    assert by_id(client.read("/v1/events", **WIDE, limit=5)) == by_id(client.sandbox.truth("savvycal", "events"))


def test_a_page_may_name_itself_as_the_next(client: Client) -> None:
    client.sandbox.savvycal.repeat_token = True
    after = client("/v1/events", **WIDE, limit=5)["metadata"]["after"]
    assert client("/v1/events", **WIDE, limit=5, after=after)["metadata"]["after"] == after


def test_the_member_sees_less_of_the_same(busy_client: Client) -> None:
    for stream in ("events", "scheduling_links", "workflows"):
        admin = {row["id"]: row for row in busy_client.sandbox.truth("savvycal", stream)}
        member = {row["id"]: row for row in busy_client.sandbox.truth("savvycal", stream, "sandbox-member")}
        assert 0 < len(member) < len(admin)
        assert member.items() <= admin.items()
    own = {row["id"] for row in busy_client.read("/v1/events", "sandbox-member", state="all", period="all")}
    shared = {row["id"] for row in busy_client.read("/v1/events", state="all", period="all")} & own
    assert shared
    hidden = next(name for name in admin_only(busy_client))
    with pytest.raises(requests.HTTPError, match="404"):
        busy_client(f"/v1/events/{hidden}", "sandbox-member")


def admin_only(client: Client) -> set[str]:
    """Return the events that the member does not see."""
    truth = client.sandbox.truth
    admin = {row["id"] for row in truth("savvycal", "events")}
    return admin - {row["id"] for row in truth("savvycal", "events", "sandbox-member")}


def test_links_are_listed_whatever_their_state_by_default(client: Client) -> None:
    truth = client.sandbox.truth("savvycal", "scheduling_links")
    active = [row for row in truth if row["state"] == "active"]
    disabled = [row for row in truth if row["state"] == "disabled"]
    assert active
    assert disabled
    assert by_id(client.read("/v1/links", state="disabled")) == by_id(disabled)
    client.sandbox.savvycal.links_list_all = False
    assert by_id(client.read("/v1/links")) == by_id(active)
    assert by_id(client.sandbox.truth("savvycal", "scheduling_links")) == by_id(truth)


def test_new_fields_may_appear_any_day(client: Client) -> None:
    api = client.sandbox.savvycal
    api.extra_fields = {
        stream: {"surprise": stream}
        for stream in ("events", "event_attendees", "scheduling_links", "timezones", "workflow_rules", "current_user")
    }
    for stream in api.extra_fields:
        rows = client.sandbox.truth("savvycal", stream)
        assert rows
        assert {row["surprise"] for row in rows} == {stream}
    assert client("/v1/events", **WIDE)["entries"][0]["attendees"][0]["surprise"] == "event_attendees"
    assert client("/v1/me")["surprise"] == "current_user"


def test_single_resources_are_the_rows_of_their_lists(client: Client) -> None:
    for path, params in (("/v1/events", WIDE), ("/v1/links", {}), ("/v1/webhooks", {})):
        for row in client(path, **params)["entries"]:
            assert client(f"{path}/{row['id']}") == row
    event = client("/v1/events", **WIDE)["entries"][0]
    assert client(f"/v1/events/{event['uuid']}") == event


def test_time_zones_are_as_they_are_at_the_moment(client: Client) -> None:
    def berlin(**params: Any) -> Row:
        row: Row = client("/v1/time_zones/Europe/Berlin", **params)
        return row

    summer = berlin()
    assert (summer["abbreviation"], summer["dst"], summer["formatted_offset"]) == ("CEST", True, "+02:00")
    assert (summer["offset"], summer["offset_utc"], summer["offset_std"]) == (7200, 3600, 3600)
    assert summer["period"] == {"from": "2026-03-29T01:00:00Z", "until": "2026-10-25T01:00:00Z"}
    winter = berlin(instant="2026-12-01T00:00:00Z")
    assert (winter["abbreviation"], winter["dst"], winter["offset"]) == ("CET", False, 3600)
    assert berlin() == summer
    client.sandbox.advance(days=150)
    assert berlin() == winter == next(row for row in client("/v1/time_zones") if row["id"] == "Europe/Berlin")
    utc = client("/v1/time_zones/Etc/UTC")
    assert (utc["id"], utc["period"], utc["metazone"]) == ("UTC", {"from": None, "until": None}, None)


def test_legacy_time_zones_come_only_when_requested(client: Client) -> None:
    plain = client("/v1/time_zones")
    assert len(plain) > 24
    assert not any(row["legacy"] for row in plain)
    every = client("/v1/time_zones", include_legacy="true")
    assert [row for row in every if not row["legacy"]] == plain
    assert any(row["legacy"] and not row["canonical"] for row in every)
    at = client("/v1/time_zones", instant=datetime(2026, 6, 1, 9, tzinfo=UTC).isoformat())
    assert at == plain
