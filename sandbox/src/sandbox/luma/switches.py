"""The state of the simulated Luma: its switches, and the refusal of hidden and forbidden paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.luma.refusals import denied, not_found
from sandbox.projection import Projection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.world import World

CURRENT, LEGACY = "current", "legacy"
"""The two generations of endpoints."""


class Switches(Projection):
    """The switches of Luma; see LUMA.md for their meaning."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        super().__init__(world, clock)
        self.generations = {CURRENT, LEGACY}
        self.reset_in_seconds = False
        self.send_retry_after = True
        self.page_cap = 50
        self.cursor_bound_to_query = True
        self.cursor_by_position = False
        self.lingering_cursor = False
        self.organization_reads_events = False
        self.inclusive_bounds = False
        self.fuller_view = False
        self.blasts_carry_event_id = False
        self.legacy_guest_extras = False

    def check(self, subjects: Iterable[str]) -> None:
        """Refuse hidden (404) and forbidden (403) paths and events."""
        if self.hidden.intersection(subjects):
            raise not_found()
        if self.forbidden.intersection(subjects):
            raise denied()
