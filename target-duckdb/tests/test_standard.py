from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_target_test_class

from target_duckdb.target import TargetDuckDB

if TYPE_CHECKING:
    from collections.abc import Iterator

_folder = tempfile.TemporaryDirectory()
_settings = {"filepath": str(Path(_folder.name) / "standard.duckdb")}


@pytest.fixture(scope="module", autouse=True)
def _cleared() -> Iterator[None]:
    yield
    _folder.cleanup()


StandardTests: Any = get_target_test_class(TargetDuckDB, config=_settings)
StandardTestsOfTheSdkSteps: Any = get_target_test_class(TargetDuckDB, config=_settings | {"add_record_metadata": True})


class TestStandard(StandardTests):  # type: ignore[misc]  # a class made at run time
    """The SDK's standard tests, on the direct way."""


class TestStandardWithSdkSteps(StandardTestsOfTheSdkSteps):  # type: ignore[misc]  # a class made at run time
    """The SDK's standard tests, through all of the SDK's steps."""
