"""Fixtures for the tests of every package, which know nothing of the settings of whoever runs them."""

import os

pytest_plugins = ["serving"]

for name in [name for name in os.environ if name.startswith(("TAP_", "TARGET_"))]:
    del os.environ[name]
