"""The API keys that the sandbox knows. None of them is a secret."""

from __future__ import annotations

from dataclasses import dataclass

PERSONAL_SCOPES = frozenset(
    {
        "users:read",
        "organizations:read",
        "groups:read",
        "event_types:read",
        "availability:read",
        "scheduled_events:read",
        "routing_forms:read",
        "locations:read",
        "contacts:read",
        "meeting_recaps:read",
        "activity_log:read",
        "outgoing_communications:read",
        "webhooks:read",
    }
)
"""Every scope that Calendly documents for reading."""


@dataclass(frozen=True, slots=True)
class Key:
    """A bearer token: the seat of its owner in the world, the owner's role, and its scopes."""

    token: str
    seat: str
    role: str
    scopes: frozenset[str] = PERSONAL_SCOPES
    expired: bool = False

    @property
    def name(self) -> str:
        """Name in the request log."""
        return self.token

    @property
    def admin(self) -> bool:
        """True if the key sees the whole organization."""
        return self.role in {"owner", "admin"}


ADMIN = Key("sandbox-admin", "owner", "owner")
MEMBER = Key("sandbox-member", "member", "user")
GROUP_ADMIN = Key("sandbox-groupadmin", "group_admin", "user")
NARROW = Key("sandbox-narrow", "admin", "admin", PERSONAL_SCOPES - {"routing_forms:read", "contacts:read"})
EXPIRED = Key("sandbox-expired", "owner", "owner", expired=True)
KEYS = {key.token: key for key in (ADMIN, MEMBER, GROUP_ADMIN, NARROW, EXPIRED)}

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 -- opens nothing but this sandbox
REFRESH_TOKEN = "sandbox-refresh"  # noqa: S105 -- opens nothing but this sandbox
