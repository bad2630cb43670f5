"""One row for both generations of the contract: the older wraps rows and has other names in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_common.state.timestamps import instant_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Record

# The current name of a field, and its older one.
_NAMES = {
    "id": "api_id",
    "user_id": "user_api_id",
    "calendar_id": "calendar_api_id",
    "event_id": "event_api_id",
    "event_ticket_type_id": "event_ticket_type_api_id",
    "calendar_membership_tier_id": "calendar_membership_tier_api_id",
    "utm_source": "custom_source",
    "value": "answer",
}
_IDS = {"id", "api_id"}


def unwrapped(entry: Record, wrapper: str | None) -> Record:
    """The row within an entry that wraps it; what stands beside it is the row's too, but for the entry's own id."""
    row = entry.get(wrapper) if wrapper else None
    if not isinstance(row, dict):
        return entry
    return {name: value for name, value in entry.items() if name not in _IDS and name != wrapper} | row


def with_both_names(row: Record) -> Record:
    """A row in which each renamed field that it has stands under both of its names."""
    named = dict(row)
    for name, older in _NAMES.items():
        if name in row or older in row:
            named[name] = _known(row.get(name), row.get(older))
            named[older] = _known(row.get(older), row.get(name))
    return named


def one_with_both_names(value: Any) -> Any:
    """The same for an object in a row, or what stands in its place."""
    return with_both_names(value) if isinstance(value, dict) else value


def each_with_both_names(items: Any) -> Any:
    """The same for each object of a list, or what stands in its place."""
    return [one_with_both_names(item) for item in items] if isinstance(items, list) else items


def placed(row: Record) -> Record:
    """An event's place in both forms: `coordinate`, of numbers, and `geo_latitude` and `geo_longitude`, of text."""
    sent = row.get("coordinate")
    coordinate = sent if isinstance(sent, dict) else {}
    names = {"latitude": "geo_latitude", "longitude": "geo_longitude"}
    texts = {older: _known(row.get(older), _text(coordinate.get(name))) for name, older in names.items()}
    numbers = {name: _known(coordinate.get(name), _number(texts[older])) for name, older in names.items()}
    if sent is not None and not isinstance(sent, dict):
        return texts  # what is no place is the row's problem
    return texts | {"coordinate": (coordinate or None) if None in numbers.values() else coordinate | numbers}


def linked(row: Record) -> Record:
    """The link of an online event under both names; the older is for Zoom alone."""
    link = _known(row.get("meeting_url"), row.get("zoom_meeting_url"))
    zoom = row.get("meeting_url") if row.get("location_type") == "zoom" else None
    return {"meeting_url": link, "zoom_meeting_url": _known(row.get("zoom_meeting_url"), zoom)}


def earliest(moments: Iterable[Any]) -> str | None:
    """Return the first of some moments; any may be null, or none."""
    known = {text: moment for text in moments if (moment := instant_or_none(text))}
    return min(known, key=known.__getitem__, default=None)


def _known(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _text(number: Any) -> Any:
    return str(number) if isinstance(number, int | float) else number


def _number(text: Any) -> float | None:
    try:
        return None if text is None else float(text)
    except (TypeError, ValueError, OverflowError):
        return None
