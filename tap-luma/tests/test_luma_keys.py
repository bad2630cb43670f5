"""Keys: of several calendars, of an organization, and such as do not open anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.luma.endpoints import PATHS
from sandbox.luma.keys import KEYS
from sandbox.luma.refusals import denied
from sandbox.luma.text import event_id
from tap_common.errors import AccessError, SettingsError
from tap_common.state.timestamps import instant
from tap_luma.streams import OrganizationEvents, rank
from tap_luma.tap import TapLuma

if TYPE_CHECKING:
    from harness import Runner
    from sandbox import Sandbox

TWO: dict[str, Any] = {"api_key": "sandbox-admin", "api_keys": ["sandbox-second"]}
OF_ORGANIZATION = ("organization_calendars", "organization_events", "organization_admins")


def truth(sandbox: Sandbox, stream: str, *keys: str) -> set[str]:
    return {row["id"] for key in keys for row in sandbox.truth("luma", stream, key)}


def ids(luma: Runner, stream: str) -> set[str]:
    return {row["id"] for row in luma.warehouse.rows[stream].values()}


@pytest.fixture
def calendars(sandbox: Sandbox) -> list[Any]:
    """The calendars of the world; the first two have keys."""
    return list(sandbox.world.gatherings.calendars.values())


def test_the_calendars_of_several_keys_are_read_in_one_run(luma: Runner, sandbox: Sandbox) -> None:
    for _ in range(2):  # a second run drops nothing: versions are announced after all lists
        luma.sync(**TWO)
        for stream in luma.warehouse.rows:
            assert ids(luma, stream) == truth(sandbox, stream, "sandbox-admin", "sandbox-second"), stream
        sandbox.advance(minutes=1)
    owners = {row["calendar_id"] for row in luma.warehouse.rows["contacts"].values()}
    assert owners == ids(luma, "calendar")
    assert len(luma.warehouse.rows["calendar_admins"]) == sum(
        len(sandbox.truth("luma", "calendar_admins", key)) for key in ("sandbox-admin", "sandbox-second")
    )


def test_what_belongs_to_an_event_is_requested_with_the_key_of_its_calendar(luma: Runner, sandbox: Sandbox) -> None:
    luma.sync(**TWO)

    assert {requested.status for requested in sandbox.requests} == {200}
    requested = {
        (name, requested.key) for requested in sandbox.requests for key, name in requested.query if key == "event_id"
    }
    assert requested == {
        (row["id"], key) for key in ("sandbox-admin", "sandbox-second") for row in sandbox.truth("luma", "events", key)
    }


def test_two_keys_of_one_calendar_are_one(luma: Runner, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KEYS, "sandbox-twin", replace(KEYS["sandbox-admin"], name="sandbox-twin"))
    luma.sync(api_keys=["sandbox-twin"])

    assert [requested.path for requested in sandbox.requests if requested.key == "sandbox-twin"] == [
        "/v1/calendars/get"
    ]


def test_each_key_has_a_budget_of_its_own(luma: Runner, sandbox: Sandbox) -> None:
    tap = luma.sync(**TWO, requests_per_minute=10)

    spent = {access.limiter for access in tap.credentials}
    assert len(spent) == len(tap.credentials) == 2
    assert sandbox.luma.refused == []


@pytest.mark.parametrize("keys", [TWO, {"api_key": None, "api_keys": ["sandbox-second", "sandbox-admin"]}])
def test_an_event_that_one_key_manages_and_another_only_sees_comes_once_and_whole(
    luma: Runner, sandbox: Sandbox, calendars: list[Any], keys: dict[str, Any]
) -> None:
    life = sandbox.world.gatherings
    main, second, *_ = calendars
    event = life.create(life.now + timedelta(days=2), calendar=second)
    guest = life.register(event)
    life.list_on(event, main)
    luma.sync(**keys, include_view_access=True)

    row = luma.warehouse.rows["events"][event_id(event),]
    assert (row["access"], row["calendar_id"]) == ("manage", f"cal-{second.id}")
    assert (f"gst-{guest.id}",) in luma.warehouse.rows["event_guests"]
    assert luma.warehouse.written["events"] == len(luma.warehouse.rows["events"])


def test_of_an_event_on_several_lists_that_of_the_calendar_which_runs_it_counts_most() -> None:
    ours = {"access": "manage", "platform": "luma", "submission_status": "approved", "calendar_id": "ours"}
    offers = [
        rank(ours, "ours"),
        rank(ours, "theirs"),  # handed over while the lists were read
        rank(ours | {"submission_status": "pending"}, "ours"),
        rank(ours | {"access": "view"}, "ours"),
        rank(ours | {"access": "view"}, "theirs"),
        rank(ours | {"access": "view", "submission_status": "pending"}, "theirs"),
    ]

    assert offers == sorted(set(offers), reverse=True)
    assert rank(ours | {"access": None, "platform": None}, "ours") == offers[0]
    assert rank(ours | {"access": None, "platform": "external"}, "ours") < offers[2]


def test_an_event_that_changes_hands_keeps_its_row_and_its_guests(
    luma: Runner, sandbox: Sandbox, calendars: list[Any]
) -> None:
    life = sandbox.world.gatherings
    main, second, *_ = calendars
    event = life.create(life.now + timedelta(days=2), calendar=main)
    first = life.register(event)
    luma.sync(**TWO)
    sandbox.advance(hours=1)
    life.transfer(event, second)
    later = life.register(event)
    luma.sync(**TWO)

    assert luma.warehouse.rows["events"][event_id(event),]["calendar_id"] == f"cal-{second.id}"
    for guest in (first, later):
        row = luma.warehouse.rows["event_guests"][f"gst-{guest.id}",]
        assert row["calendar_id"] == f"cal-{second.id}"


def test_a_calendar_that_comes_or_goes_is_of_the_same_account_and_one_in_place_of_the_only_one_is_not(
    luma: Runner, sandbox: Sandbox
) -> None:
    luma.sync(**TWO)
    luma.sync(api_key="sandbox-second")
    with pytest.raises(SettingsError, match="another account than the state"):
        luma.sync()

    both = ", ".join(truth(sandbox, "calendar", "sandbox-admin", "sandbox-second"))
    luma.sync(accounts={"any": both})  # unless it is said to be
    assert luma.warehouse.rows["calendar"].keys() == {(name,) for name in truth(sandbox, "calendar", "sandbox-admin")}


def test_each_key_has_to_be_of_an_account_that_is_named_also_one_of_two_of_a_calendar(
    luma: Runner, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KEYS, "sandbox-twin", replace(KEYS["sandbox-admin"], name="sandbox-twin"))
    [name] = truth(sandbox, "calendar", "sandbox-admin")
    luma.sync(api_keys=["sandbox-twin"], accounts={"any": name})
    with pytest.raises(SettingsError, match=r"^Key 2 of 2 belongs to another account"):
        luma.sync(**TWO, accounts={"any": name})


@pytest.mark.parametrize("meant", [True, False])
def test_the_organization_s_key_is_of_an_account_that_one_of_its_calendars_names(
    luma: Runner, sandbox: Sandbox, *, meant: bool
) -> None:
    luma.select = lambda name, _: name in OF_ORGANIZATION
    [name, *_] = truth(sandbox, "organization_calendars", "sandbox-organization") if meant else ["cal-other"]
    config: dict[str, Any] = {
        "api_key": None,
        "organization_api_key": "sandbox-organization",
        "accounts": {"any": name},
    }
    if meant:
        luma.sync(**config)
        assert luma.warehouse.rows["organization_events"]
    else:
        with pytest.raises(SettingsError, match=r"^The organization's key belongs to another account"):
            luma.sync(**config)
        assert luma.warehouse.rows == {}


def test_another_key_has_everything_read_again(luma: Runner, sandbox: Sandbox) -> None:
    luma.sync()
    sandbox.advance(days=70)
    luma.sync(**TWO)

    guests = {key for (key,) in luma.warehouse.rows["event_guests"]}
    assert guests >= truth(sandbox, "event_guests", "sandbox-admin", "sandbox-second")


def test_what_one_key_may_not_read_is_still_read_with_the_other(
    luma: Runner, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    luma.sync(**TWO)
    before = ids(luma, "contacts")
    contacts = PATHS["/v1/calendars/contacts/list"]

    def refuse(call: Any) -> Any:
        if call.key.name == "sandbox-admin":
            raise denied()
        return contacts.answer(call)

    monkeypatch.setitem(PATHS, contacts.path, replace(contacts, answer=refuse))
    sandbox.advance(minutes=1)
    life = sandbox.world.gatherings
    life.add_contact(list(life.calendars.values())[1])
    luma.sync(**TWO)

    assert before < ids(luma, "contacts")


def test_streams_of_the_organization_need_its_key_and_nothing_else(luma: Runner, sandbox: Sandbox) -> None:
    luma.select = lambda name, _: name in OF_ORGANIZATION
    luma.sync(api_key=None, organization_api_key="sandbox-organization")

    for stream in OF_ORGANIZATION:
        assert ids(luma, stream) == truth(sandbox, stream, "sandbox-organization")
    assert {requested.key for requested in sandbox.requests} == {"sandbox-organization"}


def test_the_key_of_the_organization_is_used_for_nothing_else(luma: Runner, sandbox: Sandbox) -> None:
    luma.select = lambda _name, _default: True
    tap = luma.sync(organization_api_key="sandbox-organization")

    used = {requested.path for requested in sandbox.requests if requested.key == "sandbox-organization"}
    assert used == {f"/v1/organizations/{name}/list" for name in ("calendars", "events", "admins")}
    assert tap.stream(OrganizationEvents).tap.organization is not tap.credential


def test_the_start_date_bounds_events_of_the_organization_too(luma: Runner, sandbox: Sandbox) -> None:
    luma.select = lambda name, _: name == "organization_events"
    start = sandbox.world.now
    luma.sync(api_key=None, organization_api_key="sandbox-organization", start_date=start.isoformat())

    starts = [instant(row["start_at"]) for row in luma.warehouse.rows["organization_events"].values()]
    assert starts
    assert min(starts) >= start


@pytest.mark.parametrize(
    ("selected", "config", "sentence"),
    [
        (["events"], {"api_key": None}, "`api_key` is missing"),
        (["events", "organization_events"], {}, "`organization_api_key` is missing.*`organization_events`"),
        (["events"], {"api_key": None, "organization_api_key": "sandbox-organization"}, "`api_key` is missing"),
        (["events"], {"api_key": "nonsense"}, "does not accept the key"),
        (["events"], {"api_key": "sandbox-noplus"}, "403.*Luma Plus"),
        (["events"], {"api_keys": ["nonsense"]}, "does not accept the key.*key 2 of 2"),
        (["organization_events"], {"organization_api_key": "nonsense"}, "does not accept.*`organization_api_key`"),
        (["organization_events"], {"organization_api_key": "sandbox-second"}, "403.*`organization_api_key`"),
        (["events"], {"api_key": "sandbox-organization"}, "403"),
        (["events"], {"api_generation": "newest"}, "must be one of"),
        (["events"], {"page_size": 101}, "out of range"),
    ],
)
def test_a_key_or_setting_that_cannot_be_used_is_said_before_anything_is_written(
    luma: Runner, selected: list[str], config: dict[str, Any], sentence: str
) -> None:
    luma.select = lambda name, _: name in selected

    with pytest.raises((AccessError, SettingsError), match=sentence):
        luma.sync(**config)
    assert not luma.warehouse.rows
    assert luma.warehouse.state is None


def test_a_key_that_got_lost_on_the_way_is_a_matter_of_the_key(luma: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TapLuma, "authenticator_for", lambda _self, _key: lambda request: request)

    with pytest.raises(AccessError, match="does not accept the key"):
        luma.sync()


@pytest.mark.parametrize("config", [{}, {"api_key": None, "organization_api_key": "sandbox-organization"}])
def test_a_wrong_address_is_said_to_be_one(luma: Runner, sandbox: Sandbox, config: dict[str, Any]) -> None:
    luma.select = lambda name, _: name == ("organization_events" if "organization_api_key" in config else "events")

    with pytest.raises(SettingsError, match="api_url"):
        luma.sync(api_url=f"{sandbox.url}/luma/v9", **config)


def test_the_older_prefix_may_stand_in_the_address(luma: Runner, sandbox: Sandbox) -> None:
    luma.sync(api_url=f"{sandbox.url}/luma/public")

    assert len(luma.warehouse.rows["event_guests"]) == len(sandbox.truth("luma", "event_guests"))
