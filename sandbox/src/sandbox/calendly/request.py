"""Endpoints, their query parameters, and parsed requests."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox import projection
from sandbox.calendly.keys import Key
from sandbox.calendly.refusals import denied, invalid, lacks_scope, not_found, upgrade
from sandbox.calendly.switches import Switches
from sandbox.calendly.text import API, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.calendly.listing import Listing
    from sandbox.world import records as r

MOST_PER_PAGE = 100
PLANS = ("free", "standard", "enterprise")
"""Plans, the smallest first."""


@dataclass(frozen=True, slots=True)
class Param:
    """A query parameter. `parse` raises ValueError; `many` is the number of times that it may be repeated.

    `commas` is the number of comma-separated values that it may hold. Of such a parameter only the last one counts.
    """

    parse: Callable[[str], Any]
    required: bool = False
    many: int = 0
    commas: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a record by its address."""

    uri: str
    id: str


def reference(kind: str) -> Callable[[str], Reference]:
    """Return a parser of an address (Calendly: references in queries are full addresses, never bare ids)."""
    pattern = re.compile(rf"{re.escape(API)}/{kind}/([A-Za-z0-9_-]+)")

    def parse(text: str) -> Reference:
        match = pattern.fullmatch(text)
        if not match:
            raise ValueError("is not a valid URI")
        return Reference(text, match[1])

    return parse


def one_of(*values: str) -> Callable[[str], str]:
    """Return a parser of one of several values."""

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError("is not included in the list")
        return text

    return parse


def sort_by(*fields: str) -> Callable[[str], tuple[str, bool]]:
    """Return a parser of `field:asc` and `field:desc`; its second value is True for descending."""

    def parse(text: str) -> tuple[str, bool]:
        name, _, direction = text.partition(":")
        if name not in fields or direction not in {"", "asc", "desc"}:
            raise ValueError("is invalid")
        return name, direction == "desc"

    return parse


def boolean(text: str) -> bool:
    """Parse true or false."""
    return one_of("true", "false")(text) == "true"


def page_size(text: str) -> int:
    """Parse the page size (Calendly: count outside 1..100 is refused)."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST_PER_PAGE:
        raise ValueError(f"must be between 1 and {MOST_PER_PAGE}")
    return int(text)


PAGING: Mapping[str, Param] = {"count": Param(page_size), "page_token": Param(str)}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint: its path, scope, parameters and function.

    `name` is the name of the stream that reads it, if there is one; `rows` is the stream of its rows, if that differs.
    `answer` returns a listing (paged), a list (a collection without paging) or a dict (a single resource). `plan` is
    the smallest plan that has it.
    """

    name: str
    path: str
    scope: str
    answer: Callable[[Call], Listing | list[dict[str, Any]] | dict[str, Any]]
    params: Mapping[str, Param] = field(default_factory=dict)
    paged: bool = False
    plan: str = "free"
    rows: str = ""

    @property
    def stream(self) -> str:
        """Name of the stream that has the rows of this endpoint."""
        return self.rows or self.name

    def read(self, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Return the parsed parameters of a query.

        Raises:
            Refusal: a parameter is unknown, repeated, invalid or missing. Calendly refuses unknown parameters on
            strict endpoints; the sandbox does on all, so that a typo is found.
        """
        params = {**self.params, **PAGING} if self.paged else self.params
        args: dict[str, Any] = {}
        for raw, text in query:
            name = raw.removesuffix("[]")
            param = params.get(name)
            if param is None or (raw != name and not param.many):
                raise invalid(raw, "is not allowed")
            try:
                value = [param.parse(one) for one in text.split(",")] if param.commas else param.parse(text)
            except ValueError as error:
                raise invalid(name, str(error)) from None
            if param.many:
                values = args.setdefault(name, [])
                values.append(value)
                if len(values) > param.many:
                    raise invalid(name, f"has more than {param.many} values")
            elif param.commas and len(value) > param.commas:
                raise invalid(name, f"has more than {param.commas} values")
            elif name in args and not param.commas:
                raise invalid(name, "is given twice")
            else:
                args[name] = value
        for name, param in params.items():
            if param.required and name not in args:
                raise invalid(name, "is missing")
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
        """Check plan, scope, parameters and switches, and return the call.

        Raises:
            Refusal: one of them forbids the request.
        """
        if PLANS.index(api.plan) < PLANS.index(endpoint.plan):
            raise upgrade()
        if endpoint.scope not in key.scopes:
            raise lacks_scope(endpoint.scope, api.scope_refusal)
        call = cls(api=api, key=key, endpoint=endpoint, path=path, args=endpoint.read(query))
        call.check_switches(endpoint.path.format(**path))
        return call

    def own_organization(self, name: str = "organization") -> None:
        """Refuse any other organization than the caller's (Calendly: 403)."""
        reference: Reference | None = self.args.get(name)
        if reference and reference.id != self.world.organization.id:
            raise denied()

    def as_admin(self) -> None:
        """Refuse everybody but owners and admins (Calendly: organization-wide reads need the role)."""
        self.own_organization()
        if not self.key.admin:
            raise denied()

    def member(self, name: str = "user") -> r.Person:
        """Return the requested user, who must be in the organization (Calendly: 403)."""
        reference: Reference = self.args[name]
        person = self.world.people.get(reference.id)
        if person is None or not any(one.person is person for one in self.world.memberships.values()):
            raise denied("This user is not in your organization")
        return person

    def check_switches(self, path: str) -> None:
        """Refuse hidden (404) and forbidden (403) addresses, and everything below them."""
        if not (self.api.hidden or self.api.forbidden):
            return
        parts = path.strip("/").split("/")
        subjects = [f"{API}/{'/'.join(parts[:length])}" for length in range(2, len(parts) + 1, 2)]
        for value in self.args.values():
            values = value if isinstance(value, list) else [value]
            subjects += [one.uri for one in values if isinstance(one, Reference)]
        for subject in subjects:
            if subject in self.api.forbidden:
                raise denied("You are not allowed to view this event")
            if subject in self.api.hidden:
                raise not_found()


ORGANIZATION = reference("organizations")
USER = reference("users")
GROUP = reference("groups")
TIME = moment
