"""Properties of records that their schema lacks, and how much of their names a log may show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_duckdb.printable import is_name, quoted

if TYPE_CHECKING:
    import logging
    from collections.abc import Set as AbstractSet

_MOST = 10
"""Names of a stream that are logged; with more of them, a tap sends no columns but keys of data."""


class UnknownProperties:
    """Logs once per property that it is not loaded: for at most ten, and for none whose name may be a value."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._told_of_more = False

    def warn(self, stream: str, names: AbstractSet[str], logger: logging.Logger) -> None:
        """Log those of these names that have not been logged."""
        new = sorted(names - self._told)
        shown = [name for name in new if is_name(name)][: _MOST - len(self._told)]
        for name in shown:
            logger.warning(
                "stream %s: property %s is not in the schema, and is not loaded.", quoted(stream), quoted(name)
            )
        self._told.update(shown)
        if len(shown) < len(new) and not self._told_of_more:
            self._told_of_more = True
            logger.warning("stream %s: more properties are not in the schema, and are not loaded.", quoted(stream))
