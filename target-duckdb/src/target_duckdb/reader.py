"""Singer messages from standard input, with every number exact and no content in an error.

A RECORD message is offered to its stream as text first. The SDK sees the messages that are not taken so, decoded: all
others, and records that are not as their schema says.
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

from target_duckdb.errors import CutOffError, LoadError
from target_duckdb.lines import SHORT, fault, lines
from target_duckdb.messages import check, reason
from target_duckdb.printable import named
from target_duckdb.rows import read_line
from target_duckdb.settings import MAX_LINE_BYTES

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

logger = logging.getLogger("target-duckdb")


def _number(text: str) -> Decimal | msgspec.Raw:
    """A number with a fraction or an exponent; its own text where the exponent is beyond those of Decimal."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return msgspec.Raw(text)


decode = msgspec.json.Decoder(float_hook=_number).decode
"""JSON to Python; numbers with a fraction or an exponent become Decimal, all integers int."""

_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)

_PAUSE = 1.0
"""Seconds from one look at the age of the rows that wait to the next."""

Taker = Callable[[msgspec.Raw | bytes | str, int | None, str | None], bool]
"""Stages a record from its text, version and time of extraction, and says whether it did."""

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _repaired(text: bytes | str) -> bytes:
    """JSON with U+FFFD for each half of a surrogate pair, which no UTF-8 text can hold."""
    raw = text.encode() if isinstance(text, str) else text
    return _ESCAPE.sub(lambda match: b"\\ufffd" if match[1] else match[0], raw)


def _as_text(line: bytes | str) -> str:
    return line if isinstance(line, str) else line.decode(errors="replace")


def cleaned(line: bytes | str) -> bytes:
    """A line without a byte-order mark and blanks at its ends; empty if it held nothing else."""
    raw = line.encode() if isinstance(line, str) else bytes(line)
    return raw.strip().removeprefix(codecs.BOM_UTF8).strip()


def batch_record(text: bytes | str, where: str) -> dict[str, Any]:
    """Decode a record of a BATCH file; LoadError says `where` there is none."""
    try:
        record = decode(text)
    except _UNREADABLE:
        try:
            record = decode(_repaired(text))
        except _UNREADABLE:
            told = reason('{"record":' + _as_text(text))
            raise LoadError(f"{where} {told}") from None
        logger.warning("%s holds half a surrogate pair; such halves are stored as U+FFFD.", where)
    if not isinstance(record, dict):
        raise LoadError(f"{where} is not a JSON object.")
    return record


class MessageReader(GenericSingerReader[bytes]):
    """Reads messages one line at a time, and knows which one came last.

    Attributes:
        last_type: Type of the last message, empty before the first.
        line: Number of the last line.
        longest: Most bytes of a line.
        takers: What stages the records of a stream.
        after_some: Called after a record that was taken, and then not for a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self.last_type = ""
        self.takers: dict[str, Taker] = {}
        self.after_some: Callable[[], None] = lambda: None
        self._taken = 0
        self.line = 0
        self.longest = MAX_LINE_BYTES
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
        """Read all messages; returns how many there were of each type."""
        messages: Any = self._not_taken(file_input or self.default_input)
        try:
            counts = super().process_lines(messages, callbacks)
        except RecursionError:
            of = f", stream {named(self._stream)}," if self._stream else ""
            raise LoadError(f"Line {self.line} of the input{of} nests too deeply to be loaded.") from None
        counts["RECORD"] += self._taken
        return counts

    def _not_taken(self, file: IO[bytes]) -> Iterator[bytes]:
        """The lines that no stream takes as text."""
        takers = self.takers
        due = 0.0
        for line in lines(file, self.longest):
            self.line += 1
            if len(line) > SHORT and (told := fault(line, self.longest)):
                raise InvalidInputLine(f"Line {self.line} of the input {told}")
            try:
                message = read_line(line)
            except _UNREADABLE:
                if cleaned(line):
                    yield line
                continue
            take = takers.get(message.stream)
            if take and take(message.record, message.version, message.time_extracted):
                self.last_type = "RECORD"
                self._taken += 1
                if time.monotonic() >= due:
                    self.after_some()
                    due = time.monotonic() + _PAUSE
            else:
                yield line

    @override
    def deserialize_json(self, line: bytes | str) -> dict[str, Any]:
        """Decode a message; InvalidInputLine names the number of the line, never its content."""
        try:
            message = decode(line)
        except _UNREADABLE:
            line = cleaned(line) + b"\n" * _as_text(line).endswith("\n")
            message = self._repair(line)
        if not isinstance(message, dict):
            raise InvalidInputLine(f"Line {self.line} of the input is not a Singer message.")
        check(message, self.line)
        self.last_type, self._stream = message["type"], message.get("stream")
        if self.last_type == "STATE":  # Decimal cannot be written out again
            return json.loads(line, parse_float=self._double)  # type: ignore[no-any-return]  # json.loads gives Any
        return message

    def _repair(self, line: bytes) -> Any:
        """Decode a line that began with a byte-order mark, or has half of a surrogate pair in it."""
        try:
            return decode(line)
        except _UNREADABLE:
            repaired = _repaired(line)
        try:
            message = decode(repaired)
        except _UNREADABLE:
            if not repaired.endswith(b"\n"):
                raise CutOffError(
                    f"The input ends in the middle of line {self.line}: the tap was ended. "
                    "What came before is loaded; run again."
                ) from None
            raise InvalidInputLine(f"Line {self.line} of the input {reason(_as_text(line))}") from None
        if not self._repaired:
            logger.warning("Line %d holds half a surrogate pair; such halves are stored as U+FFFD.", self.line)
            self._repaired = True
        return message

    def _double(self, text: str) -> float:
        """Return a number of a state; InvalidInputLine for one that would be written as Infinity, which is no JSON."""
        if math.isinf(number := float(text)):
            raise InvalidInputLine(f"Line {self.line} of the input: the state holds a number beyond those of a double.")
        return number

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Raise InvalidInputLine with the names of the missing keys."""
        if not requires.issubset(line_dict):
            missing = ", ".join(sorted(requires.difference(line_dict)))
            raise InvalidInputLine(f"A {line_dict.get('type', 'Singer')} message lacks {missing}.")
