"""Endpoints, their query parameters, and parsed requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox import projection
from sandbox.luma.keys import Key
from sandbox.luma.refusals import denied, invalid, not_found
from sandbox.luma.switches import CURRENT, Switches
from sandbox.luma.text import event_id, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sandbox.http import Row
    from sandbox.luma.listing import Listing
    from sandbox.world.gatherings import Gatherings
    from sandbox.world.gatherings import records as g

DIRECTIONS = ("asc", "desc", "asc nulls last", "desc nulls last")


@dataclass(frozen=True, slots=True)
class Param:
    """A query parameter; `parse` raises ValueError.

    `many` may be repeated (Luma: arrays are repeated keys); `commas` holds several values in one.
    """

    parse: Callable[[str], Any] = str
    required: bool = False
    many: bool = False
    commas: bool = False


def one_of(*values: str) -> Callable[[str], str]:
    """Return a parser of one of several values."""

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"must be one of {', '.join(values)}")
        return text

    return parse


def boolean(text: str) -> bool:
    """Parse true or false."""
    return one_of("true", "false")(text) == "true"


def page_size(text: str) -> int:
    """Parse the page size; the pager caps it."""
    if not text.isdecimal() or not int(text):
        raise ValueError("must be a positive number")
    return int(text)


PAGING: Mapping[str, Param] = {"pagination_cursor": Param(), "pagination_limit": Param(page_size)}
TIMES: Mapping[str, Param] = {"before": Param(moment), "after": Param(moment)}
DIRECTION: Mapping[str, Param] = {"sort_direction": Param(one_of(*DIRECTIONS))}
EVENT: Mapping[str, Param] = {"event_id": Param(required=True)}


def sort_by(*columns: str) -> Mapping[str, Param]:
    """Return the parameters of a list that can be sorted."""
    return {"sort_column": Param(one_of(*columns)), **DIRECTION}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint: its path, parameters and function.

    `name` is the name of the stream that reads it, if there is
    one. `answer` returns a listing (paged), a list (`entries` at
    once) or a single object. `scope` is the key that it requires: a calendar's, an event's calendar's, the
    organization's, or any. `wrap` makes the older generation's row from a row and its record; `aliases` are older
    names of parameters.
    """

    name: str
    path: str
    answer: Callable[[Call], Listing | list[Row] | Row]
    params: Mapping[str, Param] = field(default_factory=dict)
    scope: str = "calendar"
    generations: frozenset[str] = frozenset({CURRENT})
    wrap: Callable[[Switches, Row, Any], Row] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    entries: str = "entries"
    tells_more: bool = False

    def read(self, query: Sequence[tuple[str, str]]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Return the parsed parameters of a query, and its known parameters in order. Unknown ones are ignored.

        Raises:
            Refusal: a parameter is invalid, missing, or given twice.
        """
        args: dict[str, Any] = {}
        known = []
        for raw, text in query:
            name = self.aliases.get(raw, raw)
            param = self.params.get(name)
            if param is None:
                continue
            if name != "pagination_cursor":
                known.append((name, text))
            try:
                values = [param.parse(part) for part in (text.split(",") if param.commas else [text])]
            except ValueError as error:
                raise invalid(raw, str(error)) from error
            if param.many:
                args[name] = args.get(name, []) + values
            elif args.setdefault(name, values[0]) != values[0]:
                raise invalid(raw, "takes one value")
        for name, param in self.params.items():
            if param.required and not args.get(name):
                raise invalid(name, "is required")
        return args, sorted(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(projection.Call[Switches, Key]):
    """A valid request to an endpoint."""

    endpoint: Endpoint
    path: str

    @property
    def gs(self) -> Gatherings:
        """Public events of the world, with everything around them."""
        return self.api.world.gatherings

    @property
    def calendar(self) -> g.Calendar:
        """The key's calendar."""
        if self.key.calendar is None:
            raise denied("This endpoint needs a calendar API key.")
        return list(self.gs.calendars.values())[self.key.calendar]

    def check(self) -> None:
        """Refuse hidden (404) and forbidden (403) paths and events, and the wrong kind of key (403)."""
        parts = self.path.strip("/").split("/")
        subjects = ["/" + "/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        subjects += [value for name, value in self.args.items() if name == "event_id"]
        self.api.check(subjects)
        if self.endpoint.scope == "calendar":
            _ = self.calendar
        elif self.endpoint.scope == "organization" and self.key.calendar is not None:
            raise denied("This endpoint needs an organization API key.")
        elif self.endpoint.scope == "event" and self.key.calendar is None and not self.api.organization_reads_events:
            raise denied("This endpoint needs a calendar API key.")

    def manages(self, gathering: g.Gathering) -> bool:
        """Return True if the key gives access to an event, and not only to its entry in a list."""
        if gathering.external is not None:
            return False
        if self.key.calendar is None:
            return gathering.calendar.ours
        listing = gathering.listing(self.calendar)
        return gathering.calendar is self.calendar and listing is not None and listing.status != "rejected"

    def event(self) -> g.Gathering:
        """Return the requested event.

        Raises:
            Refusal: there is none (404), or the key's calendar does not run it (403).
        """
        reference: str = self.args["event_id"]
        found = self.gs.gatherings.get(reference.removeprefix("evt-")) if reference.startswith("evt-") else None
        if found is None and reference.startswith("calev-"):
            found = next((one for one in self.gs.gatherings.values() if event_id(one) == reference), None)
        if found is None:
            raise not_found()
        return self.managed(found)

    def managed(self, gathering: g.Gathering) -> g.Gathering:
        """Return an event if the key may see its guests.

        Raises:
            Refusal: it may not.
        """
        if not self.manages(gathering):
            raise denied("You don't have access to this event.")
        return gathering

    def rows(self, name: str, rows: Iterable[Row]) -> list[Row]:
        """Return the rows of a stream with its extra fields."""
        return [self.api.enrich(name, row) for row in rows]
