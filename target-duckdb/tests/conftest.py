"""Fixtures of the loader's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A DuckDB file that does not exist yet."""
    return tmp_path / "a.duckdb"
