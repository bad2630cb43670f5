"""Properties of records that their schema lacks, and how much of their names a log may show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_duckdb.printable import is_name, named

if TYPE_CHECKING:
    import logging
    from collections.abc import Set as AbstractSet

_MOST = 10
"""Names a stream that are logged; where there are more, what a tap sends are no columns but keys of data."""


class UnknownProperties:
    """Tells of each property once that it is not loaded: of at most ten, and of nothing that may be a value."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._told_of_more = False

    def tell(self, stream: str, names: AbstractSet[str], logger: logging.Logger) -> None:
        """Log those of these names that have not been logged."""
        new = sorted(names - self._told)
        shown = [name for name in new if is_name(name)][: _MOST - len(self._told)]
        for name in shown:
            logger.warning(
                "stream %s: the schema lacks the property %s, which is not loaded.", named(stream), named(name)
            )
        self._told.update(shown)
        if len(shown) < len(new) and not self._told_of_more:
            self._told_of_more = True
            logger.warning("stream %s: the schema lacks more properties, which are not loaded.", named(stream))
