"""Ids and times in SavvyCal's notation."""

from __future__ import annotations

import hashlib
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.world import records as r

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def base32(number: int, length: int) -> str:
    """Write a number in Crockford's base 32, with a fixed number of digits."""
    return "".join(CROCKFORD[number >> 5 * place & 31] for place in reversed(range(length)))


@lru_cache(maxsize=200_000)
def new_id(prefix: str, at: datetime, name: str) -> str:
    """Return a prefixed ULID: milliseconds since 1970, and 80 bits that are a digest of prefix and `name`."""
    digest = hashlib.blake2b(f"{prefix}/{name}".encode(), digest_size=10).digest()
    return f"{prefix}_{base32(int(at.timestamp() * 1000), 10)}{base32(int.from_bytes(digest), 16)}"


def id_of(prefix: str, record: r.Record) -> str:
    """Return the id of a record."""
    return new_id(prefix, record.created_at, record.id)


@lru_cache(maxsize=200_000)
def uuid_of(name: str) -> str:
    """Return the uuid of an event, its second id."""
    digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=4))


def stamp(moment: datetime) -> str:
    """Write a time in UTC with a Z; fractions only where there are any."""
    return moment.isoformat()[:-6] + "Z"


def local(moment: datetime, zone: str | None) -> str:
    """Write a time with the offset of a zone, or in UTC with a Z if there is none."""
    return stamp(moment) if zone is None else moment.astimezone(ZoneInfo(zone)).isoformat()


def maybe(moment: datetime | None) -> str | None:
    """Write a time that may be missing."""
    return None if moment is None else stamp(moment)
