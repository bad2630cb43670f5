"""Lines of the log, whichever library writes them; `tap_common` has its own of the same behaviour."""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from singer_sdk.metrics import Point

from target_duckdb.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 4000
"""Characters of a line."""
# The SDK's logger that repeats the expressions of stream maps.
_VERBOSE = "singer_sdk.mapper"


@contextmanager
def one_line_each(log: logging.Logger) -> Iterator[None]:
    """Log every record of every logger as one line without control characters, while the block lasts.

    Code that shows text from outside uses `quoted`; this covers the SDK and other libraries. The text of their errors
    may quote a record, so it is logged at DEBUG only.
    """
    make, mapper = logging.getLogRecordFactory(), logging.getLogger(_VERBOSE)
    level, detailed = mapper.level, log.isEnabledFor(logging.DEBUG)

    def make_printable(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return _one_line(make(*args, **kwargs), detailed=detailed)

    logging.setLogRecordFactory(make_printable)
    if not detailed:
        mapper.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)
        mapper.setLevel(level)


def _one_line(record: logging.LogRecord, *, detailed: bool) -> logging.LogRecord:
    record.name = printable(record.name)  # a sink's logger has the name of its stream
    if isinstance(record.args, tuple) and any(isinstance(one, Point) for one in record.args):
        return record  # a metric, which the SDK recognises by its arguments
    try:
        text = record.getMessage()
    except (TypeError, ValueError):
        text = str(record.msg)
    record.msg, record.args = printable(text, LONGEST), ()
    if record.exc_info and record.exc_info[1]:
        if detailed:
            record.exc_text = format_traceback(record.exc_info[1])  # a formatter prefers it to its own
        else:
            record.exc_info = None
    return record


def format_traceback(error: BaseException) -> str:
    """Return the traceback of an error, indented so that no line of it looks like one of the log."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(f"  {printable(line, LONGEST)}" for line in lines)
