"""Of resources with a secret the known columns are kept, and nothing else."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from harness import Messages
from tap_common.redact import Redacted

if TYPE_CHECKING:
    import pytest

    from api import Api
    from harness import Runner
    from sandbox import Sandbox

NEW: dict[str, Any] = {
    "auth": {"type": "bearer", "token": "hush"},
    "headers": [{"name": "X-Key", "value": "hush"}],
    "hmac": "hush",
    "deliveries": [[{"deep": {"deeper": "hush"}}]],
}
PLAIN = {"string", "boolean", "integer", "number", "null"}


def webhooks(api: Api) -> list[type[Redacted]]:
    """The streams of an API that are about webhooks."""
    return [kind for kind in api.tap.stream_types if issubclass(kind, Redacted)]


def discovered(api: Api) -> dict[str, Any]:
    """A catalog that selects the webhooks alone."""
    catalog: dict[str, Any] = api.tap(config={}, validate_config=False).catalog_dict
    for stream in catalog["streams"]:
        [own] = [entry for entry in stream["metadata"] if entry["breadcrumb"] == []]
        own["metadata"]["selected"] = "webhook" in stream["stream"]
    return catalog


def test_of_a_webhook_no_field_is_kept_that_the_schema_does_not_know_and_of_its_address_only_the_host(
    api: Api, sandbox: Sandbox, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    [kind] = webhooks(api)
    getattr(sandbox, api.name).extra_fields = {kind.name: NEW}
    for address in ("https://hooks.slack.example/services/T0/B0/hush", "https://ada:hush@hooks.example:8443/?k=hush"):
        sandbox.world.add_webhook(address)
    messages = Messages()

    with caplog.at_level(logging.DEBUG):
        tap = api.tap(config=runner.config, catalog=discovered(api), clock=runner.clock, message_writer=messages)
        tap.run()
        tap.close()

    rows = [message["record"] for message in messages.read if message["type"] == "RECORD"]
    assert {"https://hooks.slack.example", "https://hooks.example:8443"} <= {
        row.get("url", row.get("callback_url")) for row in rows
    }
    assert all(row["_extra"] is None for row in rows)
    assert all(row["created_at" if "created_at" in row else "creation_time"] for row in rows)
    assert "hush" not in json.dumps(messages.read)
    assert "hush" not in caplog.text
    assert "Not kept, as it may be a secret: `auth`" in caplog.text


def test_a_value_of_a_webhook_that_its_column_cannot_hold_is_not_kept(
    api: Api, sandbox: Sandbox, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    [kind] = webhooks(api)
    stream = runner.build().stream(kind)
    odd: dict[str, Any] = {name: {"token": "hush"} for name in stream.schema["properties"] if name != "_extra"}

    row = stream.to_record({**odd, "uri": "u", "id": "i", "api_id": "i"}, {})

    assert row["_extra"] is None
    assert "hush" not in json.dumps(row) + caplog.text
    assert "and the value is not kept" in caplog.text


def test_columns_of_webhooks_hold_plain_values_so_that_nothing_new_is_within_them(api: Api) -> None:
    for kind in webhooks(api):
        for name, column in api.tap(config={}, validate_config=False).streams[kind.name].schema["properties"].items():
            inner = column.get("items", {"type": "null"}) if "array" in column["type"] else column
            assert (
                name == "_extra" or set([inner["type"]] if isinstance(inner["type"], str) else inner["type"]) <= PLAIN
            )


def test_every_stream_of_webhooks_is_one_of_those(api: Api) -> None:
    assert {kind.name for kind in webhooks(api)} == {name for name in api.all_streams() if "webhook" in name}
