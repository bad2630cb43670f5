"""Records that fit the schema of their stream."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tap_common.output.conform import Conformer, as_object

SCHEMA: dict[str, Any] = {
    "properties": {
        "id": {"type": "string"},
        "text": {"type": ["string", "null"]},
        "number": {"type": ["number", "null"]},
        "count": {"type": ["integer", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "place": {
            "type": ["object", "null"],
            "properties": {
                "name": {"type": ["string", "null"]},
                "since": {"type": ["string", "null"], "format": "date-time"},
            },
        },
        "tags": {
            "type": ["array", "null"],
            "items": {"type": ["object", "null"], "properties": {"n": {"type": ["integer", "null"]}}},
        },
        "choice": {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
        "_extra": {"type": ["object", "null"]},
    }
}
VALIDATOR = Draft7Validator(SCHEMA)
FIELDS = ["name", "since", "n", "id", "a"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=6,
)
NAMES = [name for name in SCHEMA["properties"] if name != "_extra"]


def record(**values: Any) -> dict[str, Any]:
    return dict.fromkeys(SCHEMA["properties"]) | {"id": "one"} | values


@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING))
def test_any_record_fits_in_the_end_and_every_value_is_kept(values: dict[str, Any]) -> None:
    conformer = Conformer(SCHEMA, ["id"])
    row = record(**values)
    odd = [] if conformer.fits(row) else list(conformer.conform(row))

    assert VALIDATOR.is_valid(row)
    assert isinstance(row["id"], str)
    assert list(conformer.conform(row)) == []
    changed = {name for name, value in values.items() if value is not None and row[name] != value}
    assert changed == {path.partition(".")[0] for path in odd} - {"id" if values.get("id", "one") is None else ""}
    assert all(row["_extra"][name] == values[name] for name in changed)


@pytest.mark.parametrize(
    "time", ["2026-01-02T03:04:05Z", "2026-01-02T03:04Z", "2026-01-02T03:04:05.123+02:00", "2026-01-02"]
)
def test_a_time_that_can_be_read_stays_as_it_was_sent(time: str) -> None:
    assert Conformer(SCHEMA, ["id"]).fits(record(at=time))


def test_a_number_beyond_every_float_is_one_value_like_another() -> None:
    conformer = Conformer(SCHEMA, ["id"])
    row = record(count=10**400, number=10**400, text=10**400)

    assert not conformer.fits(row)
    assert list(conformer.conform(row)) == ["text"]
    assert (row["count"], row["number"], row["text"]) == (10**400, 10**400, None)


def test_of_an_object_in_the_place_of_text_the_reference_is_taken() -> None:
    row = record(text={"id": "USR-1", "name": "Ada"})

    assert list(Conformer(SCHEMA, ["id"]).conform(row)) == ["text"]
    assert row["text"] == "USR-1"
    assert row["_extra"] == {"text": {"id": "USR-1", "name": "Ada"}}


def test_a_field_within_an_object_is_named_and_the_rest_of_the_object_stays() -> None:
    row = record(place={"name": "Here", "since": "soon"})

    assert list(Conformer(SCHEMA, ["id"]).conform(row)) == ["place.since"]
    assert row["place"] == {"name": "Here", "since": None}
    assert row["_extra"] == {"place": {"name": "Here", "since": "soon"}}


def test_records_without_a_key_have_one_each_and_the_same_each_time() -> None:
    conformer = Conformer(SCHEMA, ["id"])

    def key(**values: Any) -> str:
        row = record(id=None, **values)
        assert list(conformer.conform(row)) == ["id"]
        return str(row["id"])

    assert key(text="a") == key(text="a") != key(text="b")


def test_a_number_as_a_key_is_its_text() -> None:
    row = record(id=5)
    list(Conformer(SCHEMA, ["id"]).conform(row))
    assert row["id"] == "5"


def test_what_stands_in_the_place_of_a_row_is_kept() -> None:
    assert as_object({"a": 1}) == {"a": 1}
    assert as_object("text") == {"_row": "text"}
