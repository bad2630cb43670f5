"""A value that is not what the vendor documents is one record's problem, in every column of every stream."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, cast

import pytest
from jsonschema import Draft7Validator, FormatChecker

from harness import Messages
from tap_common.redact import Redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api import Api
    from harness import Runner
    from sandbox import Sandbox
    from tap_common.stream import APIStream

# What identifies an object, and what the run's first requests need.
pytestmark = pytest.mark.one_api

KEPT = {"uri", "id", "api_id", "current_organization", "organization"}
ODD: dict[str, Any] = {
    "an empty text": "",
    "a number": 1767225600,
    "a word": "soon",
    "a week": "2026W05",
    "the first year": "0001-01-01T00:00:00Z",
    "the last year": "9999-12-31T23:59:59-12:00",
    "an object": {"a": "b"},
    "a reference": {"id": "somewhere-else"},
    "a list": ["a"],
    "a list of nothing": [None],
    "true": True,
}
checker = FormatChecker()


@checker.checks("date-time")
def is_date_time(value: object) -> bool:
    form = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)"
    return not isinstance(value, str) or bool(re.fullmatch(form, value))


def columns(api: Api) -> list[str]:
    """Every column of every stream, and every field of the objects in them."""

    def within(schema: dict[str, Any]) -> Iterator[str]:
        for name, column in (schema.get("properties") or {}).items():
            yield name
            yield from within(column)
        if isinstance(schema.get("items"), dict):
            yield from within(schema["items"])

    tap = api.tap(config={"api_key": "key"})
    names = {name for stream in tap.streams.values() for name in within(stream.schema)}
    return sorted(name for name in names - KEPT if not name.startswith("_"))


def holds(value: Any, odd: Any) -> bool:
    """Return whether a column holds the value as it came, or an object with more fields."""
    return bool(value == odd or (isinstance(odd, dict) and isinstance(value, dict) and odd.items() <= value.items()))


@pytest.mark.parametrize("case", [(what, half) for what in ODD for half in (0, 1)], ids=str)
def test_every_record_is_written_fits_its_schema_and_keeps_the_value_in_extra(
    api: Api, sandbox: Sandbox, runner: Runner, caplog: pytest.LogCaptureFixture, case: tuple[str, int]
) -> None:
    odd, names = ODD[case[0]], columns(api)[case[1] :: 2]
    getattr(sandbox, api.name).odd = dict.fromkeys(names, odd)
    messages = Messages()
    runner.select = lambda _name, _default: True
    tap = runner.build(messages)

    try:
        with caplog.at_level(logging.WARNING):
            tap.run()
    finally:
        tap.close()

    schemas: dict[str, Draft7Validator] = {}
    written: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for message in messages.read:
        name = message.get("stream", "")
        if message["type"] == "SCHEMA":
            schemas[name] = Draft7Validator(message["schema"], format_checker=checker)
        elif message["type"] == "RECORD":
            row = message["record"]
            assert [error.json_path for error in schemas[name].iter_errors(row)] == []
            written.setdefault(name, {})[tuple(row[key] for key in api.keys(name))] = row
    met = 0
    for stream_name in set(written) - api.snapshots:
        for thing in sandbox.truth(api.name, stream_name):
            key = tuple(thing.get(key) for key in api.keys(stream_name))
            row = written[stream_name].get(key) if all(isinstance(part, str | int) for part in key) else None
            if row is None:
                continue  # its key is one of the odd values
            for name in names:
                if name in cast("APIStream", tap.streams[stream_name]).parent_keys:
                    continue  # the API's own row is without it
                secret = isinstance(tap.streams[stream_name], Redacted)  # `tests/test_secret_rows.py`
                if thing.get(name) != odd or name not in row or secret or holds(row[name], odd):
                    continue
                met += 1
                assert row["_extra"][name] == odd, (stream_name, name)
    assert met
    said = [record.getMessage() for record in caplog.records if "does not fit" in record.getMessage()]
    assert said
    assert len(said) == len(set(said))


def test_what_stands_in_the_place_of_a_row_is_kept_and_its_children_are_not_requested(
    calendly: Any, sandbox: Sandbox
) -> None:
    tap = calendly.build()
    stream: APIStream = tap.streams["contacts"]

    row = stream.to_record({"_row": "no object"}, {})
    again = stream.to_record({"_row": "no object"}, {})
    other = stream.to_record({"_row": ["another"]}, {})

    assert row["_extra"] == {"_row": "no object"}
    assert row["uri"] == again["uri"] != other["uri"]
    assert row["uri"].startswith("unknown-")
    assert sandbox.requests == []
