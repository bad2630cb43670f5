"""Writer of Singer messages, and a fast path for records.

Between a record and its line, the SDK looks for deselected columns, conforms values, applies stream maps, and creates and
copies a message. That takes more than a third of a run that no rate limit delays. A record that none of these steps
would change is written at once, as the same line, byte for byte (`tests/test_fast_writer.py`).
"""

from __future__ import annotations

import sys
from abc import ABC
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from msgspec import Struct
from singer_sdk.contrib.msgspec import MsgSpecWriter, serialize_jsonl
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.encoding.simple import SchemaMessage, StateMessage
from typing_extensions import override

from tap_common.errors import OutputError
from tap_common.sdk import TapStream

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record
    from singer_sdk.singerlib.encoding.simple import Message


class Row(Struct, tag_field="type", tag="RECORD", omit_defaults=True):
    """A RECORD message, with its fields in the SDK's order.

    Attributes:
        stream: Name of the stream.
        record: The record.
        version: Version for ACTIVATE_VERSION, if the stream has one (milliseconds since 1970).
        time_extracted: Time of writing (UTC).
    """

    stream: str
    record: dict[str, Any]
    version: int | None = None
    time_extracted: datetime | None = None


class Writer(MsgSpecWriter):
    """Writes messages through one buffer that is flushed at every STATE.

    A SCHEMA equal to the stream's last one is not repeated: some targets flush their records at each SCHEMA.
    """

    def __init__(self) -> None:
        self._schemas: dict[str, SchemaMessage] = {}

    @override
    def write_message(self, message: Message) -> None:
        if isinstance(message, SchemaMessage):
            if self._schemas.get(message.stream) == message:
                return
            self._schemas[message.stream] = message
        self.write(bytes(self.serialize_message(message)), flush=isinstance(message, StateMessage))

    def write_record(self, stream: str, record: dict[str, Any], version: int | None) -> None:
        """Write a record that no step of the SDK would change."""
        self.write(bytes(serialize_jsonl(Row(stream, record, version, datetime.now(UTC)))), flush=False)

    def write(self, line: bytes, *, flush: bool) -> None:
        """Write one line.

        Raises:
            OutputError: Standard output is closed or full.
        """
        try:
            sys.stdout.buffer.write(line)
            if flush:
                sys.stdout.buffer.flush()
        except BrokenPipeError as error:
            raise OutputError("The target closed the pipe; see its messages for the reason.") from error
        except AttributeError:  # sys.stdout is None if it was closed
            raise OutputError("Standard output is closed: pipe it into a target, or into a file.") from None
        except OSError as error:
            raise OutputError(
                f"Standard output cannot be written: {error.strerror}. Run again from the last state."
            ) from error


class FastWriter(TapStream, ABC):
    """The part of a stream that writes its records."""

    writes_directly: ClassVar[bool] = True
    """False to write every record through the SDK."""

    @cached_property
    def _unchanged(self) -> bool:
        """True if the SDK would change no record: all columns are selected, without stream map or flattening."""
        first, *others = self.stream_maps
        return (
            self.writes_directly
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
