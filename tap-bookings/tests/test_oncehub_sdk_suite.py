"""The SDK's own suite, with no stream exempted and none without records."""

from __future__ import annotations

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from sandbox import Sandbox
from tap_bookings.tap import TapBookings

# The suite asks for the streams while it is collected.
SANDBOX = Sandbox(scale="tiny")
SANDBOX.__enter__()
SANDBOX.oncehub.requests_per_minute = 60_000
SANDBOX.oncehub.extra_fields = {stream.name: {"brand_new": True} for stream in TapBookings.stream_types}

CATALOG = TapBookings(config={}, validate_config=False).catalog
for entry in CATALOG.streams:
    entry.metadata.root.selected = True

TestTapBookings = get_tap_test_class(
    TapBookings,
    config={"api_key": "sandbox-admin", "api_url": f"{SANDBOX.url}/oncehub", "requests_per_minute": 60_000},
    suite_config=SuiteConfig(max_records_limit=50),
    catalog=CATALOG,
)
