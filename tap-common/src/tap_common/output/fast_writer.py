"""Rows on their way to standard output, past those steps of the SDK that would change nothing.

Between a row and its line the SDK looks for deselected columns, for values to conform, for stream maps, and makes
and copies a message: more than a third of the time of a run that no limit holds up. A row that none of these would
change is written at once; byte for byte the same line (`tests/test_fast_writer.py`).
"""

from __future__ import annotations

from abc import ABC
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, cast

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

from tap_common.sdk import TapStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

    from tap_common.output.writer import Writer


class FastWriter(TapStream, ABC):
    """The part of a stream that writes its rows."""

    direct: ClassVar[bool] = True
    """Whether the SDK's steps are passed by where they would change nothing."""

    @cached_property
    def _unchanged(self) -> bool:
        """Whether a row is written as it is: all columns are selected, and no stream map or flattening applies."""
        first, *others = self.stream_maps
        return (
            self.direct
            and not others
            and isinstance(first, SameRecordTransform)
            and not first.flattening_enabled
            and self.TYPE_CONFORMANCE_LEVEL == TypeConformanceLevel.NONE
            and all(self.mask.values())
        )

    @override
    def _write_record_message(self, record: Record) -> None:
        if not self._unchanged:
            super()._write_record_message(record)
            return
        alias = self.stream_maps[0].stream_alias
        cast("Writer", self.tap.message_writer).write_record(alias, record, self._stream_version)
        self.state_manager.is_flushed = False
