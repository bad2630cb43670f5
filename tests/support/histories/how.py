"""The circumstances of a run in a history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from history import History


@dataclass(frozen=True)
class How:
    """The circumstances of a run: none."""

    def run(self, history: History) -> None:
        """Make the run."""
        history.sync()
