"""How SavvyCal writes ids and times, and how it says no."""

from __future__ import annotations

import hashlib
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.world import records as r

Row = dict[str, Any]
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def base32(number: int, length: int) -> str:
    """Write a number with so many of Crockford's digits."""
    return "".join(CROCKFORD[number >> 5 * place & 31] for place in reversed(range(length)))


@lru_cache(maxsize=200_000)
def new_id(prefix: str, at: datetime, name: str) -> str:
    """Return a prefixed ULID: milliseconds since 1970 and 80 bits, which are a digest of what `name` names."""
    digest = hashlib.blake2b(f"{prefix}/{name}".encode(), digest_size=10).digest()
    return f"{prefix}_{base32(int(at.timestamp() * 1000), 10)}{base32(int.from_bytes(digest), 16)}"


def id_of(prefix: str, record: r.Record) -> str:
    """Return the id of a record."""
    return new_id(prefix, record.created_at, record.id)


@lru_cache(maxsize=200_000)
def uuid_of(name: str) -> str:
    """Return the other id of an event."""
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


class Refusal(Exception):  # noqa: N818 -- an answer, not an error of ours
    """An answer other than the one asked for; a string is sent as plain text."""

    def __init__(self, status: int, body: Row | str, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def invalid(parameter: str, message: str) -> Refusal:
    """Return the refusal of a parameter's value (SavvyCal: 422 with messages by parameter)."""
    return Refusal(422, {"errors": {parameter: [message]}})


def unauthenticated() -> Refusal:
    """Return the refusal of a missing, unknown or expired token (SavvyCal: 401, one word of plain text)."""
    return Refusal(401, "Unauthenticated")


def not_found() -> Refusal:
    """Return the refusal of what does not exist, or not for this caller (SavvyCal: 404; its body is unverified)."""
    return Refusal(404, "Not Found")


def forbidden() -> Refusal:
    """Return the refusal of what a test has forbidden."""
    return Refusal(403, "Forbidden")
