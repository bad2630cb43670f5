"""SavvyCal: no history of meetings and runs is found after which the warehouse is not the source."""

from __future__ import annotations

import pytest

from history import SOAK, search, soak
from savvycal_api import SAVVYCAL


@pytest.mark.timeout(900)
def test_after_every_run_of_every_history_the_warehouse_equals_the_source() -> None:
    search(SAVVYCAL)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_soak() -> None:
    soak(SAVVYCAL, SOAK)
