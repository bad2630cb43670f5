"""The state of the simulated SavvyCal: its switches, and the refusal of hidden and forbidden paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.projection import Projection
from sandbox.savvycal.refusals import forbidden, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.world import World


class Switches(Projection):
    """The switches of SavvyCal; see SAVVYCAL.md for their meaning."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        super().__init__(world, clock)
        self.time_zones_need_key = True
        self.links_list_all = True
        self.from_zone: str | None = None
        self.until_inclusive = False
        self.from_alone_refused = False
        self.fixed_refused = False
        self.send_uuid = True
        self.keep_dropped = False

    def check(self, path: str) -> None:
        """Refuse hidden (404) and forbidden (403) paths, and everything below them."""
        for subjects, refusal in ((self.hidden, not_found), (self.forbidden, forbidden)):
            for subject in subjects:
                if f"{path}/".startswith(f"/{subject.strip('/')}/"):
                    raise refusal()
