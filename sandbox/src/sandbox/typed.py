"""Mail addresses as people type them."""

from __future__ import annotations


def as_typed(address: str, time: int) -> str:
    """Write an address as its owner types it for the n-th time: some with capitals, some with a blank around it.

    No API says that it corrects either; a mail arrives all the same. An address that a test has made up is left alone.
    """
    if not address.startswith("client"):
        return address
    spelt = address.title() if time % 3 == 0 else address
    return (f"{spelt} ", f" {spelt}")[time % 2] if time % 5 == 0 else spelt
