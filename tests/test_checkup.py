"""`--test` says what a run would: whether the keys work, for whom, and which streams they can read."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import SingerSDKError

from api import runner_of, settings
from apis import APIS
from calendly_api import CALENDLY
from commands import run, run_tap
from harness import Messages
from luma_api import LUMA
from oncehub_api import ONCEHUB
from savvycal_api import SAVVYCAL
from tap_common.cli.connection_check import check_streams
from tap_luma.streams import GuestOrders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox

    # API, settings, what it answers with 403, stream, what is said of it, and whether a run goes through.
    Case = tuple[Api, dict[str, Any], tuple[str, ...], str, str, bool]

pytestmark = pytest.mark.one_api

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+")


@dataclass(frozen=True)
class Report:
    """Output of `--test`: a part for the keys, a line for each stream, and a last line."""

    good: bool
    keys: list[str]
    streams: dict[str, str]
    off: set[str]
    end: str


def report(runner: Runner, **config: Any) -> Report:
    """Return the output of `--test` in this process, with some settings."""
    lines: list[str] = []
    tap = runner.build(**config)
    try:
        good = check_streams(tap, lines.append)
    finally:
        tap.close()
    return read(lines, good=good)


def read(lines: list[str], *, good: bool) -> Report:
    """The parts of a report."""
    first, second = (place for place, line in enumerate(lines) if not line)
    streams = [re.fullmatch(r"  (\w+) +(off)? +(\S.*)", line) for line in lines[first + 1 : second]]
    assert all(streams)
    found = {line[1]: line for line in streams if line}
    off = {name for name, line in found.items() if line[2]}
    [end] = lines[second + 1 :]
    return Report(good, lines[:first], {name: line[3] for name, line in found.items()}, off, end)


def test_a_good_key_can_read_every_stream_and_those_that_are_off_are_marked(
    api: Api, sandbox: Sandbox, runner: Runner
) -> None:
    found = report(runner, **api.config)

    assert found.good
    assert list(found.streams) == api.all_streams()
    assert {said.partition(":")[0] for said in found.streams.values()} == {"yes"}
    assert found.off == set(api.all_streams()) - set(api.default_streams())
    default = len(api.default_streams())
    assert found.end == f"OK: {default} of {len(found.streams)} streams selected and readable."
    requested = Counter((request.path, *request.query) for request in sandbox.requests)
    assert sum(requested.values()) <= 1.5 * len(found.streams) + 3
    assert all(request.method == "GET" for request in sandbox.requests)


WHOSE = [
    (
        CALENDLY,
        {},
        [r"The key works: .+, role `owner`, scope `organization` of https://\S+; 500 requests a minute, .*"],
    ),
    (ONCEHUB, {}, [r"The key works: account \S+@\S+; the API reports no rate limit, `requests_per_minute` is 40"]),
    (LUMA, {}, [r"The key works: calendar .+ \(cal-\w+\); 200 requests a minute"]),
    (
        LUMA,
        {"api_keys": ["sandbox-second"]},
        [rf"Key {number} of 2 works: calendar .+ \(cal-\w+\); 200 requests a minute" for number in (1, 2)],
    ),
    (
        LUMA,
        {"api_key": "", "organization_api_key": "sandbox-organization"},
        ["The organization's key works: 500 requests a minute"],
    ),
    (SAVVYCAL, {}, [r"The key works: .+, plan `\w+`; the API reports no rate limit, `requests_per_minute` is 60"]),
]


@pytest.mark.parametrize(("api", "config", "lines"), WHOSE, ids=lambda value: getattr(value, "name", ""))
def test_a_line_says_for_whom_each_key_works_and_what_its_plan_allows(
    api: Api, sandbox: Sandbox, clock: VirtualClock, config: dict[str, Any], lines: list[str]
) -> None:
    runner = runner_of(api, sandbox, clock)
    runner.config.pop("requests_per_minute", None)

    found = report(runner, **config)

    assert len(found.keys) == len(lines)
    assert all(re.fullmatch(line, said) for line, said in zip(lines, found.keys, strict=True)), found.keys


def test_the_free_plan_is_told_by_its_limit(sandbox: Sandbox, calendly: Runner) -> None:
    sandbox.calendly.requests_per_minute = 50

    assert report(calendly).keys[0].endswith("50 requests a minute, as of the free plan")


LACKING: list[Case] = [
    (CALENDLY, {"api_key": "sandbox-narrow"}, (), "contacts", "no: .*`contacts:read`.*", False),
    (CALENDLY, {"api_key": "sandbox-member"}, (), "groups", "skipped: 403 .* plan or role .*", True),
    (
        CALENDLY,
        {"api_key": "sandbox-member"},
        (),
        "routing_form_submissions",
        "skipped: depends on `routing_forms`",
        True,
    ),
    (ONCEHUB, {}, ("/v2/notifications/sms",), "sms_notifications", "skipped: 403 .*", True),
    (ONCEHUB, {}, ("/v2/bookings",), "bookings", "no: 403 .*", False),
    (ONCEHUB, {"start_date": "2999-01-01"}, (), "bookings", "unknown: nothing to sync with these settings", True),
    (
        LUMA,
        {"organization_api_key": ""},
        (),
        "organization_events",
        "no: Setting `organization_api_key` is missing.*",
        True,
    ),
    (LUMA, {"start_date": "2999-01-01"}, (), "event_guests", "unknown: not checked: no parent records", True),
    (LUMA, {"start_date": "2999-01-01"}, (), "event_tickets", "unknown: embedded in `event_guests`", True),
    (
        LUMA,
        {"api_generation": "legacy"},
        (),
        "event_blasts",
        "skipped: .*: this API, or this generation of it, .*",
        True,
    ),
    (SAVVYCAL, {}, ("/v1/workflows",), "workflow_rules", "skipped: depends on `workflows`", True),
    (SAVVYCAL, {}, ("/v1/events",), "event_attendees", "no: depends on `events`", False),
]


@pytest.mark.parametrize("case", LACKING, ids=lambda case: f"{case[0].name}-{case[3]}")
def test_a_stream_that_cannot_be_read_says_why_and_a_run_ends_as_the_report_says(
    case: Case, sandbox: Sandbox, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    api, config, refused, stream, said, good = case
    getattr(sandbox, api.name).forbidden.update(refused)
    runner = runner_of(api, sandbox, clock)

    found = report(runner, **config)
    whole = True
    try:
        runner.sync(**config)
    except SingerSDKError:
        whole = False

    assert re.fullmatch(said, found.streams[stream]), found.streams[stream]
    assert found.good is whole is good
    on = set(found.streams) - found.off
    at_fault = {name for name in on if found.streams[name].startswith("no")}
    assert bool(at_fault) is not good
    named = set(re.findall(r"`(\w+)`", found.end))
    skipped = {name for name in on if found.streams[name].startswith("skipped")}
    assert named == (at_fault or skipped)
    if good:
        skipped_by_run = {one.name.rpartition(".")[2] for one in caplog.records if one.msg.startswith("Skipped")}
        assert skipped_by_run <= skipped


def test_what_earlier_runs_have_read_makes_no_difference(api: Api, runner: Runner) -> None:
    first = report(runner)
    runner.sync()
    assert runner.warehouse.state
    for bookmark in runner.warehouse.state["bookmarks"].values():
        if "replication_key_value" in bookmark:
            bookmark["replication_key_value"] = "2200-01-01T00:00:00.000000+00:00"  # long after every meeting

    assert report(runner) == first


def test_a_key_that_cannot_read_what_earlier_runs_have_read_is_refused_as_by_a_run(calendly: Runner) -> None:
    calendly.sync()

    with pytest.raises(SingerSDKError, match="cannot read the organization"):
        report(calendly, api_key="sandbox-member")


def test_of_a_page_without_a_parent_to_ask_with_it_is_said_how_much_was_looked_at(
    luma: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GuestOrders, "should_sync_parent", lambda _stream, _guest: False)

    said = report(luma).streams["guest_orders"]

    assert said == "unknown: not checked: none of 1 records of `event_guests` has one"


@pytest.mark.parametrize(("key", "on"), [("sandbox-narrow", "teams"), ("sandbox-narrow", "contacts")])
def test_only_what_is_selected_counts(calendly: Runner, key: str, on: str) -> None:
    calendly.select = lambda name, _default: name == on

    found = report(calendly, api_key=key)

    assert found.good is (on == "teams")
    assert found.off == set(found.streams) - {on}


@pytest.mark.parametrize("refused", [1, 2])
def test_a_list_that_one_of_two_keys_may_not_read_is_read_with_the_other(
    sandbox: Sandbox, savvycal: Runner, refused: int
) -> None:
    api = sandbox.savvycal
    find = api.find_key

    def found_key(headers: Mapping[str, str]) -> object:
        key = find(headers)
        api.forbidden = {"/v1/workflows"} if refused > 1 or (key and key.name != "sandbox-admin") else set()
        return key

    api.find_key = found_key  # type: ignore[assignment, method-assign]
    found = report(savvycal, api_keys=["sandbox-member"])

    said = {1: "yes: with 1 of 2 keys", 2: "skipped: 403 .*"}[refused]
    assert re.fullmatch(said, found.streams["workflows"])
    assert found.good


def test_a_list_that_no_key_may_lack_ends_a_run_where_one_of_two_may_not_read_it(
    sandbox: Sandbox, luma: Runner
) -> None:
    sandbox.meanwhile(5, lambda: sandbox.luma.forbidden.add("/v1/calendars/events/list"))

    found = report(luma, api_keys=["sandbox-second"])

    requested = [request.status for request in sandbox.requests if request.path == "/v1/calendars/events/list"]
    assert requested == [200, 403]
    assert found.streams["events"].startswith("no: 403")
    assert not found.good


def test_a_parent_that_has_gone_says_nothing_of_the_others(sandbox: Sandbox, savvycal: Runner) -> None:
    workflows = sandbox.truth("savvycal", "workflows")
    sandbox.savvycal.hidden |= {f"/v1/workflows/{workflow['id']}" for workflow in workflows}

    found = report(savvycal)
    savvycal.sync()

    assert re.fullmatch("unknown: 404 .*", found.streams["workflow_rules"])
    assert found.good


@pytest.mark.parametrize(
    ("api", "config"),
    [
        *((api, {"api_key": "wrong"}) for api in APIS),
        (LUMA, {"api_keys": ["wrong"]}),
        (CALENDLY, {"api_key": "sandbox-member", "scope": "organization"}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_key_that_does_not_work_is_not_requested_streams(
    api: Api, sandbox: Sandbox, clock: VirtualClock, config: dict[str, Any]
) -> None:
    with pytest.raises(SingerSDKError):
        report(runner_of(api, sandbox, clock), **config)

    assert len(sandbox.requests) <= 2


def test_an_answer_that_stays_broken_is_a_no_and_the_others_are_still_requested(
    api: Api, sandbox: Sandbox, runner: Runner
) -> None:
    sandbox.faults.script(api.listed, ["500"] * 2)

    found = report(runner, max_retries=2)

    [said] = [text for text in found.streams.values() if text.startswith("no: 500")]
    assert "(stream" not in said
    assert not found.good


def test_nothing_is_written_that_a_target_would_take_and_no_row_is_shown(
    api: Api, sandbox: Sandbox, clock: VirtualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    runner, messages, lines = runner_of(api, sandbox, clock), Messages(), list[str]()
    tap = runner.build(messages)
    check_streams(tap, lines.append)
    tap.close()

    assert messages.read == []
    assert capsys.readouterr().out == ""
    assert ADDRESS.search("\n".join(lines[1:])) is None
    person = {row[api.person[1]] for row in sandbox.truth(api.name, api.person[0])}
    assert not any(str(one) in line for one in person for line in lines[1:])


def test_the_command_reports_on_standard_output_and_ends_with_what_a_run_would(
    api: Api, sandbox: Sandbox, tmp_path: Path
) -> None:
    getattr(sandbox, api.name).requests_per_minute = 60_000
    config = settings(api, sandbox) | {"requests_per_minute": 60_000}

    good = run_tap(tmp_path, api.tap.name, config, "--test")

    found = read(good.out.splitlines(), good=True)
    assert (good.code, good.errors) == (0, [])
    assert list(found.streams) == api.all_streams()
    owner = found.keys[0].removeprefix("The key works: ").partition(",")[0].partition(";")[0]
    assert owner not in good.err


def test_the_command_ends_with_one_sentence_where_the_key_is_wrong_and_with_1_where_it_lacks_something(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = settings(CALENDLY, sandbox)
    wrong = run_tap(tmp_path, "tap-calendly", config | {"api_key": "wrong"}, "--test")
    narrow = run_tap(tmp_path, "tap-calendly", config | {"api_key": "sandbox-narrow"}, "--test")

    assert (wrong.code, wrong.out, len(wrong.errors)) == (1, "", 1)
    assert "does not accept the key" in wrong.errors[0]
    assert (narrow.code, narrow.errors) == (1, [])
    assert "because of `routing_forms`" in narrow.out


def test_the_command_reports_of_the_catalog_wherever_that_option_stands(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.calendly.requests_per_minute = 60_000
    config = settings(CALENDLY, sandbox) | {"requests_per_minute": 60_000, "api_key": "sandbox-narrow"}
    catalog = CALENDLY.tap(config={}, validate_config=False).catalog
    for entry in catalog.streams:
        entry.metadata.root.selected = entry.stream == "teams"
    (tmp_path / "catalog.json").write_text(json.dumps(catalog.to_dict()))

    outcome = run_tap(tmp_path, "tap-calendly", config, "--test", f"--catalog={tmp_path / 'catalog.json'}")

    assert outcome.code == 0
    assert "OK: 1 of 27 streams" in outcome.out


def test_schemas_alone_are_the_sdk_s_and_another_word_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"api_key": "x"}')
    schemas = run("tap-calendly", f"--config={tmp_path / 'config.json'}", "--test=schema")
    other = run("tap-calendly", f"--config={tmp_path / 'config.json'}", "--test=all-of-it")

    messages = [json.loads(line) for line in schemas.out.splitlines()]
    assert schemas.code == 0
    assert [message["stream"] for message in messages if message["type"] == "SCHEMA"] == CALENDLY.all_streams()
    assert (other.code, other.out) == (2, "")
    assert "`--test=schema`" in other.err
