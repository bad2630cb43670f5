"""Checks and messages before a run reads anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api import settings
from harness import Messages
from tap_common.cli.connection_check import check_streams
from tap_common.errors import AccessError, SettingsError
from tap_common.http.address import api_url_hint

if TYPE_CHECKING:
    from api import Api
    from harness import Runner
    from sandbox import Sandbox

FUTURE = "Setting `start_date` is in the future"


def test_a_run_that_is_to_read_nothing_ends_with_a_sentence_before_it_asks(
    api: Api, sandbox: Sandbox, runner: Runner
) -> None:
    runner.select = lambda _name, _default: False
    messages = Messages()
    tap = runner.build(messages)

    for run in (tap.run, lambda: check_streams(tap, print)):
        with pytest.raises(SettingsError) as refused:
            run()
        variable = f"{api.tap.env_prefix()}_SELECT"
        assert str(refused.value).startswith("No stream is selected, so nothing is read: see `select` in meltano.yml")
        assert f"`{variable}`" in str(refused.value)
    assert (sandbox.requests, messages.read) == ([], [])
    tap.close()


@pytest.mark.parametrize(
    ("where", "method", "good"),
    [
        ("entry", "FULL_TABEL", False),
        ("entry", "full_table", False),
        ("entry", "LOG_BASED", False),
        ("metadata", "FULL_TABEL", False),
        ("entry", "FULL_TABLE", True),
        ("entry", "INCREMENTAL", True),
        ("a stream that is off", "FULL_TABEL", True),
    ],
)
def test_a_method_that_is_none_ends_the_run_before_it_asks_where_the_stream_is_read(
    api: Api, sandbox: Sandbox, where: str, method: str, *, good: bool
) -> None:
    catalog: dict[str, Any] = api.tap(config={}, validate_config=False).catalog_dict
    for entry in catalog["streams"]:
        root = next(one["metadata"] for one in entry["metadata"] if not one["breadcrumb"])
        root["selected"] = entry["stream"] == api.main
        if entry["stream"] == (api.all_streams()[-1] if where == "a stream that is off" else api.main):
            entry["replication_method"] = method
            if where == "metadata":
                root["forced-replication-method"] = entry.pop("replication_method")
    messages = Messages()
    tap = api.tap(config=settings(api, sandbox), catalog=catalog, message_writer=messages)

    if good:
        tap.check_key()
        assert sandbox.requests
    else:
        with pytest.raises(SettingsError) as refused:
            tap.run()
        assert f"`{method}` of stream `{api.main}` is neither FULL_TABLE nor INCREMENTAL" in str(refused.value)
        assert sandbox.requests == []
    assert messages.read == []
    tap.close()


def test_a_start_date_in_the_future_by_the_api_s_time_is_warned_about_once(
    runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    told = []
    for start in ("2999-01-01", "2020-01-01"):
        caplog.clear()
        with caplog.at_level("WARNING"):
            runner.sync(start_date=start)
        told.append(sum(FUTURE in message for message in caplog.messages))

    assert told == [1, 0]


def test_a_key_that_is_refused_is_not_alone_in_doubt_where_the_address_was_changed(api: Api, runner: Runner) -> None:
    with pytest.raises(AccessError, match=rf"wrong, expired or revoked, or `api_url` is not {api.tap.api_name}'s\."):
        runner.sync(api_key="wrong")

    schema = api.tap.config_jsonschema
    usual = schema["properties"]["api_url"]["default"]
    assert api_url_hint({"api_url": f"{usual}/"}, schema, "anybody") == ""
