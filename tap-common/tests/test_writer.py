from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.singerlib.encoding.simple import RecordMessage, SchemaMessage, SimpleSingerWriter, StateMessage

from tap_common.output.writer import Writer

if TYPE_CHECKING:
    import pytest

plain = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=9)
numbers = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    plain | numbers, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@given(st.dictionaries(st.text(max_size=3), values, max_size=5))
def test_a_record_says_what_the_sdk_would_say(record: dict[str, object]) -> None:
    message = RecordMessage(stream="s", record=record, version=3, time_extracted=datetime(2026, 1, 2, tzinfo=UTC))

    ours, theirs = (json.loads(writer.serialize_message(message)) for writer in (Writer(), SimpleSingerWriter()))

    assert ours["record"] == theirs["record"] == record
    assert ours["version"] == 3
    assert datetime.fromisoformat(ours["time_extracted"]) == datetime.fromisoformat(theirs["time_extracted"])


def test_a_decimal_is_written_as_a_number() -> None:
    message = RecordMessage(stream="s", record={"amount": Decimal("12.30")})

    assert b'"amount":12.30' in Writer().serialize_message(message)


def test_a_schema_is_repeated_only_when_it_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    writer = Writer()
    for name in ("a", "a", "b", "a"):
        writer.write_message(SchemaMessage(stream="s", schema={"properties": {name: {}}}))
        writer.write_message(SchemaMessage(stream="other", schema={"properties": {}}))

    lines = [json.loads(line) for line in out.buffer.getvalue().splitlines()]
    assert [list(line["schema"]["properties"]) for line in lines if line["stream"] == "s"] == [["a"], ["b"], ["a"]]
    assert sum(line["stream"] == "other" for line in lines) == 1


def test_everything_before_a_state_is_out_when_the_state_is() -> None:
    raw = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(io.BufferedRandom(raw))):  # type: ignore[arg-type]  # raw enough
        writer = Writer()
        writer.write_message(RecordMessage(stream="s", record={"id": 1}))
        before = raw.getvalue()
        writer.write_message(StateMessage(value={"bookmarks": {}}))
        after = raw.getvalue()

    assert before == b""
    assert [json.loads(line)["type"] for line in after.splitlines()] == ["RECORD", "STATE"]
