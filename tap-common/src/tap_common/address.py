"""Addresses that are rows' values, without what may be a secret in them."""

from __future__ import annotations

from urllib.parse import urlsplit


def public(address: str | None) -> str | None:
    """An address without its password and without what stands behind the `?` or the `#`; None for none."""
    if not address:
        return None
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
