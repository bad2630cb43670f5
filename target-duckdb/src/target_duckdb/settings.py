"""The settings of the loader, under the names that meltano.yml files written for the known DuckDB loader use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from target_duckdb.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH_SIZE_ROWS = 100_000
LOCK_TIMEOUT = 60
ENV_PREFIX = "TARGET_DUCKDB_"
ALIASES = {"path": "filepath", "add_metadata_columns": "add_record_metadata"}
"""Other names of settings."""

SETTINGS: dict[str, Any] = th.PropertiesList(
    th.Property(
        "filepath",
        th.StringType,
        title="File",
        description="Path of the DuckDB file. Required. The file and its folder are created if they are missing.",
    ),
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


def renamed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings under their own names.

    Raises:
        LoadError: Two settings contradict each other.
    """
    settings = dict(config)
    for alias, name in ALIASES.items():
        value = settings.pop(alias, None)
        if value is None or (value is False and settings.get(name) is not None):
            continue  # Meltano hands over the defaults of an older definition too, and that of an alias was false
        if settings.get(name) not in (None, value):
            raise LoadError(f"Settings `{name}` and `{alias}` are one setting, and differ: leave one of them out.")
        settings[name] = value
    level, depth = settings.get("data_flattening_max_level"), settings.get("flattening_max_depth")
    if level and (depth not in (None, level) or settings.get("flattening_enabled") is False):
        raise LoadError(
            "Setting `data_flattening_max_level` contradicts `flattening_enabled` or `flattening_max_depth`: "
            "leave it or them out."
        )
    return settings


def resolved(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with `data_flattening_max_level`, and the ~ of a path, replaced by what it stands for."""
    settings = dict(config)
    settings.setdefault("validate_records", False)
    for name in ("filepath", "temp_dir"):
        if path := settings.get(name):
            settings[name] = os.path.expanduser(path)  # noqa: PTH111  # Path's raises where there is no such user
    if level := settings.get("data_flattening_max_level"):
        settings |= {"flattening_enabled": True, "flattening_max_depth": level}
    return settings
