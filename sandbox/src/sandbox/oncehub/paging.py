"""Paging, newest first: the cursor is the id of the row next to the page."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from sandbox.oncehub.refusals import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.oncehub.collection import Collection, Gone, Key, Query
    from sandbox.oncehub.switches import Switches

STUB_DAYS = 7
"""Days for which a deleted object may be listed as a stub."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """The entries of a collection, oldest first, with their keys and ids; `places` is the index of each id."""

    entries: Sequence[Any]
    keys: Sequence[Key]
    refs: Sequence[str]
    places: dict[str, int]

    @classmethod
    def of(cls, api: Switches, collection: Collection) -> Ordered:
        """Return a collection in order, with stubs of recently deleted objects if the switch wants them."""
        stubs: list[Gone] = []
        if api.list_deleted_stubs and collection.has_stubs:
            since = api.world.now - timedelta(days=STUB_DAYS)
            stubs = [one for one in collection.gone(api) if one.at > since]
        return api.cached(f"{collection.name} {stubs}", lambda: cls.sorted(api, collection, stubs))

    @classmethod
    def sorted(cls, api: Switches, collection: Collection, stubs: Iterable[Gone]) -> Ordered:
        """Sort a collection and its stubs."""
        found = [(collection.key(api, one), collection.ref(api, one), one) for one in collection.rows(api)]
        found += [(one.key, one.ref, one) for one in stubs]
        found.sort(key=lambda each: each[:2])
        refs = [each[1] for each in found]
        return cls([each[2] for each in found], [each[0] for each in found], refs, {x: n for n, x in enumerate(refs)})


@dataclass(frozen=True, slots=True)
class Page:
    """The entries of one page and their ids; `older` and `newer` are True if others follow or precede."""

    entries: Sequence[Any]
    refs: Sequence[str]
    older: bool
    newer: bool


class Pager:
    """Cuts pages, and remembers the keys of their first and last rows."""

    def __init__(self, api: Switches) -> None:
        self.api = api
        self.ends: dict[tuple[str, str], Key] = {}

    def place(self, ordered: Ordered, query: Query, param: str, anchor: str) -> tuple[int, int]:
        """Return the indices of the next older and the next newer entry than an anchor.

        Raises:
            Refusal: there is no such object, or the filters exclude it.
        """
        index = ordered.places.get(anchor)
        if index is not None and (not self.api.anchor_must_match or query.keeps(ordered.entries[index])):
            return index - 1, index + 1
        key = self.ends.get((query.collection.name, anchor))
        if index is None and key and self.api.after_deleted_anchor == "continue":
            index = bisect_left(ordered.keys, key)
            return index - 1, index
        raise invalid(param, f"No such object: {param}")

    def page(self, query: Query) -> Page:
        """Cut one page."""
        ordered = Ordered.of(self.api, query.collection)
        count = len(ordered.entries)

        def kept(span: range) -> Iterable[int]:
            return (index for index in span if query.keeps(ordered.entries[index]))

        older, newer = count - 1, count
        if query.after is not None:
            older, newer = self.place(ordered, query, "after", query.after)
        if query.before is not None:
            older, newer = self.place(ordered, query, "before", query.before)
        if query.before is not None or (query.after is not None and self.api.repeat_token):
            first = newer if query.before is not None else newer - 1
            found = list(islice(kept(range(first, count)), query.limit + 1))
            more_newer, found = len(found) > query.limit, found[: query.limit][::-1]
            more_older = query.before is None or any(True for _ in kept(range(older + 1, -1, -1)))
        else:
            found = list(islice(kept(range(older, -1, -1)), query.limit + 1))
            more_older, found = len(found) > query.limit, found[: query.limit]
            more_newer = query.after is not None and any(True for _ in kept(range(newer - 1, count)))
        for index in found[:1] + found[-1:]:
            self.ends[query.collection.name, ordered.refs[index]] = ordered.keys[index]
        entries, refs = [ordered.entries[n] for n in found], [ordered.refs[n] for n in found]
        return Page(entries, refs, more_older, more_newer)

    def link(self, query: Query, page: Page) -> str | None:
        """Return the `Link` header, whose addresses lack the version and the filters."""
        base = f"{self.api.api_url}{query.collection.path.removeprefix('/v2')}"
        links = []
        if page.older and page.refs:
            links.append(f'<{base}?after={page.refs[-1]}&limit={query.limit}>; rel="next"')
        if page.newer and page.refs:
            links.append(f'<{base}?before={page.refs[0]}&limit={query.limit}>; rel="previous"')
        return ", ".join(links) or None
