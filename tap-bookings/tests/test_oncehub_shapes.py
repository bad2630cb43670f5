"""Fields that come in more than one shape."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tap_bookings.streams import BookingCalendars, Bookings, SmsNotifications
from tap_bookings.tap import TapBookings

TAP = TapBookings(config={}, validate_config=False)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
custom_fields = st.none() | st.lists(
    st.fixed_dictionaries({"name": st.text(max_size=5), "value": anything}), max_size=3
)
information = st.fixed_dictionaries(
    {"reason": st.text(max_size=5), "actioned_by": st.sampled_from(["", "user", "customer"]), "user_id": st.text()}
)
references = ("owner", "contact", "conversation", "booking_calendar", "booking_page", "master_page", "event_type")
reference = st.none() | st.just("USR-1") | st.fixed_dictionaries({"id": st.just("USR-1"), "object": st.text()})

bookings = st.fixed_dictionaries(
    {
        "id": st.just("BKNG-1"),
        "cancel_reschedule_information": st.none() | information | st.lists(information, max_size=2),
        "custom_fields": custom_fields,
        "form_submission": st.none()
        | st.fixed_dictionaries({"guests": st.just([""]), "email": st.none(), "custom_fields": custom_fields}),
        "virtual_conferencing": st.none() | st.just({"join_url": ""}),
        "utm_params": st.none() | st.just({"source": ""}),
        **dict.fromkeys(references, reference),
    }
)


@given(bookings)
def test_a_booking_arrives_whatever_the_shape_of_its_fields(booking: dict[str, Any]) -> None:
    stream = TAP.stream(Bookings)

    row = stream.to_record(booking, {})

    Draft202012Validator(stream.schema).validate(row)
    assert row | (row["_extra"] or {}) | booking == row | (row["_extra"] or {})
    assert all(row[name] == (None if booking[name] is None else "USR-1") for name in references)


def test_an_object_where_an_id_belongs_gives_its_id_and_is_kept() -> None:
    owner = {"id": "USR-1", "object": "user", "email": "a@example.com"}

    row = TAP.stream(Bookings).to_record({"id": "BKNG-1", "owner": owner, "new": 1}, {})

    assert (row["owner"], row["_extra"]) == ("USR-1", {"owner": owner, "new": 1})


def test_a_recipient_that_was_expanded_gives_its_id() -> None:
    row = TAP.stream(SmsNotifications).to_record({"id": "SMS-1", "recipient": {"id": "CTC-1"}}, {})

    assert row["recipient"] == "CTC-1"


def test_several_durations_of_a_calendar_are_kept_beside_the_number_that_there_is_not() -> None:
    row = TAP.stream(BookingCalendars).to_record({"id": "BKC-1", "duration_minutes": [15, 30]}, {})

    assert (row["duration_minutes"], row["_extra"]) == (None, {"duration_minutes": [15, 30]})


def test_empty_texts_stay_empty_texts() -> None:
    row = TAP.stream(Bookings).to_record({"id": "BKNG-1", "tracking_id": "", "contact": ""}, {})

    assert (row["tracking_id"], row["contact"], row["subject"]) == ("", "", None)
