"""Everything that touches the SDK's private parts, each with its reason.

`tests/test_sdk.py` fails when one of them changes.
"""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.helpers._state import PROGRESS_MARKER_NOTE, PROGRESS_MARKERS
from singer_sdk.mapper import MAPPER_FILTER_OPTION
from singer_sdk.streams.rest import RESTStream

from tap_common.errors import SettingsError
from tap_common.printable import quoted

if TYPE_CHECKING:
    import ast

    from singer_sdk.mapper import CustomStreamMap
    from singer_sdk.streams.core import Stream

    from tap_common.tap import SchedulingTap


class TapStream(RESTStream[str], ABC):
    """A stream that knows its tap, which the SDK keeps to itself."""

    @property
    def tap(self) -> SchedulingTap:
        """The tap of this stream."""
        return cast("SchedulingTap", self._tap)


def stamp_version(stream: Stream, version: int | None) -> None:
    """Have every RECORD of the stream carry a version.

    The SDK stamps it only when it announces the version before the first row.
    """
    stream._stream_version = version  # noqa: SLF001 - see above


def write_schema(stream: Stream) -> None:
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


def name_failures(stream_map: CustomStreamMap) -> None:
    """Have a stream map that fails on a row say of which stream and column it is.

    The SDK lets through whatever the expression raises, and that may quote the row.
    """
    evaluate = stream_map._eval  # noqa: SLF001 - see above

    def named(expr: str, expr_parsed: ast.Expr, record: dict[str, Any], property_name: str | None) -> Any:
        try:
            return evaluate(expr=expr, expr_parsed=expr_parsed, record=record, property_name=property_name)
        except Exception as error:  # an expression may raise anything
            column, kind = property_name or MAPPER_FILTER_OPTION, type(error.__cause__ or error).__name__
            raise SettingsError(
                f"Setting `stream_maps`: {quoted(column)} of stream {quoted(stream_map.stream_name)} fails on a record "
                f"({kind})."
            ) from error

    stream_map._eval = named  # type: ignore[method-assign]  # noqa: SLF001 - see above
