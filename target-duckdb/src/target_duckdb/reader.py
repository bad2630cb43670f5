"""Reader of Singer messages, with exact numbers and errors that quote no content.

A RECORD message goes to its stream as JSON text first. The SDK gets, decoded, the messages that no stream handles so:
those of other types, and records that do not match their schema.
"""

from __future__ import annotations

import codecs
import json
import logging
import math
import re
import sys
import time
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import IO, TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_duckdb.errors import LoadError, TruncatedInputError
from target_duckdb.lines import UNCHECKED_BYTES, line_error, read_lines
from target_duckdb.messages import check, decode_error
from target_duckdb.printable import quoted
from target_duckdb.rows import read_line
from target_duckdb.settings import MAX_LINE_BYTES

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

logger = logging.getLogger("target-duckdb")


def _number(text: str) -> Decimal | msgspec.Raw:
    """Return a number with a fraction or an exponent; as raw text if Decimal cannot hold the exponent."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return msgspec.Raw(text)


decode = msgspec.json.Decoder(float_hook=_number).decode
"""Decode JSON; numbers with a fraction or an exponent become Decimal, all integers int."""

_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)

_INTERVAL = 1.0
"""Seconds between two checks of the age of staged rows."""

RecordHandler = Callable[[msgspec.Raw | bytes | str, int | None, str | None], bool]
"""Function that stages a record, given its text, version and time_extracted, and returns whether it did."""

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _repaired(text: bytes | str) -> bytes:
    """Return JSON with U+FFFD for each half of a surrogate pair, which UTF-8 cannot encode."""
    raw = text.encode() if isinstance(text, str) else text
    return _ESCAPE.sub(lambda match: b"\\ufffd" if match[1] else match[0], raw)


def _as_text(line: bytes | str) -> str:
    return line if isinstance(line, str) else line.decode(errors="replace")


def stripped(line: bytes | str) -> bytes:
    """Return a line without a byte-order mark and surrounding whitespace."""
    raw = line.encode() if isinstance(line, str) else bytes(line)
    return raw.strip().removeprefix(codecs.BOM_UTF8).strip()


def decode_record(text: bytes | str, where: str) -> dict[str, Any]:
    """Decode a record of a BATCH file.

    Args:
        text: JSON text of the record.
        where: Place of the record, for errors and warnings.

    Raises:
        LoadError: The text is not a JSON object.
    """
    try:
        record = decode(text)
    except _UNREADABLE:
        try:
            record = decode(_repaired(text))
        except _UNREADABLE:
            problem = decode_error('{"record":' + _as_text(text))
            raise LoadError(f"{where} {problem}") from None
        logger.warning("%s contains half a surrogate pair, which is stored as U+FFFD.", where)
    if not isinstance(record, dict):
        raise LoadError(f"{where} is not a JSON object.")
    return record


class MessageReader(GenericSingerReader[bytes]):
    """Reader of messages, one line at a time.

    Attributes:
        last_type: Type of the last message, empty before the first.
        line: Number of the last line.
        max_line_bytes: Maximum bytes of a line.
        record_handlers: Function that stages the records of a stream, by stream.
        on_interval: Function called after a handled record, at most once a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self.last_type = ""
        self.record_handlers: dict[str, RecordHandler] = {}
        self.on_interval: Callable[[], None] = lambda: None
        self._handled = 0
        self.line = 0
        self.max_line_bytes = MAX_LINE_BYTES
        self._repaired = False
        self._stream: str | None = None

    @property
    @override
    def default_input(self) -> IO[bytes]:
        """Standard input, as bytes: the encoding is UTF-8 whatever the locale says."""
        return sys.stdin.buffer

    @override
    def process_lines(
        self,
        file_input: IO[bytes] | None,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
    ) -> Counter[str]:
        """Read all messages; return the number of messages of each type."""
        messages: Any = self._unhandled_lines(file_input or self.default_input)
        try:
            counts = super().process_lines(messages, callbacks)
        except RecursionError:
            of = f", stream {quoted(self._stream)}," if self._stream else ""
            raise LoadError(f"Line {self.line} of the input{of} is nested too deeply to be loaded.") from None
        counts["RECORD"] += self._handled
        return counts

    def _unhandled_lines(self, file: IO[bytes]) -> Iterator[bytes]:
        """Yield the lines that no stream handles as text."""
        record_handlers = self.record_handlers
        due = 0.0
        for line in read_lines(file, self.max_line_bytes):
            self.line += 1
            if len(line) > UNCHECKED_BYTES and (problem := line_error(line, self.max_line_bytes)):
                raise InvalidInputLine(f"Line {self.line} of the input {problem}")
            try:
                message = read_line(line)
            except _UNREADABLE:
                if stripped(line):
                    yield line
                continue
            handle = record_handlers.get(message.stream)
            if handle and handle(message.record, message.version, message.time_extracted):
                self.last_type = "RECORD"
                self._handled += 1
                if time.monotonic() >= due:
                    self.on_interval()
                    due = time.monotonic() + _INTERVAL
            else:
                yield line

    @override
    def deserialize_json(self, line: bytes | str) -> dict[str, Any]:
        """Decode a message; raise InvalidInputLine with the number of the line, never its content."""
        try:
            message = decode(line)
        except _UNREADABLE:
            line = stripped(line) + b"\n" * _as_text(line).endswith("\n")
            message = self._repair(line)
        if not isinstance(message, dict):
            raise InvalidInputLine(f"Line {self.line} of the input is not a Singer message.")
        check(message, self.line)
        self.last_type, self._stream = message["type"], message.get("stream")
        if self.last_type == "STATE":  # Decimal cannot be serialized again
            return json.loads(line, parse_float=self._parse_float)  # type: ignore[no-any-return]  # json.loads gives Any
        return message

    def _repair(self, line: bytes) -> Any:
        """Decode a line that had a byte-order mark, or contains half a surrogate pair."""
        try:
            return decode(line)
        except _UNREADABLE:
            repaired = _repaired(line)
        try:
            message = decode(repaired)
        except _UNREADABLE:
            if not repaired.endswith(b"\n"):
                raise TruncatedInputError(
                    f"The input ends in the middle of line {self.line}: the tap was "
                    "interrupted. The messages before it are loaded; run again."
                ) from None
            raise InvalidInputLine(f"Line {self.line} of the input {decode_error(_as_text(line))}") from None
        if not self._repaired:
            logger.warning("Line %d contains half a surrogate pair, which is stored as U+FFFD.", self.line)
            self._repaired = True
        return message

    def _parse_float(self, text: str) -> float:
        """Return a number of a state; raise InvalidInputLine for one that would be written as Infinity."""
        if math.isinf(number := float(text)):
            raise InvalidInputLine(
                f"Line {self.line} of the input: the state contains a number that is too large for a double."
            )
        return number

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Raise InvalidInputLine with the names of the missing keys."""
        if not requires.issubset(line_dict):
            missing = ", ".join(sorted(requires.difference(line_dict)))
            raise InvalidInputLine(f"A {line_dict.get('type', 'Singer')} message lacks {missing}.")
