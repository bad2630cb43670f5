"""The API keys that the sandbox knows. None of them is a secret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """A key: of one calendar (the `calendar`-th of the world), or of the whole organization (None).

    `seat` is the seat of its creator in the world; `plus` is the subscription that the API requires.
    """

    name: str
    calendar: int | None
    seat: str
    plus: bool = True

    @property
    def limit(self) -> int:
        """Requests per minute (Luma: 200 for a calendar, 500 for an organization)."""
        return 500 if self.calendar is None else 200


ADMIN = Key("sandbox-admin", 0, "owner")
SECOND = Key("sandbox-second", 1, "admin")
NO_PLUS = Key("sandbox-noplus", 2, "group_admin", plus=False)
ORGANIZATION = Key("sandbox-organization", None, "owner")
KEYS = {key.name: key for key in (ADMIN, SECOND, NO_PLUS, ORGANIZATION)}
