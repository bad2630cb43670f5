"""Fixtures for the tests of every package, which know nothing of the settings of whoever runs them."""

import os

from hypothesis import HealthCheck, settings

# A machine that is busy with something else takes its time: that is no failure.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

pytest_plugins = ["serving"]

for name in [name for name in os.environ if name.startswith(("TAP_", "TARGET_"))]:
    del os.environ[name]
