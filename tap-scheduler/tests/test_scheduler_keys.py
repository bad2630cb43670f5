"""Several people's keys in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import Messages
from sandbox.savvycal.keys import KEYS, Key
from tap_common.errors import AccessError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness import Runner
    from sandbox import Sandbox
    from sandbox.savvycal import SavvyCal
    from truth import Judge

BOTH = ["sandbox-admin", "sandbox-member"]


def ids(savvycal: Runner, stream: str) -> set[str]:
    return {row["id"] for row in savvycal.warehouse.rows[stream].values()}


def truth(sandbox: Sandbox, stream: str, key: str) -> set[str]:
    return {row["id"] for row in sandbox.truth("savvycal", stream, key)}


def test_a_key_alone_reads_what_its_owner_sees(savvycal: Runner, sandbox: Sandbox) -> None:
    savvycal.sync(api_key="sandbox-member")

    for stream in ("events", "scheduling_links", "workflows", "current_user"):
        assert ids(savvycal, stream) == truth(sandbox, stream, "sandbox-member")
    assert ids(savvycal, "events") < truth(sandbox, "events", "sandbox-admin")


@pytest.fixture
def two_views(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> list[str]:
    """Keys of two people, neither of whom sees everything, though some of it both."""
    keys = {"sandbox-owner": "owner", "sandbox-colleague": "admin"}
    for key, seat in keys.items():
        monkeypatch.setitem(KEYS, key, Key(key, seat))
    one, other = (truth(sandbox, "events", key) for key in keys)
    assert one - other
    assert other - one
    assert one & other
    return [*keys]


def test_several_keys_read_what_any_of_them_sees(savvycal: Runner, sandbox: Sandbox, two_views: list[str]) -> None:
    savvycal.select = lambda _name, _default: True
    for _ in range(2):  # a second run drops nothing: versions are announced after all lists
        savvycal.sync(api_key=None, api_keys=two_views)
        for stream in ("events", "scheduling_links", "workflows", "workflow_rules", "webhooks", "current_user"):
            assert ids(savvycal, stream) == set().union(*(truth(sandbox, stream, key) for key in two_views)), stream


def test_what_two_keys_see_is_written_once_a_run(savvycal: Runner, sandbox: Sandbox, judge: Judge) -> None:
    savvycal.select = lambda _name, _default: True
    savvycal.sync(api_keys=BOTH)

    rows = savvycal.warehouse.rows
    assert truth(sandbox, "events", "sandbox-admin") & truth(sandbox, "events", "sandbox-member")
    assert {stream: len(table) for stream, table in rows.items()} == savvycal.warehouse.written
    assert len(rows["current_user"]) == 2
    judge.check(savvycal, rows.keys() - {"current_user"})


def test_each_key_asks_who_it_is_once_and_time_zones_are_requested_once(savvycal: Runner, sandbox: Sandbox) -> None:
    savvycal.sync(api_keys=BOTH)

    requested = [(request.path, request.key) for request in sandbox.requests]
    assert [key for path, key in requested if path == "/v1/me"] == BOTH
    assert [key for path, key in requested if path == "/v1/time_zones"] == ["sandbox-admin"]
    assert len({path for path, _ in requested if path.endswith("/rules")}) == sum(
        path.endswith("/rules") for path, _ in requested
    )


def test_rules_are_requested_with_the_key_that_saw_their_workflow(
    savvycal: Runner, sandbox: Sandbox, two_views: list[str]
) -> None:
    savvycal.sync(api_key=None, api_keys=two_views)

    requested = [request for request in sandbox.requests if request.path.endswith("/rules")]
    assert requested
    assert {request.status for request in requested} == {200}


def test_one_key_finds_out_for_all_how_events_may_be_requested(
    savvycal: Runner, sandbox: Sandbox, judge: Judge, caplog: pytest.LogCaptureFixture
) -> None:
    savvycal.sync(api_keys=BOTH)
    sandbox.savvycal.fixed_refused = True
    sandbox.advance(days=2)
    savvycal.sync(api_keys=BOTH)

    assert sum("does not accept" in line for line in caplog.messages) == 2
    assert sum(request.status == 422 for request in sandbox.requests) == 2
    judge.check(savvycal, ["events", "event_attendees"])


def test_another_set_of_keys_reads_everything_again_the_same_in_another_order_does_not(
    savvycal: Runner, sandbox: Sandbox
) -> None:
    savvycal.sync(api_key="sandbox-member")
    savvycal.sync(api_key="sandbox-member", api_keys=["sandbox-admin"])
    whole = savvycal.warehouse.written["events"]
    savvycal.sync(api_key="sandbox-admin", api_keys=["sandbox-member"])

    assert whole == len(truth(sandbox, "events", "sandbox-admin"))
    assert savvycal.warehouse.written["events"] < whole


def test_whose_data_a_bookmark_vouches_for_does_not_depend_on_the_order_of_the_keys(savvycal: Runner) -> None:
    tap = savvycal.build()
    vars(tap)["users"] = dict(enumerate({"id": f"user_{number}"} for number in (3, 1, 2, 5, 4, 1)))

    assert tap.scope_id == "user_1,user_2,user_3,user_4,user_5"


def test_a_refused_key_among_several_is_told_by_its_place(savvycal: Runner) -> None:
    messages = Messages()
    with pytest.raises(AccessError, match=r"expired or revoked, .*\. It is key 3 of 3\.$"):
        savvycal.build(messages, api_keys=["sandbox-member", "sandbox-expired"]).run()

    assert messages.read == []


def test_a_key_whose_plan_lacks_a_list_does_not_hide_what_others_see_and_nothing_is_dropped(
    savvycal: Runner, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    savvycal.sync(api_keys=BOTH)
    before = ids(savvycal, "workflows"), ids(savvycal, "workflow_rules")
    seen = truth(sandbox, "workflows", "sandbox-member")
    find = type(sandbox.savvycal).find_key

    def forbid(api: SavvyCal, headers: Mapping[str, str]) -> Key | None:
        key = find(api, headers)
        api.forbidden = {"/v1/workflows"} if key and key.name == "sandbox-admin" else set()
        return key

    monkeypatch.setattr(type(sandbox.savvycal), "find_key", forbid)
    savvycal.sync(api_keys=BOTH)

    assert savvycal.warehouse.written["workflows"] == len(seen) > 0
    assert (ids(savvycal, "workflows"), ids(savvycal, "workflow_rules")) == before
    assert sum("skipping this key" in line for line in caplog.messages) == 1
