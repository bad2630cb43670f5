"""Limits, keys, plans and secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import Messages
from oncehub_api import every
from tap_common.errors import AccessError, RequestError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Runner, VirtualClock
    from sandbox import Sandbox
    from truth import Judge

    RecordedRequest = Callable[..., list[dict[str, str]]]


def test_the_limits_are_kept_without_a_refusal_when_more_is_to_be_read_than_they_allow(
    serve: Callable[..., Sandbox], oncehub: Runner, clock: VirtualClock
) -> None:
    sandbox = serve(scale="test")
    oncehub.config["api_url"] = f"{sandbox.url}/oncehub"
    began = clock.monotonic()
    oncehub.sync(page_size=1)

    moments = [request.at for request in sandbox.requests]
    assert len(moments) > 200
    assert sandbox.oncehub.refused == []
    assert clock.monotonic() - began < 302 * (len(moments) // 200 + 1)
    assert all(later - earlier >= 1 for earlier, later in zip(moments, moments[5:], strict=False))


def test_a_budget_that_another_program_has_used_up_is_waited_out(
    oncehub: Runner, sandbox: Sandbox, clock: VirtualClock, judge: Judge
) -> None:
    oncehub.sync(requests_per_minute=60_000, page_size=1)
    before = len(sandbox.requests)
    waited = clock.monotonic()
    oncehub.warehouse.state = None

    oncehub.sync(page_size=1)

    refused = [request for request in sandbox.requests[before:] if request.status == 429]
    assert len(refused) <= 4  # a pause of a second is tried first: nothing says which of the two limits it is
    assert clock.monotonic() - waited > 200
    judge.check(oncehub, oncehub.warehouse.rows)


def test_a_refusal_without_any_header_waits_a_second_and_another_one_five_minutes(
    oncehub: Runner,
    sandbox: Sandbox,
    clock: VirtualClock,
    caplog: pytest.LogCaptureFixture,
    judge: Judge,
) -> None:
    sandbox.faults.script(r"/v2/contacts", ["429", "429"])
    began = clock.monotonic()
    with caplog.at_level("INFO"):
        oncehub.sync()

    assert clock.monotonic() - began >= 300
    assert "The API requires a pause (429); waiting 2 s." in caplog.text
    assert "The API requires a pause (429); waiting 301 s." in caplog.text
    judge.check(oncehub, oncehub.warehouse.rows)


def test_the_secret_of_a_webhook_never_leaves_the_tap(oncehub: Runner, sandbox: Sandbox) -> None:
    oncehub.select = every
    sandbox.world.add_webhook("https://bob:hush@hooks.example:8443/in?token=hush")
    messages = Messages()
    tap = oncehub.build(messages)
    tap.run()
    tap.pool.shutdown()

    text = str(messages.read)
    assert "'https://hooks.example:8443'" in text
    assert "whsec" not in text
    assert "hush" not in text


def test_a_key_that_is_wrong_ends_the_run_with_a_sentence_about_the_key(oncehub: Runner) -> None:
    oncehub.config["api_key"] = "wrong"

    with pytest.raises(AccessError, match="OnceHub does not accept the key"):
        oncehub.sync()

    assert oncehub.warehouse.state is None


def test_a_plan_without_the_api_ends_the_run_with_a_sentence_about_the_plan(oncehub: Runner) -> None:
    oncehub.config["api_key"] = "sandbox-noapi"

    with pytest.raises(AccessError, match=r"plan of this OnceHub account has no access .* the key is not at fault"):
        oncehub.sync()

    assert oncehub.warehouse.rows == {}


def test_an_address_that_is_not_oncehub_s_ends_the_run_with_a_sentence_about_it(oncehub: Runner) -> None:
    oncehub.config["api_url"] += "/v2"

    with pytest.raises(SettingsError, match="`api_url` contains a version"):
        oncehub.sync()


def test_messages_that_the_plan_lacks_are_skipped_and_their_rows_stay(
    oncehub: Runner, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    oncehub.sync()
    before = dict(oncehub.warehouse.rows["sms_notifications"])
    oncehub.config["api_key"] = "sandbox-nosms"
    oncehub.sync()

    skipped = [line for line in caplog.messages if line.startswith("Skipped: 403 Forbidden on /v2/notifications/sms")]
    assert len(skipped) == 1
    assert "SMS notifications" not in skipped[0].replace("sms_notifications", "")
    assert before
    assert oncehub.warehouse.rows["sms_notifications"] == before


def test_bookings_that_are_forbidden_end_the_run(oncehub: Runner, sandbox: Sandbox) -> None:
    sandbox.oncehub.forbidden.add("/v2/bookings")

    with pytest.raises(RequestError, match="403 Forbidden on /v2/bookings"):
        oncehub.sync()


def test_the_older_product_s_lists_may_be_forbidden_and_nothing_is_dropped(oncehub: Runner, sandbox: Sandbox) -> None:
    oncehub.select = every
    oncehub.sync()
    before = {stream: dict(rows) for stream, rows in oncehub.warehouse.rows.items()}
    sandbox.oncehub.forbidden |= {"/v2/booking-pages", "/v2/master-pages", "/v2/event-types"}
    oncehub.sync()

    for stream in ("booking_pages", "master_pages", "event_types", "booking_page_links"):
        assert oncehub.warehouse.rows[stream] == before[stream]
    assert oncehub.warehouse.rows["teams"]
