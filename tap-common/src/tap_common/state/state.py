"""Validation of states, bookmarks, catalogs and selections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, SchemaError
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL, Catalog

from tap_common.errors import SettingsError
from tap_common.http.server_clock import TOLERANCE
from tap_common.printable import quoted
from tap_common.state.timestamps import canonical, instant, instant_or_none

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, MutableMapping
    from datetime import datetime

    from singer_sdk.streams.core import Stream

COVERS = "covers"
"""Key in a stream's state: the scope and start date for which its bookmark is valid."""

ACCOUNT = "account"
"""Key in `covers`: ids of the account, if `scope` is not enough to identify it."""


def check_state(state: object) -> None:
    """Refuse a state that this tap cannot have written.

    Raises:
        SettingsError: It is not a state.
    """
    bookmarks = state.get("bookmarks", {}) if isinstance(state, dict) else None
    if not isinstance(bookmarks, dict):
        raise SettingsError("The state is not a Singer state; run once with --full-refresh or without --state.")
    for stream, bookmark in bookmarks.items():
        if not is_valid_bookmark(bookmark):
            raise SettingsError(
                f"The state of stream {quoted(stream)} cannot be read; run once with --full-refresh or remove that "
                "bookmark."
            )


def is_valid_bookmark(bookmark: object) -> bool:
    """Return True if a stream's state has the types that a tap writes."""
    if not isinstance(bookmark, dict):
        return False
    parts = [bookmark.get(name) for name in (COVERS, "progress_markers")]
    covers, progress = [{} if part is None else part for part in parts]
    if not isinstance(covers, dict) or not isinstance(progress, dict):
        return False
    times = bookmark.get("replication_key_value"), covers.get("start_date"), progress.get("replication_key_value")
    names = bookmark.get("replication_key"), progress.get("replication_key"), *covers.values()
    return all(time is None or instant_or_none(time) for time in times) and all(
        name is None or isinstance(name, str) for name in names
    )


# A bookmark before it was edited by hand, and a look-back could lead behind the first year that there is.
_FIRST_YEAR = 1900
_NO_CATALOG = "The catalog is not a Singer catalog; create one with --discover."
_TEXT, _TEXTS = {"type": ["string", "null"]}, {"type": ["array", "null"], "items": {"type": "string"}}
_ENTRY = Draft7Validator(
    {
        "properties": {
            **dict.fromkeys(("stream", "stream_alias", "table", "table_name", "database_name"), _TEXT),
            **dict.fromkeys(("replication_key", "replication_method"), _TEXT),
            "key_properties": _TEXTS,
            "schema": {"type": ["object", "null"]},
            "metadata": {
                "type": ["array", "null"],
                "items": {
                    "type": "object",
                    "required": ["breadcrumb", "metadata"],
                    "properties": {"breadcrumb": _TEXTS | {"type": "array"}, "metadata": {"type": "object"}},
                },
            },
        }
    }
)
"""JSON schema of a catalog entry, for the parts that a run uses."""


def check_catalog(catalog: Mapping[str, Any]) -> None:
    """Refuse a catalog that does not name its streams.

    Raises:
        SettingsError: It is not a catalog.
    """
    entries = catalog.get("streams")
    if not (isinstance(entries, list) and all(map(_names_a_stream, entries))):
        raise SettingsError(_NO_CATALOG)
    for entry in entries:
        whose = f"of stream {quoted(entry['tap_stream_id'])} cannot be read; create a catalog with --discover."
        if not _ENTRY.is_valid(entry):
            raise SettingsError(f"The catalog's entry {whose}")
        try:
            Draft7Validator.check_schema(entry.get("schema") or {})
            Catalog.from_dict({"streams": [entry]}).streams[0].schema.to_dict()
        except (SchemaError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise SettingsError(f"The catalog's schema {whose}") from None


def _names_a_stream(entry: object) -> bool:
    name = entry.get("tap_stream_id") if isinstance(entry, dict) else None
    return isinstance(name, str) and bool(name)


def check_selection(streams: Collection[Stream], variable: str, hint: str = "") -> None:
    """Refuse an empty selection and unknown replication methods.

    `variable` is the environment variable of Meltano's selection, `hint` the likely reason for an empty one.

    Raises:
        SettingsError: No stream is selected, or a replication method is unknown.
    """
    if not any(stream.selected for stream in streams):
        raise SettingsError(
            "No stream is selected, so nothing is read: "
            f"see `select` in meltano.yml and `{variable}`, or the catalog.{hint}"
        )
    for stream in streams:
        method = stream.replication_method
        read = stream.selected or stream.has_selected_descendents
        if read and method not in (REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL):
            raise SettingsError(
                f"The replication method {quoted(method)} of stream `{stream.name}` is neither "
                f"{REPLICATION_FULL_TABLE} nor {REPLICATION_INCREMENTAL}: see `metadata` in meltano.yml, or the "
                "catalog."
            )


def start_date_moved_later(state: Mapping[str, Any], start: datetime, streams: Collection[str]) -> bool:
    """Return True if the last run of one of these streams had an earlier start date, or none."""
    bookmarks = [bookmark for name, bookmark in state.get("bookmarks", {}).items() if name in streams]
    starts = [bookmark[COVERS].get("start_date") for bookmark in bookmarks if bookmark.get(COVERS)]
    return any(before is None or instant(before) < start for before in starts)


def usable_bookmark(
    state: MutableMapping[str, Any], replication_key: str, covers: Mapping[str, str | None], now: datetime
) -> tuple[datetime | None, str | None]:
    """Return the bookmark of a stream's state, or the reason for which it was dropped.

    A bookmark is valid for one scope (the part of an account that the key sees) and one start date. For another scope
    or an earlier start date it is removed, and everything is read again. So is a bookmark in the future: a clock was
    wrong, or the state was edited.
    """
    value = state.get("replication_key_value")
    covered = state.get(COVERS)
    state[COVERS] = dict(covers)
    if value is None or state.get("replication_key") != replication_key:
        return None, None
    bookmark = instant_or_none(value)
    if bookmark is None or bookmark.year < _FIRST_YEAR:
        why: str | None = "the bookmark cannot be read"
    elif bookmark > now + TOLERANCE:
        why = f"the bookmark, {canonical(bookmark)}, is in the future by the API's clock, {canonical(now)}"
    else:
        why = _mismatch(covered, covers)
    if why:
        del state["replication_key_value"]
        return None, why
    return bookmark, None


def _mismatch(covered: Mapping[str, str | None] | None, wanted: Mapping[str, str | None]) -> str | None:
    if covered is None:
        return "the state was written by another program"
    before, now = covered.get("start_date"), wanted.get("start_date")
    if before is not None and (now is None or instant(now) < instant(before)):
        return "`start_date` is earlier than before"
    scopes = {covered.get("scope"), wanted.get("scope")} - {None}
    return "the key sees other data than before" if len(scopes) > 1 else None
