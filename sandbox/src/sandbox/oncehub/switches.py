"""The state of the simulated OnceHub: its switches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.projection import Projection

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.world import World


class Switches(Projection):
    """The switches of OnceHub; see ONCEHUB.md for their meaning."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        super().__init__(world, clock)
        self.send_link = True
        self.send_has_more = True
        self.after_deleted_anchor = "refuse"
        self.anchor_must_match = True
        self.list_deleted_stubs = False
        self.list_expand_prefix = True
        self.many_statuses = False
        self.day_granular_filters = False
        self.trash_moves_update_time = False
        self.reassignment_moves_update_time = True
        self.approval_moves_update_time = True
        self.declined_status = "canceled"
        self.send_rescheduled_booking_id = False
        self.several_durations = "null"

    @property
    def silent_causes(self) -> set[str]:
        """Kinds of change that do not move a booking's update time."""
        switches = {
            "trash": self.trash_moves_update_time,
            "reassignment": self.reassignment_moves_update_time,
            "approval": self.approval_moves_update_time,
        }
        return {cause for cause, moves in switches.items() if not moves}
