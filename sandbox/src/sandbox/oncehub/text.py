"""Ids and times in OnceHub's notation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.world import records as r
    from sandbox.world.desk import Desk

LENGTH = 12


def ref(prefix: str, record_id: str) -> str:
    """Return the id that OnceHub gives a record."""
    return f"{prefix}-{record_id.replace('-', '').upper()[:LENGTH]}"


def user_ref(desk: Desk, person: r.Person) -> str:
    """Return a user's id: that of the invitation, if one was accepted."""
    return ref("USR", desk.invited[person.id].id if person.id in desk.invited else person.id)


def stamp(moment: datetime, *, brief: bool = False) -> str:
    """Write a time in UTC, without milliseconds if `brief`: both forms occur."""
    return moment.isoformat(timespec="seconds" if brief else "milliseconds")[:-6] + "Z"


def shown(moment: datetime, *, brief: bool = False) -> datetime:
    """Return the time that `stamp` writes."""
    return moment.replace(microsecond=0 if brief else moment.microsecond // 1000 * 1000)
