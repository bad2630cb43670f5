"""Files of other versions of DuckDB."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import duckdb
import pytest

from .singer import INTEGER, TEXT, complaints, load, query, record, run, schema

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long

STORAGE = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal"
"""Oldest version whose files the file is like, as DuckDB says it."""


def make_newer(file: Path, storage: int, version: bytes) -> None:
    """Make the header of a file that of another storage and DuckDB version, with the right checksum."""
    header = bytearray(file.read_bytes()[:4096])
    header[12:20] = struct.pack("<Q", storage)
    header[52 : 52 + len(version)] = version
    checksum = 5381
    for word in struct.unpack("<511Q", header[8:]):
        checksum ^= word * 0xBF58476D1CE4E5B9 & (2**64 - 1)
    header[:8] = struct.pack("<Q", checksum)
    with file.open("r+b") as there:
        there.write(header)


def test_a_new_file_can_be_opened_by_every_1_x_unless_it_is_requested_otherwise(tmp_path: Path) -> None:
    messages = [schema("t", {"id": INTEGER, "name": TEXT}), record("t", id=1, name="a")]
    load(tmp_path / "a.duckdb", messages)
    load(tmp_path / "b.duckdb", messages, storage_compatibility_version="v1.5.0")
    load(tmp_path / "c.duckdb", messages, storage_compatibility_version="latest")
    assert query(tmp_path / "a.duckdb", STORAGE) == [("v1.0.0+",)]
    assert query(tmp_path / "b.duckdb", STORAGE) == [("v1.5.0+",)]
    assert query(tmp_path / "c.duckdb", STORAGE) != query(tmp_path / "a.duckdb", STORAGE)


def test_a_file_that_exists_keeps_its_format(file: Path) -> None:
    for version in ("v1.2.0", "v1.0.0", "latest"):
        load(file, [schema("t", {"id": INTEGER}), record("t", id=1)], storage_compatibility_version=version)
        assert query(file, STORAGE) == [("v1.2.0+",)]


def test_a_version_that_nobody_knows_is_refused_before_a_file_is_made(tmp_path: Path) -> None:
    done = run(tmp_path, [schema("t", {"id": INTEGER})], storage_compatibility_version="v4711")
    (complaint,) = complaints(done)
    assert complaint.startswith(
        f"Setting `storage_compatibility_version` is not a version known to DuckDB {duckdb.__version__}."
    )
    assert not (tmp_path / "a.duckdb").exists()


@pytest.mark.parametrize(
    ("storage", "version", "told"),
    [
        (9999, b"v9.9.9", f"was written by DuckDB 9.9.9, which is newer than the installed {duckdb.__version__}"),
        (63, b"v0.9.2", f"was written by DuckDB 0.9.2, and the installed {duckdb.__version__} cannot"),
        (9999, bytes(6), "was written by DuckDB of an unknown version, which is newer than"),
    ],
)
def test_a_file_that_this_duckdb_cannot_read_is_named_with_both_versions(
    tmp_path: Path, storage: int, version: bytes, told: str
) -> None:
    file = tmp_path / "a.duckdb"
    load(file, [schema("t", {"id": INTEGER})])
    make_newer(file, storage, version)
    (complaint,) = complaints(run(tmp_path, [schema("t", {"id": INTEGER})]))
    assert complaint.startswith(f"{file} {told}")
