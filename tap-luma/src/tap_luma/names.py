"""One record for both generations of the API: the legacy one wraps rows, and has other names for some fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_common.state.timestamps import instant_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Record

# Current and legacy names of fields.
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


def unwrap(entry: Record, wrapper: str | None) -> Record:
    """Return the row in an entry that wraps it, with the entry's other fields except its id."""
    row = entry.get(wrapper) if wrapper else None
    if not isinstance(row, dict):
        return entry
    return {name: value for name, value in entry.items() if name not in _IDS and name != wrapper} | row


def add_both_names(row: Record) -> Record:
    """Return a row with its renamed fields under both names."""
    named = dict(row)
    for name, older in _NAMES.items():
        if name in row or older in row:
            named[name] = _known(row.get(name), row.get(older))
            named[older] = _known(row.get(older), row.get(name))
    return named


def add_both_names_to_object(value: Any) -> Any:
    """Return an object in a row with its renamed fields under both names; another value unchanged."""
    return add_both_names(value) if isinstance(value, dict) else value


def add_both_names_to_list(items: Any) -> Any:
    """Return a list of objects with their renamed fields under both names; another value unchanged."""
    return [add_both_names_to_object(item) for item in items] if isinstance(items, list) else items


def location_fields(row: Record) -> Record:
    """Return an event's location in both forms: `coordinate` of numbers, `geo_latitude` and `geo_longitude` of text."""
    sent = row.get("coordinate")
    coordinate = sent if isinstance(sent, dict) else {}
    names = {"latitude": "geo_latitude", "longitude": "geo_longitude"}
    texts = {older: _known(row.get(older), _text(coordinate.get(name))) for name, older in names.items()}
    numbers = {name: _known(coordinate.get(name), _number(texts[older])) for name, older in names.items()}
    if sent is not None and not isinstance(sent, dict):
        return texts  # `_extra` will keep the invalid coordinate
    return texts | {"coordinate": (coordinate or None) if None in numbers.values() else coordinate | numbers}


def meeting_link_fields(row: Record) -> Record:
    """Return the link of an online event under both names; the legacy one is for Zoom only."""
    link = _known(row.get("meeting_url"), row.get("zoom_meeting_url"))
    zoom = row.get("meeting_url") if row.get("location_type") == "zoom" else None
    return {"meeting_url": link, "zoom_meeting_url": _known(row.get("zoom_meeting_url"), zoom)}


def earliest(moments: Iterable[Any]) -> str | None:
    """Return the earliest of some timestamps; null and invalid ones are ignored."""
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
