"""Fields of rows that the schema does not know, and how much of their names a log may show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

_MOST = 10
"""Names a stream that are logged; where there are more, what the API sends are no fields but keys of its own."""
# How an API names its fields. What is named otherwise, such as by a mail address, may be somebody's data.
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_.:$-]{0,63}")


class UnknownFields:
    """Says of each field once that it is new; of a stream at most ten, and nothing that may be a value.

    `log` takes a format and what goes into it.
    """

    def __init__(self, stream: str, log: Callable[..., None]) -> None:
        self._stream = stream
        self._log = log
        self._said: set[str] = set()
        self._said_more = False

    def say(self, names: AbstractSet[str]) -> None:
        """Log those of these names that have not been logged."""
        new = sorted(names - self._said)
        shown = [name for name in new if _NAME.fullmatch(name)][: _MOST - len(self._said)]
        for name in shown:
            self._log("Field `%s` of `%s` is new to this version; it is kept in `_extra`.", name, self._stream)
        self._said.update(shown)
        if len(shown) < len(new) and not self._said_more:
            self._said_more = True
            self._log("More fields of `%s` are new to this version; they are kept in `_extra`.", self._stream)
