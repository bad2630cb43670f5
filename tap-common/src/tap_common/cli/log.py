"""The log: one printable line per record, whichever library writes it."""

from __future__ import annotations

import logging
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from singer_sdk.metrics import Point

from tap_common.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 4000
"""Maximum number of characters in a line."""
# It logs invalid headers, and whole URLs.
_TALKATIVE = "urllib3"


@contextmanager
def one_line_each(log: logging.Logger) -> Iterator[None]:
    """Make every log record of every logger one printable line within the block.

    The project's own messages use `quoted` for text from outside; messages of other libraries do not. The tracebacks
    that they add, which may quote a response, are logged only at DEBUG.
    """
    make, theirs = logging.getLogRecordFactory(), logging.getLogger(_TALKATIVE)
    level, detailed = theirs.level, log.isEnabledFor(logging.DEBUG)

    def made(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return _one_line(make(*args, **kwargs), detailed=detailed)

    logging.setLogRecordFactory(made)
    if not detailed:
        theirs.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)
        theirs.setLevel(level)


def _one_line(record: logging.LogRecord, *, detailed: bool) -> logging.LogRecord:
    if isinstance(record.args, tuple) and any(isinstance(one, Point) for one in record.args):
        return record  # a metric, which the SDK recognizes by its arguments
    try:
        message = record.getMessage()
    except (TypeError, ValueError):
        message = str(record.msg)
    record.msg, record.args = printable(message, LONGEST), ()
    if record.exc_info and record.exc_info[1]:
        if detailed:
            record.exc_text = traced(record.exc_info[1])  # formatters use it instead of their own
        else:
            record.exc_info = None
    return record


def traced(error: BaseException) -> str:
    """Return the traceback of an error, indented so that no line looks like a log record."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(f"  {printable(line, LONGEST)}" for line in lines)


@contextmanager
def quiet(log: logging.Logger) -> Iterator[None]:
    """Drop this thread's log records below WARNING within the block, unless the log level is DEBUG.

    The SDK logs several lines of no use while it creates a tap.
    """
    this = threading.get_ident()

    def important(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or record.thread != this or log.isEnabledFor(logging.DEBUG)

    log.addFilter(important)
    try:
        yield
    finally:
        log.removeFilter(important)
