"""Private parts of the SDK that `tap_common.sdk` uses; these tests fail when an upgrade changes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from singer_sdk.helpers import _batch, _state
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.streams.core import Stream
from singer_sdk.streams.rest import RESTStream
from singer_sdk.tap_base import Tap

from api import runner_of
from calendly_api import CALENDLY
from harness import Messages

if TYPE_CHECKING:
    from harness import VirtualClock
    from sandbox import Sandbox


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Stream, "_write_schema_message"),
        (Stream, "_write_activate_version_message"),
        (Stream, "_increment_stream_state"),
        (RESTStream, "_LOG_REQUEST_METRICS"),
        (Tap, "_validate_config"),
        (Tap, "_handle_termination"),
        (_state, "PROGRESS_MARKERS"),
        (_state, "PROGRESS_MARKER_NOTE"),
        (Stream, "_write_record_message"),
        (CustomStreamMap, "_eval"),
        (_batch, "BaseBatchFileEncoding"),
        (_batch, "BatchConfig"),
        (_batch, "SDKBatchMessage"),
    ],
)
def test_the_private_parts_that_are_used_are_there(owner: object, name: str) -> None:
    assert hasattr(owner, name)


def test_a_version_is_on_every_row_and_announced_after_the_last(sandbox: Sandbox, clock: VirtualClock) -> None:
    messages = Messages()
    tap = runner_of(CALENDLY, sandbox, clock).build(messages)
    tap.sync_all()
    tap.close()

    version = tap.initialized_at
    for stream in tap.streams.values():
        own = [message for message in messages.read if message.get("stream") == stream.name]
        versions = {message.get("version") for message in own if message["type"] == "RECORD"}
        if stream.replication_method == "FULL_TABLE" and stream.selected:
            assert versions == {version}
            assert own[-1] == {"type": "ACTIVATE_VERSION", "stream": stream.name, "version": version}
        else:
            assert versions <= {None}
            assert all(message["type"] != "ACTIVATE_VERSION" for message in own)


def test_no_version_is_announced_where_the_setting_says_so(sandbox: Sandbox, clock: VirtualClock) -> None:
    messages = Messages()
    tap = runner_of(CALENDLY, sandbox, clock).build(messages, emit_activate_version_messages=False)
    tap.sync_all()
    tap.close()

    assert {message["type"] for message in messages.read} == {"SCHEMA", "RECORD", "STATE"}
    assert all("version" not in message for message in messages.read)


def test_progress_counts_only_when_the_stream_is_whole(sandbox: Sandbox, clock: VirtualClock) -> None:
    messages = Messages()
    tap = runner_of(CALENDLY, sandbox, clock).build(messages)
    tap.sync_all()
    tap.close()

    final = messages.read[-1]["value"]["bookmarks"]
    assert final["scheduled_events"].keys() == {"replication_key", "replication_key_value", "covers"}
    assert "progress_markers" not in str(final)


def test_an_unsorted_stream_is_not_warned_about(
    sandbox: Sandbox, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    runner_of(CALENDLY, sandbox, clock).sync()

    assert "assumed to be unsorted" not in caplog.text
