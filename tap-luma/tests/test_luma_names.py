"""One row out of the answers of either generation, whatever they hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tap_common.state.timestamps import instant
from tap_luma.names import add_both_names, earliest, location_fields, meeting_link_fields, unwrap

PAIRS = [("id", "api_id"), ("user_id", "user_api_id"), ("utm_source", "custom_source"), ("value", "answer")]
VALUES = st.none() | st.booleans() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())
NAMES = st.sampled_from([name for pair in PAIRS for name in pair] + ["name", "tags"])
ROWS = st.dictionaries(NAMES, VALUES)
DEGREES = st.floats(-180, 180, allow_nan=False)


@given(ROWS)
def test_a_renamed_field_has_both_names_or_neither_and_no_value_is_lost(row: dict[str, Any]) -> None:
    named = add_both_names(row)

    assert all((new in named) == (old in named) for new, old in PAIRS)
    assert all((named.get(new) is None) == (named.get(old) is None) for new, old in PAIRS)
    assert all(named[name] == value for name, value in row.items() if value is not None)
    assert add_both_names(named) == named


@given(ROWS, ROWS)
def test_a_wrapped_row_keeps_its_own_id_and_gains_what_stands_beside_it(
    row: dict[str, Any], beside: dict[str, Any]
) -> None:
    entry = {**beside, "event": row}
    found = unwrap(entry, "event")

    assert found.items() >= row.items()
    assert all(name in row for name in ("id", "api_id") if name in found)
    assert found.keys() - row.keys() == beside.keys() - row.keys() - {"id", "api_id"}
    assert unwrap(row, "event") == row
    assert unwrap(entry, None) == entry


@given(DEGREES, DEGREES)
def test_a_place_is_the_same_in_both_forms(latitude: float, longitude: float) -> None:
    numbers = {"coordinate": {"latitude": latitude, "longitude": longitude}}
    texts = {"geo_latitude": str(latitude), "geo_longitude": str(longitude)}

    assert location_fields(numbers) == location_fields(texts) == numbers | texts


def test_an_event_without_a_place_has_none_in_either_form() -> None:
    nowhere = {"coordinate": None, "geo_latitude": None, "geo_longitude": None}

    assert location_fields({}) == location_fields(nowhere) == nowhere
    assert location_fields({"geo_latitude": "somewhere", "geo_longitude": "1"})["coordinate"] is None


def test_a_place_beyond_every_number_is_none() -> None:
    assert location_fields({"geo_latitude": 10**400, "geo_longitude": "1"})["coordinate"] is None


def test_only_a_link_to_zoom_is_one() -> None:
    assert meeting_link_fields({"meeting_url": "u", "location_type": "zoom"}) == {
        "meeting_url": "u",
        "zoom_meeting_url": "u",
    }
    assert meeting_link_fields({"meeting_url": "u", "location_type": "meet"}) == {
        "meeting_url": "u",
        "zoom_meeting_url": None,
    }
    assert meeting_link_fields({"zoom_meeting_url": "u"}) == {"meeting_url": "u", "zoom_meeting_url": "u"}


MOMENTS = st.datetimes(datetime(2, 1, 2), datetime(9998, 12, 30))  # noqa: DTZ001 - the offset is added to the text


@given(st.lists(st.none() | MOMENTS.map(lambda moment: f"{moment.isoformat()}+02:00")))
def test_the_earliest_moment_is_found_by_time_and_not_by_text(moments: list[str | None]) -> None:
    found = earliest([*moments, "2020-01-01T00:00:00Z"])

    assert found is not None
    assert all(instant(found) <= instant(moment) for moment in moments if moment)


def test_no_moment_is_the_earliest_of_none() -> None:
    assert earliest([None, None]) is None
