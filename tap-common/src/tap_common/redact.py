"""Rows without what may be a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Record

_SECRET = ("secret", "signing_key", "token", "password")


def redacted(row: Record, address: str) -> Record:
    """A row without fields that are named like a secret, and with only the public part of its address."""
    kept = {name: value for name, value in row.items() if not any(part in name.lower() for part in _SECRET)}
    return kept | {address: public(kept.get(address))}


def public(address: Any) -> str | None:
    """An address without its password and without what stands behind the `?` or the `#`; None for what is none."""
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
    except ValueError:
        return None
    if not parts.netloc:
        return None
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
