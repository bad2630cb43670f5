"""A tap of one list on tap_common, as the four taps are made. Settings: theirs, and `work` (flat or nested)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from singer_sdk import typing as th
from typing_extensions import override

from tap_common.settings import TEXT, common_settings, setting
from tap_common.stream import APIStream
from tap_common.tap import SchedulingTap

SCHEMAS: dict[str, Any] = json.loads(Path(__file__).with_name("schemas.json").read_text())


class Rows(APIStream):
    """One list of flat rows."""

    name = "rows"
    path = "/rows"
    records_jsonpath = "$.collection[*]"
    cursor_jsonpath = "$.pagination.next_page_token"
    cursor_param = "page_token"
    page_size_param = "count"
    primary_keys = ("id",)
    schema = SCHEMAS["flat"]


class NestedRows(Rows):
    """One list of nested rows."""

    primary_keys = ("uri",)
    schema = SCHEMAS["nested"]


class TapList(SchedulingTap):
    """The tap."""

    name = "tap-list"
    package_name = "scheduling-tap-common"
    api_name = "The server"
    stream_types = (Rows, NestedRows)
    key_hint = "any will do."
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        setting("api_key", TEXT, "Key", "Any.", secret=True),
        setting("work", TEXT, "Work", "flat or nested."),
        *common_settings(
            tap=name,
            api_url="http://127.0.0.1",
            lookback_days=30,
            requests_per_minute=1_000_000,
            start_date="Unused.",
        ),
        additional_properties=False,
    ).to_dict()

    @override
    def discover_streams(self) -> list[APIStream]:
        return [NestedRows(self) if self.config.get("work") == "nested" else Rows(self)]

    @override
    def check_connection(self) -> None:
        self.stream(NestedRows if self.config["work"] == "nested" else Rows).probe({})


if __name__ == "__main__":
    TapList.cli()
