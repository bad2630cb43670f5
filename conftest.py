"""Fixtures for the tests of every package, which know nothing of the settings of whoever runs them."""

from __future__ import annotations

import os
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

# A machine that is busy with something else takes its time: that is no failure.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

pytest_plugins = ["serving"]

for name in [name for name in os.environ if name.startswith(("TAP_", "TARGET_"))]:
    del os.environ[name]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests marked `one_api` to one API each in `make test`: the others are `long`, for `make check`."""
    from apis import APIS  # noqa: PLC0415 - on the path by then

    names = sorted(api.name for api in APIS)
    for item in items:
        api = getattr(getattr(item, "callspec", None), "params", {}).get("api")
        if api is None or item.get_closest_marker("one_api") is None:
            continue
        name = getattr(item, "originalname", item.name)
        if api.name != names[crc32(name.encode()) % len(names)]:
            item.add_marker(pytest.mark.long)
