"""Collections, their query parameters, and parsed queries."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from operator import gt, lt
from typing import TYPE_CHECKING, Any

from sandbox.oncehub.refusals import invalid
from sandbox.oncehub.text import ref

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sandbox.http import Row
    from sandbox.oncehub.switches import Switches

Key = tuple[datetime, int]

MOST_PER_PAGE = 100
DEFAULT_PER_PAGE = 10
DEEPEST = 2
DATE = re.compile(r"\d{4}-\d\d-\d\d")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)")


@dataclass(frozen=True, slots=True)
class Gone:
    """A deleted object, which a list may still show as a stub."""

    ref: str
    key: Key
    at: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """An equality filter. `keep` returns the condition for a value; `allowed` are the only valid values, if any."""

    keep: Callable[[Switches, str], Callable[[Any], bool]]
    allowed: tuple[str, ...] = ()


def by_age(_: Switches, record: Any) -> Key:
    """Return the time of creation and the serial number, which breaks a tie."""
    return record.created_at, record.serial


def nothing(_: Switches) -> Iterable[Gone]:
    """Return no deleted objects: this kind is never deleted."""
    return ()


def buried(kind: str, prefix: str) -> Callable[[Switches], Iterable[Gone]]:
    """Return the function that returns deleted objects of one kind."""

    def rows(api: Switches) -> Iterable[Gone]:
        graves = api.world.desk.graves.values()
        return (Gone(ref(prefix, one.id), (one.created_at, one.serial), one.at) for one in graves if one.kind == kind)

    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Objects of one kind: their path, parameters and format.

    `times` are the fields with the filters `.gt` and `.lt`. `references` are the collections of the ids that can be
    expanded, by field; `expands` allows the parameter `expand`. `dates` allows a date in place of a time.
    """

    name: str
    path: str
    object: str
    rows: Callable[[Switches], Iterable[Any]]
    ref: Callable[[Switches, Any], str]
    show: Callable[[Switches, Any], Row]
    key: Callable[[Switches, Any], Key] = by_age
    gone: Callable[[Switches], Iterable[Gone]] = nothing
    filters: Mapping[str, Filter] = field(default_factory=dict)
    times: Mapping[str, Callable[[Switches, Any], datetime]] = field(default_factory=dict)
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    expands: bool = False
    has_more: bool = True
    has_stubs: bool = False
    dates: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """The parsed query of a list; `rules` are its equality filters, `bounds` its time filters."""

    collection: Collection
    limit: int
    after: str | None
    before: str | None
    rules: Sequence[Callable[[Any], bool]]
    bounds: Sequence[Callable[[Any], bool]]
    expand: Sequence[Sequence[str]]

    def keeps(self, entry: Any) -> bool:
        """Return True if a record or a stub passes the filters."""
        for within in self.bounds:
            if not within(entry):
                return False
        if self.rules and isinstance(entry, Gone):
            return False
        for rule in self.rules:  # noqa: SIM110 -- a third faster than all()
            if not rule(entry):
                return False
        return True


def within(api: Switches, collection: Collection, name: str, operator: str, bound: datetime) -> Callable[[Any], bool]:
    """Return the condition of a time filter, which is strict; a stub has the times of its creation and deletion."""
    read = collection.times[name]
    compare: Callable[[date, date], bool] = gt if operator == "gt" else lt
    whole_days = api.day_granular_filters and collection.dates

    def rule(entry: Any) -> bool:
        if isinstance(entry, Gone):
            value = entry.key[0] if name == "creation_time" else entry.at
            return compare(value, bound)
        value = read(api, entry)
        return compare(value.date(), bound.date()) if whole_days else compare(value, bound)

    return rule


def read(api: Switches, collection: Collection, pairs: Sequence[tuple[str, str]]) -> Query:
    """Return a parsed query.

    Raises:
        Refusal: a parameter is unknown, given twice, or invalid.
    """
    params = once(pairs)
    limit = page_size(params.pop("limit", str(DEFAULT_PER_PAGE)))
    after, before = params.pop("after", None), params.pop("before", None)
    if after is not None and before is not None:
        raise invalid("before", "Only one of after and before may be given")
    expand = (
        read_expand(collection, params.pop("expand", None), prefixed=api.list_expand_prefix)
        if "expand" in params
        else []
    )
    rules, bounds = [], []
    known: dict[tuple[str, str], datetime] = {}
    for name, text in params.items():
        stem, _, operator = name.rpartition(".")
        if name in collection.filters:
            rules.append(read_filter(api, collection.filters[name], name, text))
        elif stem in collection.times and operator in {"gt", "lt"}:
            bound = known[stem, operator] = moment(name, text, dates=collection.dates)
            bounds.append(within(api, collection, stem, operator, bound))
        else:
            raise invalid(name, f"Received unknown parameter: {name}")
    for stem in collection.times:
        low, high = known.get((stem, "gt")), known.get((stem, "lt"))
        if low and high and low > high:
            raise invalid(f"{stem}.gt", f"{stem}.gt is later than {stem}.lt")
    return Query(collection, limit, after, before, rules, bounds, expand)


def once(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the parameters as a dict; a repeated one is refused."""
    params: dict[str, str] = {}
    for name, text in pairs:
        if name in params:
            raise invalid(name, f"{name} is given twice")
        params[name] = text
    return params


def page_size(text: str) -> int:
    """Parse the page size; more than a hundred is refused, not capped."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MOST_PER_PAGE:
        raise invalid("limit", f"limit must be a number between 1 and {MOST_PER_PAGE}")
    return int(text)


def read_filter(api: Switches, one: Filter, name: str, text: str) -> Callable[[Any], bool]:
    """Return the condition of an equality filter; only a switch allows several values."""
    values = text.split(",") if one.allowed and api.many_statuses else [text]
    for value in values:
        if not value or (one.allowed and value not in one.allowed):
            raise invalid(name, f"{name} has an invalid value")
    rules = [one.keep(api, value) for value in values]
    return rules[0] if len(rules) == 1 else lambda record: any(rule(record) for rule in rules)


def moment(name: str, text: str, *, dates: bool) -> datetime:
    """Parse a time with an offset or, if `dates` allows it, a date, which stands for midnight in UTC."""
    try:
        if dates and DATE.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        if DATE_TIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise invalid(name, f"{name} is not a valid date")


def read_expand(collection: Collection, text: str | None, *, prefixed: bool) -> list[list[str]]:
    """Parse `expand`: comma-separated names of fields, each with the prefix `data.` if `prefixed`."""
    paths = []
    for item in (text or "").split(","):
        head, *rest = parts = item.split(".")
        path = rest if prefixed else parts
        known = 1 <= len(path) <= DEEPEST and path[0] in collection.references
        if not (collection.expands and known) or (prefixed and head != "data"):
            raise invalid("expand", "This property cannot be expanded")
        paths.append(path)
    return paths
