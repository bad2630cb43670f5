"""Functions that wrap private parts of the SDK, each with its reason.

The other private names that are overridden stand with their reasons in `tests/test_private_parts.py`, which fails when
a name is missing there or when the SDK changes one.
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
    """A stream with its tap, which is private in the SDK."""

    @property
    def tap(self) -> SchedulingTap:
        """The tap of this stream."""
        return cast("SchedulingTap", self._tap)


def stamp_version(stream: Stream, version: int | None) -> None:
    """Set the version of every RECORD message of a stream.

    The SDK sets it only when it sends ACTIVATE_VERSION before the first record.
    """
    stream._stream_version = version  # noqa: SLF001 - see above


def write_schema(stream: Stream) -> None:
    """Write a stream's SCHEMA message.

    The SDK writes it when a stream begins; a child stream without parents never begins.
    """
    stream._write_schema_message()  # noqa: SLF001 - see above


def write_activate_version(stream: Stream, version: int) -> None:
    """Write ACTIVATE_VERSION, after a stream's last record: a target then soft-deletes records of other versions.

    The SDK writes it before the first record, so that a run that fails would empty the table.
    """
    stream._write_activate_version_message(version)  # noqa: SLF001 - see above


def start_progress_markers(stream: Stream) -> None:
    """Start a stream's progress markers.

    The SDK starts them at the first record, with a warning that an unsorted stream is not resumable.
    """
    stream.stream_state.setdefault(PROGRESS_MARKERS, {PROGRESS_MARKER_NOTE: "Counts when the stream is complete."})


def explain_map_errors(stream_map: CustomStreamMap) -> None:
    """Make the error of a stream map name its stream and column.

    The SDK passes on the error of the expression, which may quote the record.
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
