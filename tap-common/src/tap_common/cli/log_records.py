"""Lines of a log, whichever library writes them."""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from singer_sdk.metrics import Point

from tap_common.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 4000
"""Characters of a line."""
# It quotes headers that it cannot read, and whole addresses.
_TALKATIVE = "urllib3"


@contextmanager
def one_line_each(log: logging.Logger) -> Iterator[None]:
    """Have every record of every logger be one line that acts on no terminal, while the block lasts.

    This stands behind the places that know what is text from outside and show it with `quoted`: other libraries do
    not. What they add of an error, which may quote an answer, is logged at DEBUG alone.
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
        return record  # a metric, which the SDK knows by its arguments
    try:
        said = record.getMessage()
    except (TypeError, ValueError):
        said = str(record.msg)
    record.msg, record.args = printable(said, LONGEST), ()
    if record.exc_info and record.exc_info[1]:
        if detailed:
            record.exc_text = traced(record.exc_info[1])  # which a formatter takes in the place of its own
        else:
            record.exc_info = None
    return record


def traced(error: BaseException) -> str:
    """Return the traceback of an error; no line of its text can be taken for one of the log."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(f"  {printable(line, LONGEST)}" for line in lines)
