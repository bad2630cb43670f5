"""Columns that a catalog does not list are in no record: of an earlier version, or edited by hand."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from api import settings
from calendly_api import CALENDLY
from commands import run
from harness import Messages

if TYPE_CHECKING:
    from pathlib import Path

    from api import Api
    from harness import VirtualClock
    from sandbox import Sandbox

pytestmark = pytest.mark.one_api

Catalog = dict[str, Any]


def everything(api: Api) -> Catalog:
    """The catalog of a tap, with every stream selected."""
    catalog: Catalog = json.loads(json.dumps(api.tap(config={"api_key": "key"}).catalog_dict))
    for entry in catalog["streams"]:
        for one in entry["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = True
    return catalog


def read(api: Api, sandbox: Sandbox, clock: VirtualClock, catalog: Catalog) -> list[dict[str, Any]]:
    """The messages of a run."""
    messages = Messages()
    tap = api.tap(config=settings(api, sandbox), catalog=catalog, clock=clock, message_writer=messages)
    try:
        tap.run()
    finally:
        tap.close()
    return messages.read


def unlisted(record: dict[str, Any], schema: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """Columns of a record, and fields of objects in them, that its schema does not list and the tap's own does."""
    listed, known = schema["properties"], own["properties"]
    found = [name for name in record if name in known and name not in listed]
    for name, value in record.items():
        inner = listed.get(name, {}).get("properties")
        if isinstance(value, dict) and inner:
            found += [f"{name}.{field}" for field in unlisted(value, listed[name], known[name])]
    return found


def count(messages: list[dict[str, Any]]) -> dict[str, int]:
    """Return the number of records of each stream."""
    streams = [message["stream"] for message in messages if message["type"] == "RECORD"]
    return {stream: streams.count(stream) for stream in streams}


@pytest.mark.parametrize("half", [0, 1])
def test_columns_that_the_catalog_lacks_are_in_no_record_and_children_have_their_keys(
    api: Api, sandbox: Sandbox, clock: VirtualClock, caplog: pytest.LogCaptureFixture, half: int
) -> None:
    whole = count(read(api, sandbox, clock, everything(api)))
    shorter = everything(api)
    for entry in shorter["streams"]:
        properties = entry["schema"]["properties"]
        for name in list(properties)[half::2]:
            inner = properties[name].get("properties")
            if inner and len(inner) > 1:
                inner.pop(next(iter(inner)))
            else:
                del properties[name]
    caplog.clear()

    with caplog.at_level(logging.WARNING):
        messages = read(api, sandbox, clock, shorter)

    tap_schemas = {entry["tap_stream_id"]: entry["schema"] for entry in everything(api)["streams"]}
    schemas = {one["stream"]: one for one in messages if one["type"] == "SCHEMA"}
    for message in messages:
        if message["type"] == "RECORD":
            schema = schemas[message["stream"]]
            own = tap_schemas[message["stream"]]
            assert message["record"].keys() <= schema["schema"]["properties"].keys()
            assert unlisted(message["record"], schema["schema"], own) == []
            assert all(message["record"][key] is not None for key in schema["key_properties"])
    assert count(messages) == whole
    assert [text for text in caplog.messages if "Not in the catalog" in text] == [
        next(text for text in caplog.messages if "Not in the catalog" in text)
    ]


def test_a_stream_map_meets_the_listed_columns_alone(calendly: Any, sandbox: Sandbox, clock: VirtualClock) -> None:
    catalog = everything(CALENDLY)
    for entry in catalog["streams"]:
        entry["schema"]["properties"].pop("name", None)
    messages = Messages()
    maps = {"event_invitees": {"domain": "email.split('@')[-1]"}}
    config = settings(CALENDLY, sandbox) | {"stream_maps": maps}
    tap = calendly.tap(config=config, catalog=catalog, clock=clock, message_writer=messages)
    try:
        tap.run()
    finally:
        tap.close()

    rows = [one["record"] for one in messages.read if one["type"] == "RECORD" and one["stream"] == "event_invitees"]
    assert rows
    assert all("domain" in row and "name" not in row for row in rows)


def test_a_catalog_that_only_selects_gets_every_column(api: Api, sandbox: Sandbox, clock: VirtualClock) -> None:
    selecting = everything(api)
    for entry in selecting["streams"]:
        entry["schema"] = {}

    assert count(read(api, sandbox, clock, selecting)) == count(read(api, sandbox, clock, everything(api)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"streams": {}},
        {"streams": [{"tap_stream_id": "contacts", "schema": [], "metadata": []}]},
        {"streams": [{"tap_stream_id": "contacts", "schema": {"properties": []}, "metadata": []}]},
        {"streams": [{"tap_stream_id": "contacts", "schema": {}, "metadata": [{"metadata": {}}]}]},
        {"streams": [{"tap_stream_id": "contacts", "schema": {}, "metadata": {"breadcrumb": []}}]},
    ],
    ids=json.dumps,
)
def test_a_catalog_that_is_none_gets_one_sentence(sandbox: Sandbox, tmp_path: Path, wrong: Catalog) -> None:
    (tmp_path / "catalog.json").write_text(json.dumps(wrong))
    (tmp_path / "config.json").write_text(json.dumps(settings(CALENDLY, sandbox)))

    done = run("tap-calendly", f"--config={tmp_path / 'config.json'}", f"--catalog={tmp_path / 'catalog.json'}")

    assert (done.code, done.out) == (1, "")
    [sentence] = done.errors
    assert sentence.startswith(("The catalog is not a Singer catalog; ", "The catalog's "))
    assert sentence.endswith(" with --discover.")
