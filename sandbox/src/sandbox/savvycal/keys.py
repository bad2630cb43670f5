"""The tokens that the sandbox knows. None of them is a secret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """A token: the seat of its owner in the world; `everybody` if the owner's teams are the whole company."""

    name: str
    seat: str
    everybody: bool = False
    expired: bool = False


KEYS = {
    key.name: key
    for key in (
        Key("sandbox-admin", "owner", everybody=True),
        Key("sandbox-member", "member"),
        Key("sandbox-expired", "owner", expired=True),
    )
}
