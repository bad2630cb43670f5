"""Singer messages on standard output."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from singer_sdk.contrib.msgspec import MsgSpecWriter, serialize_jsonl
from singer_sdk.singerlib.encoding.simple import SchemaMessage, StateMessage
from typing_extensions import override

from tap_common.errors import OutputError

if TYPE_CHECKING:
    from singer_sdk.singerlib.encoding.simple import Message


class Row(Struct, tag_field="type", tag="RECORD", omit_defaults=True):
    """A RECORD message, with its fields in the SDK's order.

    Attributes:
        stream: Name of the stream.
        record: The row.
        version: Version of the row's table, if it has one (milliseconds since 1970).
        time_extracted: When the row was read (UTC).
    """

    stream: str
    record: dict[str, Any]
    version: int | None = None
    time_extracted: datetime | None = None


class Writer(MsgSpecWriter):
    """Writes messages in the order given, through one buffer that is emptied at every STATE.

    A SCHEMA equal to the stream's last is left out: some targets load what they hold at every one.
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
        """Write a row that no step of the SDK would change."""
        self.write(bytes(serialize_jsonl(Row(stream, record, version, datetime.now(UTC)))), flush=False)

    def write(self, line: bytes, *, flush: bool) -> None:
        """Put one line out.

        Raises:
            OutputError: Nobody takes it.
        """
        try:
            sys.stdout.buffer.write(line)
            if flush:
                sys.stdout.buffer.flush()
        except BrokenPipeError as error:
            raise OutputError("The target closed the pipe; its own messages say why.") from error
        except AttributeError:  # Python has no standard output where it was closed
            raise OutputError("Standard output is closed: pipe it into a target, or into a file.") from None
        except OSError as error:
            raise OutputError(
                f"Standard output cannot be written: {error.strerror}. Run again from the last state."
            ) from error
