"""Two generations of the contract behind one schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api import runner_of
from luma_api import LUMA
from tap_common.errors import SettingsError
from tap_luma.tap import TapLuma

if TYPE_CHECKING:
    from harness import Runner, VirtualClock
    from sandbox import Sandbox
    from truth import Judge

WITHOUT = {"event_blasts", "membership_tiers", "organization_calendars", "organization_events", "organization_admins"}
BOTH = [stream.name for stream in TapLuma.stream_types if stream.name not in WITHOUT]

RENAMED = {
    *("id", "api_id", "user_id", "user_api_id", "calendar_id", "calendar_api_id", "event_id", "event_api_id"),
    *("event_ticket_type_id", "event_ticket_type_api_id", "utm_source", "custom_source", "event_ticket"),
    *("checked_in_at", "coordinate", "geo_latitude", "geo_longitude", "zoom_meeting_url"),
}


def rows(runner: Runner, stream: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    return runner.warehouse.rows[stream]


def older(path: str) -> bool:
    return path.startswith(("/v1/calendar/", "/v1/event/"))


@pytest.fixture
def generations(sandbox: Sandbox, clock: VirtualClock) -> tuple[Runner, Runner]:
    """The same world, read whole through the current generation and through the older one."""
    sandbox.luma.legacy_guest_extras = True
    runners = runner_of(LUMA, sandbox, clock), runner_of(LUMA, sandbox, clock)
    for runner, generation in zip(runners, ("current", "legacy"), strict=True):
        runner.select = lambda name, _default: name in BOTH
        runner.sync(api_generation=generation)
    return runners


def test_what_the_older_generation_sends_becomes_the_same_rows(generations: tuple[Runner, Runner]) -> None:
    # Values, not names: what only one generation has, or writes otherwise.
    other = {"type", "created_at", "registration_answers", "ethereum_token_requirements"}
    for stream in BOTH:
        current, legacy = (rows(runner, stream) for runner in generations)
        assert current
        assert current.keys() == legacy.keys()
        for key, row in legacy.items():
            for name, value in row.items():
                assert value is None or name in other or value == current[key].get(name), (stream, key, name)
                assert name not in RENAMED or (value is None) == (current[key][name] is None), (stream, key, name)


def test_ids_have_both_names_and_places_both_forms_in_either_generation(generations: tuple[Runner, Runner]) -> None:
    for runner in generations:
        for stream in BOTH:
            assert all(row["id"] == row["api_id"] is not None for row in rows(runner, stream).values()), stream
        events = rows(runner, "events").values()
        placed = [row for row in events if row["geo_latitude"]]
        assert placed
        assert all(float(row["geo_longitude"]) == row["coordinate"]["longitude"] for row in placed)
        assert any(row["zoom_meeting_url"] for row in events)
        assert all(row["zoom_meeting_url"] in (None, row["meeting_url"]) for row in events)
        assert all(row["calendar_id"] == row["calendar_api_id"] for row in events)
        assert any(row["tags"] for row in events)
        guests = rows(runner, "event_guests").values()
        assert any(row["custom_source"] for row in guests)
        for row in guests:
            assert row["custom_source"] == row["utm_source"]
            assert row["event_ticket"] == next(iter(row["event_tickets"]), None)
            assert (row["email"], row["name"]) == (row["user_email"], row["user_name"])
            assert row["event_id"] == row["event_api_id"]
            assert row["event_start_at"] < row["event_end_at"]
            assert all("value" in answer and "answer" in answer for answer in row["registration_answers"] or ())


def test_a_warehouse_that_changes_generation_holds_no_row_twice(luma: Runner, sandbox: Sandbox) -> None:
    luma.sync(api_generation="legacy")
    before = {stream: set(table) for stream, table in luma.warehouse.rows.items()}
    sandbox.advance(minutes=1)
    luma.sync(api_generation="current")

    assert {stream: set(table) for stream, table in luma.warehouse.rows.items() if stream not in WITHOUT} == {
        stream: keys for stream, keys in before.items() if stream not in WITHOUT
    }


def test_without_the_current_generation_the_older_one_is_read_and_that_is_said(
    luma: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.luma.generations = {"legacy"}
    luma.sync()

    requested = [one.path for one in sandbox.requests]
    assert [path for path in requested if not older(path)] == ["/v1/calendars/get", "/v1/memberships/tiers/list"]
    assert "using the legacy one" in caplog.text
    assert len(rows(luma, "event_guests")) == len(sandbox.truth("luma", "event_guests"))


@pytest.mark.parametrize("generation", ["auto", "current"])
def test_where_both_answer_only_the_current_generation_is_requested(
    luma: Runner, sandbox: Sandbox, generation: str
) -> None:
    luma.sync(api_generation=generation)

    assert not any(older(requested.path) for requested in sandbox.requests)


def test_what_only_the_current_generation_has_is_skipped_with_a_warning(
    luma: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    luma.select = lambda _name, _default: True
    luma.config["organization_api_key"] = "sandbox-organization"
    luma.sync()
    tiers = len(rows(luma, "membership_tiers"))
    sandbox.luma.generations = {"legacy"}
    luma.sync()

    assert all(f"stream `{stream}`" in caplog.text for stream in WITHOUT)
    assert len(rows(luma, "membership_tiers")) == tiers > 0  # nothing is taken for gone


def test_mails_that_could_not_be_read_are_read_when_they_can(luma: Runner, sandbox: Sandbox, judge: Judge) -> None:
    luma.select = lambda name, _: name == "event_blasts"
    sandbox.luma.generations = {"legacy"}
    luma.sync()
    sandbox.luma.generations = {"current"}
    sandbox.advance(days=40)
    luma.sync()

    judge.check(luma, ["event_blasts"])


@pytest.mark.parametrize(("generation", "served"), [("current", "legacy"), ("legacy", "current")])
def test_a_generation_that_is_set_and_not_there_ends_the_run(
    luma: Runner, sandbox: Sandbox, generation: str, served: str
) -> None:
    sandbox.luma.generations = {served}

    with pytest.raises(SettingsError, match=r"404.*api_url"):
        luma.sync(api_generation=generation)
    assert not luma.warehouse.rows


def test_what_the_older_generation_cannot_be_requested_is_not_requested(luma: Runner, sandbox: Sandbox) -> None:
    luma.sync(api_generation="legacy", include_view_access=True, include_external=True, include_pending=True)

    sent = {
        name
        for requested in sandbox.requests
        if requested.path == "/v1/calendar/list-events"
        for name, _ in requested.query
    }
    assert sent == {"pagination_limit"}


def test_each_generation_is_requested_by_its_own_names(luma: Runner, sandbox: Sandbox) -> None:
    luma.sync(api_generation="legacy")

    sent = {requested.path: {name for name, _ in requested.query} for requested in sandbox.requests}
    assert "event_api_id" in sent["/v1/event/get-guests"]
    assert sent["/v1/event/get"] == {"id"}
    assert sent["/v1/event/ticket-types/list"] == {"event_id", "include_hidden"}
