"""The company, with everything that can happen to it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sandbox.world.contacts import Contacts
from sandbox.world.documents import Documents
from sandbox.world.people import People

if TYPE_CHECKING:
    from sandbox.world import records as r


class Company(People, Documents, Contacts):
    """A company, its hosts, their meetings and their guests."""

    def __init__(self, seed: int, scale: str) -> None:
        super().__init__(seed, scale)
        self.group_meetings: defaultdict[str, list[r.Meeting]] = defaultdict(list)
        """Group meetings to come, by the id of their event type."""
        self.known_emails: set[str] = set()
        """Addresses of guests who became contacts by chance."""
