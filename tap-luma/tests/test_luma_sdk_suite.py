"""The SDK's own suite, with no stream exempted and none without records."""

from __future__ import annotations

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from sandbox import Sandbox
from tap_luma.tap import TapLuma

# The suite asks for the streams while it is collected.
SANDBOX = Sandbox(scale="tiny")
SANDBOX.__enter__()
SANDBOX.luma.extra_fields = {stream.name: {"brand_new": True} for stream in TapLuma.stream_types}
SANDBOX.luma.extra_fields["events"] |= {"description": "As of old", "description_md": "As of *old*"}
SANDBOX.luma.requests_per_minute = 60_000

CATALOG = TapLuma(config={}, validate_config=False).catalog
for entry in CATALOG.streams:
    entry.metadata.root.selected = True

TestTapLuma = get_tap_test_class(
    TapLuma,
    config={
        "api_key": "sandbox-admin",
        "organization_api_key": "sandbox-organization",
        "api_url": f"{SANDBOX.url}/luma",
        "requests_per_minute": 60_000,
    },
    suite_config=SuiteConfig(max_records_limit=50),
    catalog=CATALOG,
)
