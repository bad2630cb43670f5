"""Singer messages from standard input, with every number exact and no content in an error."""

from __future__ import annotations

import json
import logging
import re
import sys
from decimal import Decimal
from typing import IO, Any

import msgspec
from singer_sdk.singerlib.encoding import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_duckdb.errors import CutOffError

logger = logging.getLogger("target-duckdb")

decode = msgspec.json.Decoder(float_hook=Decimal).decode
"""JSON to Python; numbers with a fraction or an exponent become Decimal, all integers int."""

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class MessageReader(GenericSingerReader[bytes]):
    """Reads messages one line at a time, and knows which one came last.

    Attributes:
        last_type: Type of the last message, empty before the first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.last_type = ""
        self._line = 0
        self._repaired = False

    @property
    @override
    def default_input(self) -> IO[bytes]:
        """Standard input, as bytes: the encoding is UTF-8 whatever the locale says."""
        return sys.stdin.buffer

    @override
    def deserialize_json(self, line: bytes | str) -> dict[str, Any]:
        """Decode a message; InvalidInputLine names the number of the line, never its content."""
        self._line += 1
        try:
            message = decode(line)
        except (msgspec.DecodeError, UnicodeError):
            message = self._repair(line)
        if not isinstance(message, dict):
            raise InvalidInputLine(f"Line {self._line} of the input is not a Singer message.")
        self.last_type = message.get("type", "")
        if self.last_type == "STATE":  # Decimal cannot be written out again
            return json.loads(line)  # type: ignore[no-any-return]  # json.loads gives Any
        return message

    def _repair(self, line: bytes | str) -> Any:
        """Decode a line with half of a surrogate pair in it, which no UTF-8 text can hold, as U+FFFD."""
        raw = line.encode() if isinstance(line, str) else line
        repaired = _ESCAPE.sub(lambda match: b"\\ufffd" if match[1] else match[0], raw)
        try:
            message = decode(repaired)
        except (msgspec.DecodeError, UnicodeError):
            if not raw.endswith(b"\n"):
                raise CutOffError(
                    f"The input ends in the middle of line {self._line}: the tap was ended. "
                    "What came before is loaded; run again."
                ) from None
            raise InvalidInputLine(f"Line {self._line} of the input is not JSON in UTF-8.") from None
        if not self._repaired:
            logger.warning("Line %d holds half a surrogate pair; such halves are stored as U+FFFD.", self._line)
            self._repaired = True
        return message

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Raise InvalidInputLine with the names of the missing keys."""
        if not requires.issubset(line_dict):
            missing = ", ".join(sorted(requires.difference(line_dict)))
            raise InvalidInputLine(f"A {line_dict.get('type', 'Singer')} message lacks {missing}.")
