"""Everything that touches the SDK's private parts, each with its reason.

`tests/test_sdk.py` fails when one of them changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.helpers._state import PROGRESS_MARKER_NOTE, PROGRESS_MARKERS

if TYPE_CHECKING:
    from singer_sdk.streams.core import Stream


def stamp_version(stream: Stream, version: int | None) -> None:
    """Have every RECORD of the stream carry a version.

    The SDK stamps it only when it announces the version before the first row.
    """
    stream._stream_version = version  # noqa: SLF001 - see above


def introduce(stream: Stream) -> None:
    """Tell the target of the stream's table.

    The SDK does so when a stream begins; a child stream without a single parent never does.
    """
    stream._write_schema_message()  # noqa: SLF001 - see above


def announce_version(stream: Stream, version: int) -> None:
    """Tell the target that rows of another version are gone: to be called after the last row.

    The SDK announces before the first row, so that a run that breaks off empties a table.
    """
    stream._write_activate_version_message(version)  # noqa: SLF001 - see above


def open_progress(stream: Stream) -> None:
    """Begin a stream's progress markers.

    The SDK does so at the first row, with a warning that an unsorted stream is not resumable: ours are meant to be so.
    """
    stream.stream_state.setdefault(PROGRESS_MARKERS, {PROGRESS_MARKER_NOTE: "Counts when the stream is whole."})
