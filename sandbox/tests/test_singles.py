"""Single resources, which equal their rows in the list, and filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from sandbox import Sandbox

    Get = Callable[..., Response]

API = "https://api.calendly.com"
SINGLES = ["scheduled_events", "event_invitees", "organization_memberships", "contacts", "meeting_recaps"]
SINGLES += ["event_types", "api_user", "organization", "meeting_recap_transcripts"]


@pytest.mark.parametrize("stream", SINGLES)
def test_a_single_resource_is_its_row(sandbox: Sandbox, get: Get, stream: str) -> None:
    for row in sandbox.truth("calendly", stream)[:3]:
        answer = get(row["uri"].removeprefix(API))
        assert (answer.status_code, answer.json()) == (200, {"resource": row})


def test_former_members_and_others_recaps_are_refused(sandbox: Sandbox, get: Get) -> None:
    world = sandbox.world
    membership = world.add_member()
    world.remove_member(membership)
    assert get(f"/users/{membership.person.id}").status_code == 403
    assert get(f"/organization_memberships/{membership.id}").status_code == 404
    other = next(one for one in world.memberships.values() if one.role == "owner")
    assert get(f"/organization_memberships/{other.id}", key="sandbox-member").status_code == 403
    recap = next(one for one in world.recaps.values() if one.owner is world.seats["owner"])
    assert get(f"/meeting_recaps/{recap.id}", key="sandbox-member").status_code == 403
    processing = next(one for one in world.recaps.values() if one.status == "processing")
    assert get(f"/meeting_recaps/{processing.id}/transcript").status_code == 404


FILTERS = [
    ("scheduled_events", {"status": "canceled"}),
    ("organization_memberships", {"role": "owner"}),
    ("organization_memberships", {"email": "host2@sandbox.example"}),
    ("event_types", {"active": "false"}),
    ("event_types", {"admin_managed": "false"}),
    ("activity_log_entries", {"namespace": "EventType"}),
    ("activity_log_entries", {"action[]": "Create"}),
]


@pytest.mark.parametrize(("stream", "params"), FILTERS)
def test_filters_choose_rows(sandbox: Sandbox, get: Get, org: str, stream: str, params: dict[str, str]) -> None:
    rows = get(f"/{stream}", organization=org, count=100, **params).json()["collection"]
    whole = sandbox.truth("calendly", stream)
    assert 0 < len(rows) < len(whole)
    assert all(row in whole for row in rows)


def test_a_recaps_meeting_time_is_what_is_filtered(sandbox: Sandbox, get: Get) -> None:
    rows = sandbox.truth("calendly", "meeting_recaps")
    row = next(one for one in rows if one["status"] == "available")
    found = get("/meeting_recaps", start_time=row["end_time"], end_time=row["start_time"]).json()["collection"]
    assert row in found
    assert all(one["end_time"] >= row["end_time"] and one["start_time"] <= row["start_time"] for one in found)


def test_groups_places_and_invitations_can_be_narrowed(sandbox: Sandbox, get: Get, org: str) -> None:
    places = sandbox.truth("calendly", "group_relationships")
    owner = places[0]["owner"]["uri"]
    found = get("/group_relationships", owner=owner).json()["collection"]
    assert found == [place for place in places if place["owner"]["uri"] == owner]
    path = org.removeprefix(API) + "/invitations"
    pending = get(path, status="pending", sort="created_at:desc").json()["collection"]
    assert {row["status"] for row in pending} == {"pending"}
    assert get(path, key="sandbox-member").status_code == 403


def test_webhooks_are_requested_by_scope(sandbox: Sandbox, get: Get, org: str) -> None:
    boss = sandbox.truth("calendly", "api_user")[0]["uri"]
    assert get("/webhook_subscriptions", organization=org, scope="user").status_code == 400
    own = get("/webhook_subscriptions", organization=org, scope="user", user=boss).json()["collection"]
    assert [row["user"] for row in own] == [boss]
    refused = get("/webhook_subscriptions", key="sandbox-member", organization=org, scope="organization")
    assert refused.status_code == 403
