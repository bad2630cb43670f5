"""Whole runs with a catalog, and with the ready stream maps."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import personal_data
from api import settings
from harness import Messages, VirtualClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api import Api
    from sandbox import Sandbox

Row = dict[str, Any]
SEED = "a secret of one's own"


def selected(api: Api, *, but: tuple[str, str] | None = None) -> dict[str, Any]:
    """A catalog that selects every stream and column, but for one column."""
    catalog: dict[str, Any] = json.loads(api.tap(config={}, validate_config=False).catalog_json_text)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = True
            elif but == (stream["stream"], entry["breadcrumb"][-1]):
                entry["metadata"]["selected"] = False
    return catalog


def synced(api: Api, sandbox: Sandbox, catalog: Mapping[str, Any], **config: Any) -> list[Row]:
    """The messages of a run."""
    messages = Messages()
    assert isinstance(sandbox.clock, VirtualClock)  # waits cost nothing: the tap and the limits go by the same clock
    tap = api.tap(
        config=settings(api, sandbox) | config,
        catalog=dict(catalog),
        clock=sandbox.clock,
        message_writer=messages,
    )
    try:
        tap.run()
    finally:
        tap.close()
        tap.pool.shutdown()
    return messages.read


def mapped(api: Api, mode: str) -> Row:
    """The settings in the ready files, or none."""
    if mode == "clear":
        return {}
    read: Row = json.loads((personal_data.MAPS / f"{api.tap.name}.{mode}.json").read_text(encoding="utf-8"))
    return read | ({"stream_map_config": {"hash_seed": SEED}} if mode == "hash" else {})


def rows(messages: list[Row]) -> dict[str, list[Row]]:
    """The rows of each stream, in order."""
    found: dict[str, list[Row]] = defaultdict(list)
    for message in messages:
        if message["type"] == "RECORD":
            found[message["stream"]].append(message["record"])
    return found
