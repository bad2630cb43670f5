"""The API keys that the sandbox knows. None of them is a secret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the account's owner. `sms` and `api` are features of the account's plan."""

    name: str
    seat: str = "owner"
    sms: bool = True
    api: bool = True


KEYS = {
    key.name: key for key in (Key("sandbox-admin"), Key("sandbox-nosms", sms=False), Key("sandbox-noapi", api=False))
}
