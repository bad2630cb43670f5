"""E-mail addresses as people type them."""

from __future__ import annotations


def as_typed(address: str, time: int) -> str:
    """Return an address as its owner types it for the n-th time: sometimes with capitals, sometimes with a space.

    No API documents that it normalizes either. An address that a test has chosen stays unchanged.
    """
    if not address.startswith("client"):
        return address
    spelt = address.title() if time % 3 == 0 else address
    return (f"{spelt} ", f" {spelt}")[time % 2] if time % 5 == 0 else spelt
