from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_common.state.timestamps import canonical, instant, zulu

moments = st.datetimes(
    # Hypothesis adds the time zones.
    datetime(1970, 1, 1),  # noqa: DTZ001
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14, 14).map(lambda h: timezone(timedelta(hours=h))),
)


@given(moments)
def test_every_form_of_a_moment_is_the_same_instant(moment: datetime) -> None:
    assert instant(moment.isoformat()) == instant(canonical(moment)) == instant(zulu(moment)) == moment


@given(moments, moments)
def test_canonical_texts_sort_as_instants_do(one: datetime, other: datetime) -> None:
    assert (canonical(one) < canonical(other)) == (one < other)


@pytest.mark.parametrize(
    "text",
    ["2026-01-02", "2026-01-02T00:00:00", "2026-01-02T00:00:00Z", "2026-01-02T00:00:00.000Z", "2026-01-02T02:00+02:00"],
)
def test_dates_and_times_without_fraction_or_offset_are_read(text: str) -> None:
    assert instant(text) == datetime(2026, 1, 2, tzinfo=UTC)
