"""The SDK's own suite, with no stream exempted and none without records."""

from __future__ import annotations

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from sandbox import Sandbox
from tap_calendly.tap import TapCalendly

# The suite asks for the streams while it is collected.
SANDBOX = Sandbox(scale="tiny")
SANDBOX.__enter__()
SANDBOX.calendly.extra_fields = {stream.name: {"brand_new": True} for stream in TapCalendly.stream_types}
SANDBOX.calendly.extra_fields["locations"]["phone_number"] = 4930123456

CATALOG = TapCalendly(config={}, validate_config=False).catalog
for entry in CATALOG.streams:
    entry.metadata.root.selected = True

TestTapCalendly = get_tap_test_class(
    TapCalendly,
    config={"api_key": "sandbox-admin", "api_url": f"{SANDBOX.url}/calendly", "requests_per_minute": 60_000},
    suite_config=SuiteConfig(max_records_limit=50),
    catalog=CATALOG,
)
