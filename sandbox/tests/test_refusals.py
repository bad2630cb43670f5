"""The refusals of Calendly, with the bodies of the real API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.calendly.endpoints import ENDPOINTS
from sandbox.calendly.keys import GROUP_ADMIN, MEMBER

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox import ManualClock, Sandbox

    Get = Callable[..., requests.Response]

OTHER = "https://api.calendly.com/organizations/AAAAAAAAAAAAAAAA"
STRANGER = "https://api.calendly.com/users/AAAAAAAAAAAAAAAA"


def why(answer: requests.Response) -> tuple[int, str]:
    """Return status and message."""
    return answer.status_code, answer.json()["message"]


def test_no_user_agent_is_forbidden(sandbox: Sandbox) -> None:
    headers = {"Authorization": "Bearer sandbox-admin", "User-Agent": ""}
    answer = requests.get(f"{sandbox.calendly.api_url}/users/me", headers=headers, timeout=5)
    assert answer.status_code == 403


@pytest.mark.parametrize("key", [None, "sandbox-expired", "somebody-else", ""])
def test_without_a_valid_token_nothing_is_said(get: Get, key: str | None) -> None:
    answer = get("/users/me", key=key)
    assert (answer.status_code, answer.json()["title"]) == (401, "Unauthenticated")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_typo_in_a_parameter_is_found_everywhere(get: Get, name: str) -> None:
    path = ENDPOINTS[name].path.format(uuid="AAAA", invitee="BBBB")
    answer = get(path, statsu="active")
    assert answer.status_code == 400
    assert answer.json()["details"] == [{"parameter": "statsu", "message": "is not allowed"}]


REQUIRED = [(name, param) for name, one in ENDPOINTS.items() for param in one.params if one.params[param].required]


@pytest.mark.parametrize(("name", "param"), REQUIRED)
def test_a_required_parameter_is_missed(get: Get, name: str, param: str) -> None:
    others: dict[str, Any] = {
        "organization": OTHER,
        "user": STRANGER,
        "event_type": "https://api.calendly.com/event_types/AAAA",
        "start_time": "2026-07-01T00:00:00Z",
        "end_time": "2026-07-02T00:00:00Z",
        "scope": "organization",
    }
    given = {key: others[key] for key, one in ENDPOINTS[name].params.items() if one.required and key != param}
    answer = get(ENDPOINTS[name].path, **given)
    assert answer.status_code == 400
    assert answer.json()["details"][0]["parameter"] == param


@pytest.mark.parametrize("path", ["/scheduled_events", "/event_types", "/organization_memberships"])
def test_a_scope_parameter_is_required(get: Get, path: str) -> None:
    assert get(path).status_code == 400


BAD = [
    ("/scheduled_events", "status", "cancelled"),
    ("/scheduled_events", "sort", "updated_at:desc"),
    ("/scheduled_events", "min_start_time", "yesterday"),
    ("/scheduled_events", "min_start_time", "2026-01-01T00:00:00+02:00"),
    ("/scheduled_events", "organization", "AAAAAAAAAAAAAAAA"),
    ("/event_types", "sort", "duration:asc"),
    ("/event_types", "sort", "name:up"),
    ("/event_types", "active", "yes"),
    ("/contacts", "sort", "name:asc"),
    ("/contacts", "exclude", "emails"),
    ("/meeting_recaps", "status", "done"),
    ("/organization_memberships", "sort", "updated_at:desc"),
    ("/activity_log_entries", "search_term", "x" * 301),
]


@pytest.mark.parametrize(("path", "param", "value"), BAD)
def test_a_bad_value_is_refused(get: Get, org: str, path: str, param: str, value: str) -> None:
    scope = {} if path in {"/contacts", "/meeting_recaps"} else {"organization": org}
    answer = get(path, **scope | {param: value})
    assert answer.status_code == 400
    assert answer.json()["details"][0]["parameter"] == param


def test_a_parameter_given_twice_is_refused(get: Get, org: str) -> None:
    assert get("/scheduled_events", organization=[org, org]).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/scheduled_events",
        "/event_types",
        "/organization_memberships",
        "/groups",
        "/group_relationships",
        "/routing_forms",
        "/activity_log_entries",
        "/outgoing_communications",
        "/organizations/AAAAAAAAAAAAAAAA",
        "/organizations/AAAAAAAAAAAAAAAA/invitations",
    ],
)
def test_another_organization_is_forbidden(get: Get, path: str) -> None:
    params = {} if path.startswith("/organizations/") else {"organization": OTHER}
    answer = get(path, **params)
    assert (answer.status_code, answer.json()["title"]) == (403, "Permission Denied")


def test_a_member_sees_only_their_own(sandbox: Sandbox, get: Get, org: str) -> None:
    me, boss = sandbox.calendly.user_uri(MEMBER), get("/users/me").json()["resource"]["uri"]
    key = MEMBER.token
    for path in ("/scheduled_events", "/event_types", "/organization_memberships", "/groups", "/routing_forms"):
        assert get(path, key=key, organization=org).status_code == 403, path
    assert why(get("/scheduled_events", key=key, user=boss)) == (
        403,
        "Please also specify organization when requesting events for a user within your organization.",
    )
    for stream in ("scheduled_events", "event_types", "organization_memberships"):
        rows = get(f"/{stream}", key=key, user=me, count=100).json()["collection"]
        assert rows
        assert rows == sandbox.truth("calendly", stream, key=key)
    seen = {row["event"] for row in sandbox.truth("calendly", "event_invitees", key=key)}
    theirs = {row["uri"]: row for row in sandbox.truth("calendly", "scheduled_events", key=key)}
    assert seen == {uri for uri, row in theirs.items() if row["invitees_counter"]["total"]}
    not_theirs = next(row for row in sandbox.truth("calendly", "scheduled_events") if row["uri"] not in theirs)
    path = not_theirs["uri"].removeprefix("https://api.calendly.com")
    assert why(get(path, key=key)) == (403, "You are not allowed to view this event")
    assert get(f"{path}/invitees", key=key).status_code == 403


def test_user_alone_includes_a_former_organizations_events(sandbox: Sandbox) -> None:
    mine = {row["uri"] for row in sandbox.truth("calendly", "scheduled_events", key=MEMBER.token)}
    ours = {row["uri"] for row in sandbox.truth("calendly", "scheduled_events")}
    assert mine - ours
    assert mine & ours


def test_an_admin_sees_one_members_events(sandbox: Sandbox, get: Get, org: str) -> None:
    me = sandbox.calendly.user_uri(MEMBER)
    rows = get("/scheduled_events", organization=org, user=me, count=100).json()["collection"]
    assert rows
    assert all(me in [host["user"] for host in row["event_memberships"]] for row in rows)
    answer = get("/scheduled_events", organization=org, user=STRANGER)
    assert why(answer) == (403, "This user is not in your organization")


def test_a_group_admin_sees_the_groups_events(sandbox: Sandbox, get: Get) -> None:
    world, key = sandbox.world, GROUP_ADMIN.token
    group, other = (f"https://api.calendly.com/groups/{one}" for one in list(world.groups)[:2])
    rows = get("/scheduled_events", key=key, group=group, count=100).json()["collection"]
    assert rows
    assert rows == get("/scheduled_events", group=group, count=100).json()["collection"]
    assert get("/scheduled_events", key=key, group=other).status_code == 403
    assert get("/scheduled_events", key=MEMBER.token, group=group).status_code == 403


@pytest.mark.parametrize("path", ["/routing_forms", "/contacts", "/notes", "/contact_lists"])
def test_a_missing_scope_is_named(get: Get, org: str, path: str) -> None:
    answer = get(path, key="sandbox-narrow", organization=org)
    body = answer.json()
    assert (answer.status_code, body["title"]) == (403, "Insufficient scope")
    assert body["required_scopes"] == ["routing_forms:read" if path == "/routing_forms" else "contacts:read"]


GATED = {
    "enterprise": [],
    "standard": ["/activity_log_entries", "/outgoing_communications"],
    "free": ["/activity_log_entries", "/outgoing_communications", "/routing_forms", "/groups", "/meeting_recaps"],
}


@pytest.mark.parametrize("plan", GATED)
def test_a_plan_lacks_features(sandbox: Sandbox, get: Get, org: str, plan: str) -> None:
    sandbox.calendly.plan = plan
    for path in GATED["free"]:
        params = {} if path == "/meeting_recaps" else {"organization": org}
        answer = get(path, **params)
        if path in GATED[plan]:
            assert why(answer) == (403, "Please upgrade your Calendly account to Enterprise.")
        else:
            assert answer.status_code == 200
    assert get("/users/me").headers["X-RateLimit-Limit"] == ("50" if plan == "free" else "500")


SPANS = [
    ("2026-06-01T10:00:00Z", "2026-06-08T10:00:00Z", 200, 200),
    ("2026-06-01T10:00:00Z", "2026-06-08T10:00:01Z", 400, 200),
    ("2026-06-01T10:00:00Z", "2026-07-02T10:00:00Z", 400, 200),
    ("2026-06-01T10:00:00Z", "2026-07-02T10:00:01Z", 400, 400),
    ("2026-05-31T10:00:00Z", "2026-06-02T10:00:00Z", 400, 400),
    ("2026-06-03T10:00:00Z", "2026-06-02T10:00:00Z", 400, 400),
]


@pytest.mark.parametrize(("start", "end", "busy", "available"), SPANS)
def test_forward_looking_ranges_are_limited(  # noqa: PLR0913, PLR0917 -- fixtures and a table
    sandbox: Sandbox, get: Get, start: str, end: str, busy: int, available: int
) -> None:
    kind = sandbox.truth("calendly", "event_types")[0]["uri"]
    user = sandbox.truth("calendly", "api_user")[0]["uri"]
    assert get("/user_busy_times", user=user, start_time=start, end_time=end).status_code == busy
    found = get("/event_type_available_times", event_type=kind, start_time=start, end_time=end)
    assert found.status_code == available


def test_a_calendar_can_be_unreadable(sandbox: Sandbox, get: Get) -> None:
    user = sandbox.truth("calendly", "api_user")[0]["uri"]
    sandbox.calendly.unreadable_calendars.add(user)
    span = {"start_time": "2026-06-01T10:00:00Z", "end_time": "2026-06-02T10:00:00Z"}
    assert get("/user_busy_times", user=user, **span).status_code == 424
    assert get("/user_busy_times", user=STRANGER, **span).status_code == 403


def test_recaps_without_a_status_are_the_available_ones(get: Get) -> None:
    assert {row["status"] for row in get("/meeting_recaps").json()["collection"]} == {"available"}


def test_notes_are_ones_own_and_of_ten_contacts_at_most(sandbox: Sandbox, get: Get) -> None:
    uris = [row["uri"] for row in sandbox.truth("calendly", "contacts")]
    world = sandbox.world
    contact = world.contacts[uris[0].rsplit("/", 1)[-1]]
    world.write_contact_note(contact, world.seats["member"], "private")
    bodies = [row["body"] for row in get("/notes", contact=uris[0]).json()["collection"]]
    assert bodies
    assert "private" not in bodies
    assert get("/notes", contact=",".join(uris[:10])).status_code == 200
    assert get("/notes", contact=",".join(uris[:11])).status_code == 400
    assert get("/notes", contact=uris[0], sort="updated_at:desc").status_code == 400


def test_hidden_and_forbidden_parents_refuse_their_children(sandbox: Sandbox, get: Get) -> None:
    rows = sandbox.truth("calendly", "event_invitees")
    gone, closed = rows[0]["event"], rows[-1]["event"]
    sandbox.calendly.hidden.add(gone)
    sandbox.calendly.forbidden.add(closed)
    for uri, status in ((gone, 404), (closed, 403)):
        path = uri.removeprefix("https://api.calendly.com")
        assert get(path).status_code == status
        assert get(f"{path}/invitees").status_code == status
    left = {row["event"] for row in sandbox.truth("calendly", "event_invitees")}
    assert left == {row["event"] for row in rows} - {gone, closed}


def test_unknown_fields_appear_with_a_switch(sandbox: Sandbox, get: Get, org: str) -> None:
    sandbox.calendly.extra_fields["scheduled_events"] = {"brand_new": {"x": [1]}}
    row = get("/scheduled_events", organization=org).json()["collection"][0]
    assert row["brand_new"] == {"x": [1]}
    assert get(row["uri"].removeprefix("https://api.calendly.com")).json()["resource"] == row
    assert sandbox.truth("calendly", "scheduled_events")[0] == row


def test_what_does_not_exist_is_not_found(get: Get) -> None:
    for path in ("/scheduled_events/AAAA", "/event_types/AAAA", "/users/AAAA", "/contacts/AAAA", "/v2/users/me"):
        answer = get(path)
        assert (answer.status_code, answer.json()["title"]) == (404, "Resource Not Found"), path


def test_the_limit_is_per_user_and_minute(sandbox: Sandbox, get: Get, clock: ManualClock) -> None:
    sandbox.calendly.requests_per_minute = 3
    remaining = [get("/users/me").headers["X-RateLimit-Remaining"] for _ in range(3)]
    assert remaining == ["2", "1", "0"]
    clock.advance(20.5)
    over = get("/users/me")
    assert (over.status_code, over.content) == (429, b"")
    assert over.headers["X-RateLimit-Remaining"] == "0"
    assert over.headers["X-RateLimit-Reset"] == "40"
    assert "Retry-After" not in over.headers
    assert get("/users/me", key="sandbox-member").status_code == 200
    sandbox.calendly.send_retry_after = True
    assert get("/users/me").headers["Retry-After"] == "40"
    clock.advance(39.5)
    assert get("/users/me").status_code == 200
    assert [name for name, _ in sandbox.calendly.refused] == ["sandbox-admin", "sandbox-admin"]


def test_every_answer_says_how_much_is_left(get: Get) -> None:
    for answer in (get("/users/me"), get("/users/me", key=None), get("/nowhere"), get("/scheduled_events")):
        assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= answer.headers.keys()
