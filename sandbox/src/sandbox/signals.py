"""Faults of paging, for any API: wrong signals of a next page, and ignored query parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Query = list[tuple[str, str]]

ABSENT = object()
PLAIN: Mapping[str, Any] = {
    "absent": ABSENT,
    "null": None,
    "empty": "",
    "number": 5,
    "object": {"a": "b"},
    "list": ["a"],
    "true": True,
    "false": False,
    "text": "false",
}
"""Fixed values of a wrong signal."""
VALUES = (*PLAIN, "opposite", "stuck", "stuck-anew", "foreign", "tokenless")
"""Values of a wrong signal.

"opposite" ends a list early or continues a complete one; "stuck" leads to the page that it is on, and "stuck-anew"
does so with another cursor each time; "foreign" is the address on another host, "tokenless" without its query.
"""
PLACES = ("every", "first", "middle", "last")
FOREIGN = "http://elsewhere.example"
ADDRESSES = {"foreign": (r"https?://[^/]+", FOREIGN), "tokenless": (r"\?[^>]*", "")}


@dataclass(frozen=True, slots=True)
class Paging:
    """An API's cursor parameter, and the places of its signals: `a.b` in the body, or a header."""

    param: str
    cursor: str | None = None
    flag: str | None = None
    url: str | None = None
    header: str | None = None
    block: str | None = None

    @property
    def signals(self) -> tuple[str, ...]:
        """Places of all signals."""
        return tuple(filter(None, (self.cursor, self.flag, self.url, self.header, self.block)))

    def goes_on(self, body: Any, headers: Mapping[str, str]) -> bool:
        """Return True if a response says that more rows follow."""
        header = headers.get(self.header.lower(), "") if self.header else ""
        return bool(at(self.flag or self.cursor, body)) or 'rel="next"' in header


PAGING: Mapping[str, Paging] = {
    "calendly": Paging(
        "page_token", cursor="pagination.next_page_token", url="pagination.next_page", block="pagination"
    ),
    "luma": Paging("pagination_cursor", cursor="next_cursor", flag="has_more"),
    "oncehub": Paging("after", flag="has_more", header="Link"),
    "savvycal": Paging("after", cursor="metadata.after", block="metadata"),
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong signal on some pages of the lists whose path matches."""

    api: str
    signal: str
    value: str
    place: str
    path: re.Pattern[str]


@dataclass(slots=True)
class Signals:
    """The faults of paging; `changed` counts the changed responses."""

    changed: int = 0
    _wrong: list[Wrong] = field(default_factory=list)
    _ignored: dict[str, set[str]] = field(default_factory=dict)
    _aliases: dict[str, str | None] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def go_wrong(self, api: str, signal: str, value: str, place: str = "every", path: str = "") -> None:
        """Give a wrong value to a signal of an API, on pages of the lists whose path within the API matches.

        Raises:
            ValueError: there is no such signal, value or place.
        """
        for name, known in ((signal, PAGING[api].signals), (value, VALUES), (place, PLACES)):
            if name not in known:
                raise ValueError(f"unknown {name}; choose from {', '.join(known)}")
        self._wrong.append(Wrong(api, signal, value, place, re.compile(path)))

    def ignore(self, api: str, *parameters: str) -> None:
        """Make an API ignore query parameters."""
        self._ignored.setdefault(api, set()).update(parameters)

    def clear(self) -> None:
        """Remove all faults."""
        self._wrong.clear()
        self._ignored.clear()

    def understood(self, api: str, query: Query) -> Query:
        """Return a query without ignored parameters and with original cursors."""
        ignored = self._ignored.get(api, set())
        pairs = ((name, self._aliases.get(value, value)) for name, value in query if name not in ignored)
        return [(name, value) for name, value in pairs if value is not None]

    def to_change(self, api: str, path: str) -> bool:
        """Return True if the response to a request may have to change."""
        return any(wrong.api == api and wrong.path.search(path) for wrong in self._wrong)

    def answer(self, api: str, path: str, query: Query, headers: dict[str, str], content: bytes) -> bytes:
        """Change the headers of a good response, and return its changed body."""
        body = msgspec.json.decode(content)
        paging = PAGING[api]
        cursor = dict(self.understood(api, query)).get(paging.param)
        places = set(places_of(first=cursor is None, last=not paging.goes_on(body, headers)))
        changed = 0
        for wrong in self._wrong:
            if wrong.api == api and wrong.place in places and wrong.path.search(path):
                changed += self._change(paging, wrong, cursor, headers, body)
        self.changed += bool(changed)
        return msgspec.json.encode(body)

    def _change(self, paging: Paging, wrong: Wrong, cursor: str | None, headers: dict[str, str], body: Any) -> bool:
        if wrong.signal == paging.header:
            name = wrong.signal.lower()
            old: Any = headers.pop(name, ABSENT)
            new = self._value(paging, wrong, old, cursor)
            if new is not ABSENT and new is not None:
                headers[name] = new if isinstance(new, str) else msgspec.json.encode(new).decode()
            return bool(old is not ABSENT or name in headers)
        *outer, name = wrong.signal.split(".")
        holder = at(".".join(outer), body) if outer else body
        if not isinstance(holder, dict) or not (outer or "collection" in body or "entries" in body or "data" in body):
            return False
        new = self._value(paging, wrong, holder.pop(name, ABSENT), cursor)
        if new is not ABSENT:
            holder[name] = new
        return True

    def _value(self, paging: Paging, wrong: Wrong, old: Any, cursor: str | None) -> Any:
        if wrong.value in PLAIN:
            return PLAIN[wrong.value]
        if wrong.value in {"foreign", "tokenless"}:
            if not isinstance(old, str) or wrong.signal not in {paging.url, paging.header}:
                return old
            return re.sub(*ADDRESSES[wrong.value], old)
        if wrong.value == "opposite" and isinstance(old, bool):
            return not old
        if wrong.value == "opposite" and isinstance(old, str):
            return old.replace('rel="next"', 'rel="previous"') if wrong.signal == paging.header else None
        return self._stuck(paging, wrong, old, cursor)

    def _stuck(self, paging: Paging, wrong: Wrong, old: Any, current: str | None) -> Any:
        cursor = current or "nowhere"
        if wrong.value == "stuck-anew":
            cursor = f"anew-{next(self._numbers)}"
            self._aliases[cursor] = current
        if wrong.signal == paging.cursor:
            return cursor
        if wrong.signal == paging.url:
            return f"{FOREIGN}/?{paging.param}={cursor}"
        if wrong.signal == paging.header:
            return f'<{FOREIGN}/?{paging.param}={cursor}>; rel="next"'
        return old


def places_of(*, first: bool, last: bool) -> Iterable[str]:
    """Yield the places of a page in its list."""
    yield "every"
    if first:
        yield "first"
    if last:
        yield "last"
    if not first and not last:
        yield "middle"


def at(path: str | None, body: Any) -> Any:
    """Return the value at a path, or None."""
    for name in path.split(".") if path else ():
        body = body.get(name) if isinstance(body, dict) else None
    return body if path else None
