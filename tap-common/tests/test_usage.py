"""The requests that a run reports are those that the API received."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import RetriableAPIError

from tap_common.output.metrics import Usage

if TYPE_CHECKING:
    from api import Api
    from harness import Runner
    from sandbox import Sandbox

METRIC = "METRIC: "
PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "rate-limits.md"


def metrics(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    texts = [record.getMessage() for record in caplog.records]
    return [json.loads(text.removeprefix(METRIC)) for text in texts if text.startswith(METRIC)]


def test_every_request_is_counted_once_and_for_its_stream(
    api: Api, sandbox: Sandbox, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        tap = runner.sync(page_size=2)

    told = {point["tags"]["stream"]: point["value"] for point in metrics(caplog) if "http_request" in point["metric"]}
    assert sum(tap.usage.requests.values()) == len(sandbox.requests)
    assert told.items() <= tap.usage.requests.items()
    assert f"; {len(sandbox.requests):,} requests (" in caplog.text
    assert "0 requests refused (429), 0 retried after other errors." in caplog.text


def test_a_stream_s_rows_are_counted_once_over_all_its_parents(
    api: Api, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        runner.sync()

    told = [(point["tags"]["stream"], point["value"]) for point in metrics(caplog) if point["metric"] == "record_count"]
    written = sorted(filter(None, runner.warehouse.written.values()), reverse=True)
    [line] = [message for message in caplog.messages if " requests (" in message]
    first, _, _ = line.partition("; ")
    assert [int(text.replace(",", "")) for text in re.findall(r"\w+ ([\d,]+)(?=[,)])", first)] == written
    assert first.startswith(f"{sum(written):,} records (")
    assert dict(told) == {stream: runner.warehouse.written.get(stream, 0) for stream, _ in told}
    assert len(told) == len(dict(told)) == len(api.default_streams())


def test_refusals_errors_and_waits_are_told(
    api: Api, sandbox: Sandbox, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.retry_after = 40
    sandbox.faults.script(api.listed, ["429-retry-after", "503", "reset"])
    with caplog.at_level("INFO"):
        usage = runner.sync(concurrency=1).usage

    assert (usage.refused, usage.repeated) == (1, 2)
    assert usage.waited >= 41
    values = {point["metric"]: point["value"] for point in metrics(caplog) if "tap" in point["tags"]}
    assert values == {
        "http_refused_count": 1,
        "http_repeated_count": 2,
        "limit_wait_duration": pytest.approx(usage.waited, abs=0.001),
    }


def test_a_run_that_breaks_off_tells_too(
    api: Api, sandbox: Sandbox, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.script(api.listed, ["ok", *["500"] * 6])
    with caplog.at_level("INFO"), pytest.raises(RetriableAPIError):
        runner.sync(max_retries=2, page_size=1)

    assert " requests (" in caplog.text
    assert "0 sent again" not in caplog.text


def test_the_page_shows_it_as_it_is() -> None:
    records = {"event_invitees": 2_321, "scheduled_events": 2_117}
    requests = {"event_invitees": 2_113, "scheduled_events": 23, "api_user": 1, "organization_memberships": 1}

    line = str(Usage(records, requests, refused=0, repeated=0, waited=244.0))
    assert f"\n{line}\n" in PAGE.read_text(encoding="utf-8")
