"""Rows that pass the SDK's steps by say what they would have said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from harness import Messages
from tap_common.output.writer import FastWriter

if TYPE_CHECKING:
    from api import Api
    from harness import Runner

TIME = re.compile(rb'"time_extracted":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z"')


class Lines(Messages):
    """Keeps the lines as they are written, without their times."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []

    @override
    def write(self, line: bytes, *, flush: bool) -> None:
        masked, found = TIME.subn(b"TIME", line)
        assert found == line.startswith(b'{"type":"RECORD"')
        self.lines.append(re.sub(rb'"version":\d+', b'"version":N', masked))


def lines(runner: Runner, **config: Any) -> list[bytes]:
    written = Lines()
    tap = runner.build(written, **config)
    tap.run()
    tap.close()
    return written.lines


@pytest.mark.parametrize(
    "config",
    [{}, {"emit_activate_version_messages": False}, {"concurrency": 1}],
    ids=["by default", "without versions", "one request at a time"],
)
def test_they_are_the_same_bytes(
    api: Api, runner: Runner, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any]
) -> None:
    ours = lines(runner, **config)
    monkeypatch.setattr(FastWriter, "writes_directly", False)
    theirs = lines(runner)  # the SDK's, with everything at its default

    if "emit_activate_version_messages" in config:
        theirs = [re.sub(rb',"version":N', b"", line) for line in theirs if b"ACTIVATE_VERSION" not in line]
    assert ours == theirs
    assert len(ours) > 50


@pytest.mark.parametrize(
    "config",
    [
        {
            "stream_maps": {
                "events": {"added": "'x'"},
                "scheduled_events": {"added": "'x'"},
                "bookings": {"added": "'x'"},
            }
        },
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
    ids=["stream maps", "flattening"],
)
def test_what_changes_a_row_is_not_passed_by(
    api: Api, runner: Runner, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any]
) -> None:
    ours = lines(runner, **config)
    monkeypatch.setattr(FastWriter, "writes_directly", False)

    assert ours == lines(runner, **config)


def test_a_deselected_column_is_not_written(api: Api, runner: Runner) -> None:
    written = Messages()
    tap = runner.build(written)
    stream = tap.streams[api.main]
    column = next(name for name in stream.schema["properties"] if name not in {*stream.primary_keys, "_extra"})
    stream.metadata[("properties", column)].selected = False
    stream._mask = None
    tap.run()
    tap.close()

    rows = [
        message["record"] for message in written.read if message["type"] == "RECORD" and message["stream"] == api.main
    ]
    assert rows
    assert all(column not in row for row in rows)
