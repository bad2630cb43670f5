"""Endpoints, their query parameters, and parsed requests."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sandbox import projection
from sandbox.savvycal.keys import Key
from sandbox.savvycal.refusals import invalid
from sandbox.savvycal.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.http import Row
    from sandbox.savvycal.paging import Listing

MOST_PER_PAGE = 100
DEFAULT_PER_PAGE = 20
STATES = (
    "all",
    "confirmed",
    "canceled",
    "awaiting_reschedule",
    "awaiting_checkout",
    "checkout_expired",
    "awaiting_approval",
    "declined",
    "tentative",
)
DATE = re.compile(r"\d{4}-\d\d-\d\d")


def one_of(*values: str) -> Callable[[str], str]:
    """Return a parser of one of several values."""

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError("is invalid")
        return text

    return parse


def boolean(text: str) -> bool:
    """Parse true or false."""
    return one_of("true", "false")(text) == "true"


def a_date(text: str) -> date:
    """Parse a date (SavvyCal: exactly YYYY-MM-DD)."""
    if not DATE.fullmatch(text):
        raise ValueError("is invalid")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is invalid") from None


def an_instant(text: str) -> datetime:
    """Parse an ISO 8601 time; without an offset it is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is invalid") from None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def link_id(text: str) -> str:
    """Parse a link's id."""
    if not text.startswith("link_"):
        raise ValueError("is invalid")
    return text


def page_size(text: str) -> int:
    """Parse the page size (SavvyCal: 1 to 100)."""
    if not re.fullmatch(r"-?\d+", text):
        raise ValueError("is invalid")
    if int(text) < 1:
        raise ValueError("must be greater than or equal to 1")
    if int(text) > MOST_PER_PAGE:
        raise ValueError(f"must be less than or equal to {MOST_PER_PAGE}")
    return int(text)


PAGING: Mapping[str, Callable[[str], Any]] = {"limit": page_size, "after": str, "before": str}
EVENTS: Mapping[str, Callable[[str], Any]] = {
    "state": one_of(*STATES),
    "period": one_of("upcoming", "past", "all", "fixed"),
    "from": a_date,
    "until": a_date,
    "direction": one_of("asc", "desc"),
    "attendance": one_of("attending", "any"),
    "link": link_id,
}
LINKS: Mapping[str, Callable[[str], Any]] = {"state": one_of("active", "disabled")}
ZONE: Mapping[str, Callable[[str], Any]] = {"instant": an_instant}
ZONES: Mapping[str, Callable[[str], Any]] = {**ZONE, "include_legacy": boolean}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint: its stream, path, function and parameters.

    `answer` returns a listing (paged), a list (a bare array) or a dict (one object). If the stream has a list for each
    record of another one, `parent` is that stream, and the column for the parent's id in the truth.
    """

    stream: str
    path: str
    answer: Callable[[Call], Listing | list[Row] | Row]
    params: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    paged: bool = False
    parent: tuple[str, str] | None = None

    @property
    def known(self) -> Mapping[str, Callable[[str], Any]]:
        """Parsers of the known parameters; SavvyCal ignores any other."""
        return {**self.params, **PAGING} if self.paged else self.params

    def read(self, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return the parsed parameters of a query; of a repeated one the last value counts.

        Raises:
            Refusal: a value is invalid.
        """
        known = self.known
        args: dict[str, Any] = {}
        for name, text in dict(query).items():
            if name in known:
                try:
                    args[name] = known[name](text)
                except ValueError as error:
                    raise invalid(name, str(error)) from None
        return args


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(projection.Call[Switches, Key]):
    """A valid request to an endpoint."""

    endpoint: Endpoint
    path: Mapping[str, str]

    @classmethod
    def of(
        cls, api: Switches, key: Key, endpoint: Endpoint, path: Mapping[str, str], query: Sequence[tuple[str, str]]
    ) -> Call:
        """Check switches and parameters, and return the call.

        Raises:
            Refusal: one of them forbids the request.
        """
        api.check(endpoint.path.replace(":path", "").format(**path))
        return cls(api=api, key=key, endpoint=endpoint, path=path, args=endpoint.read(query))
