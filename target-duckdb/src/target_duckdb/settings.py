"""The settings of the loader, under the names that meltano.yml files written for the known DuckDB loader use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH_SIZE_ROWS = 100_000
LOCK_TIMEOUT = 60
STORAGE_COMPATIBILITY_VERSION = "v1.0.0"
"""Oldest DuckDB whose files a new file is like: every 1.x from 1.1 on has opened such a file of DuckDB 2."""

SETTINGS: dict[str, Any] = th.PropertiesList(
    th.Property(
        "filepath",
        th.StringType,
        title="File",
        description="Path of the DuckDB file. Required. The file and its folder are created if they are missing.",
    ),
    th.Property("path", th.StringType, title="File (alias)", description="Another name for `filepath`."),
    th.Property(
        "default_target_schema",
        th.StringType,
        default="main",
        title="Schema",
        description="DuckDB schema that holds the tables. It is created if it is missing.",
    ),
    th.Property(
        "batch_size_rows",
        th.IntegerType(minimum=1),
        default=BATCH_SIZE_ROWS,
        title="Rows per batch",
        description="Most rows of one stream that are written in one transaction.",
    ),
    th.Property(
        "add_metadata_columns",
        th.BooleanType,
        default=False,
        title="Metadata columns (alias)",
        description="Another name for `add_record_metadata`.",
    ),
    th.Property(
        "add_record_metadata",
        th.BooleanType,
        default=False,
        title="Metadata columns",
        description="Add the SDK's `_sdc_*` columns to every table.",
    ),
    th.Property(
        "hard_delete",
        th.BooleanType,
        default=False,
        title="Delete for good",
        description="Remove the rows that vanished from the source instead of marking them in `_sdc_deleted_at`.",
    ),
    th.Property(
        "data_flattening_max_level",
        th.IntegerType(minimum=0),
        default=0,
        title="Flattening (alias)",
        description="Above 0: `flattening_enabled`, with this `flattening_max_depth`.",
    ),
    th.Property(
        "validate_records",
        th.BooleanType,
        default=False,
        title="Validate records",
        description=(
            "Check every record against its JSON schema, which takes several times as long as the load. "
            "Off, every value is still checked against the type of its column."
        ),
    ),
    th.Property(
        "lock_timeout",
        # Meltano cannot hand over the number that it makes of an environment variable, but text.
        th.CustomType({"type": ["number", "string"], "minimum": 0, "pattern": r"^[0-9]+(\.[0-9]+)?$"}),
        default=LOCK_TIMEOUT,
        title="Wait for the file",
        description="Seconds to wait for another process that holds the file.",
    ),
    th.Property(
        "storage_compatibility_version",
        th.StringType,
        default=STORAGE_COMPATIBILITY_VERSION,
        title="Storage version",
        description=(
            "DuckDB version, such as `v1.5.0`, that can open a new file; `latest` for the newest storage format. "
            "A file that exists keeps its format."
        ),
    ),
    th.Property(
        "temp_dir",
        th.StringType,
        title="Temporary files",
        description="Existing folder for the file that a batch passes through. Default: the system's.",
    ),
    *(
        th.Property(
            name,
            th.CustomType({"type": ["string", "boolean", "null"]}),
            title="No effect",
            description="Taken from the known loader's settings and without effect here.",
        )
        for name in ("delimiter", "quotechar", "flush_all_streams", "primary_key_required")
    ),
).to_dict() | {"additionalProperties": False}


def resolved(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with every alias, and the ~ of a path, replaced by what it stands for."""
    settings = dict(config)
    settings.setdefault("validate_records", False)
    settings["filepath"] = settings.get("filepath") or settings.get("path")
    for name in ("filepath", "temp_dir"):
        if path := settings.get(name):
            settings[name] = os.path.expanduser(path)  # noqa: PTH111  # Path's raises where there is no such user
    settings["add_record_metadata"] = bool(settings.get("add_record_metadata") or settings.get("add_metadata_columns"))
    if level := settings.get("data_flattening_max_level"):
        settings |= {"flattening_enabled": True, "flattening_max_depth": level}
    return settings
