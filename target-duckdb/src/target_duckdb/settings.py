"""The settings of the loader, under the names that meltano.yml files written for the known DuckDB loader use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from singer_sdk.plugin_base import JSONSchemaValidator

from target_duckdb.errors import LoadError
from target_duckdb.printable import named

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH_SIZE_ROWS = 100_000
MAX_LINE_BYTES = 32 << 20
LOCK_TIMEOUT = 60
ENV_PREFIX = "TARGET_DUCKDB_"
_TOLD = {"type", "enum", "minimum", "maximum", "pattern"}
ALIASES = {"path": "filepath", "add_metadata_columns": "add_record_metadata"}
"""Other names of settings."""
STORAGE_COMPATIBILITY_VERSION = "v1.0.0"
"""Oldest DuckDB whose files a new file is like: every 1.x from 1.1 on has opened such a file of DuckDB 2."""

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
        "max_line_bytes",
        th.IntegerType(minimum=1, maximum=1 << 40),
        default=MAX_LINE_BYTES,
        title="Longest line",
        description=(
            "Most bytes of a line of the input, or of a batch file; a longer one ends the load. A load takes up to 40 "
            "times the memory of its longest line."
        ),
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
        "on_missing_table",
        th.StringType,
        allowed_values=["warn", "fail"],
        default="warn",
        title="Missing tables",
        description=(
            "When the tap goes on from a state and the file has no table of one of its streams: `warn` loads what has "
            "changed since, and says that earlier rows are missing; `fail` ends the load, and writes no state."
        ),
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
        th.CustomType(
            {"type": ["number", "string"], "minimum": 0, "maximum": 31_536_000, "pattern": r"^[0-9]{1,8}(\.[0-9]+)?$"}
        ),
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
    *(
        th.Property(
            name,
            th.StringType,
            title="Database",
            description="Taken from the known loader's settings: the file's name without its ending, and no other.",
        )
        for name in ("database", "dbname")
    ),
    th.Property(
        "schema_mapping",
        th.CustomType({"type": ["object", "null"]}),
        title="Schemas",
        description="Taken from the known loader's settings where all of it names one `target_schema`.",
    ),
    th.Property("token", th.StringType, secret=True, title="Gone", description="MotherDuck is not written to."),
    th.Property(
        "settings",
        th.CustomType({"type": ["object", "null"]}),
        title="Gone",
        description="DuckDB's own settings are not taken.",
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


_GONE = {  # settings of the known loader that mean nothing here, and what to do instead
    "token": "this loader writes to files, not to MotherDuck. Remove it, and set filepath to a file.",
    "settings": "DuckDB's settings are the loader's own. Remove it; temp_dir, lock_timeout and "
    "storage_compatibility_version are settings here.",
}


def taken_over(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with the known loader's turned into ours.

    Raises:
        LoadError: One of them cannot be done; nothing of it is quoted that may be a secret.
    """
    settings = dict(config)
    for name, instead in _GONE.items():
        if settings.get(name):
            raise LoadError(f"The setting '{name}' of target-duckdb 0.8.0 is gone: {instead}")
    path = settings.get("filepath")
    for name in ("database", "dbname"):
        if isinstance(path, str) and (value := settings.get(name)) and value != Path(path).stem:
            raise LoadError(
                f"The setting '{name}' is not the name of the file, by which DuckDB calls the database of a file, here "
                f"{named(Path(path).stem)}. Remove the setting, or rename the file."
            )
    if isinstance(mapping := settings.get("schema_mapping"), dict) and mapping:
        schemas = {str(one.get("target_schema") or "") if isinstance(one, dict) else "" for one in mapping.values()}
        schemas |= {given} if (given := settings.get("default_target_schema")) else set()
        if len(schemas) > 1 or "" in schemas:
            raise LoadError(
                "The setting 'schema_mapping' names several schemas, and a run of this loader fills one. Remove it, "
                "set default_target_schema, and load the streams of each schema by a run of their own."
            )
        [settings["default_target_schema"]] = schemas
    return settings


def checked(config: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the settings with the defaults of others, and a sentence for each that is none, or not as it must be.

    No value is in a sentence: it may be a secret. What `stream_maps` hold is told of by `maps.fault`: the SDK's schema
    of `__else__` is none.
    """
    found = [f"There is no setting {named(name)}." for name in sorted(config.keys() - schema["properties"].keys())]
    filled = {name: value for name, value in config.items() if name != "stream_maps"}
    for error in JSONSchemaValidator({**schema, "additionalProperties": True}).iter_errors(filled):
        name = named(".".join(map(str, error.absolute_path)))
        told = f": {error.validator} {error.validator_value}" if error.validator in _TOLD else ""
        found.append(f"The setting {name} is not as it must be{told}.")
    if not isinstance(config.get("stream_maps"), dict | None):
        found.append("The setting 'stream_maps' is not as it must be: type object.")
    unprintable = (one for one in ("default_target_schema", "temp_dir") if not str(config.get(one) or "").isprintable())
    found += [f"The setting '{name}' holds a character that does not print." for name in unprintable]
    return {**config, **filled}, found


def resolved(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with `data_flattening_max_level`, and the ~ of a path, replaced by what it stands for."""
    settings = dict(config)
    settings.setdefault("validate_records", False)
    settings["default_target_schema"] = (settings.get("default_target_schema") or "").strip() or "main"
    for name in ("filepath", "temp_dir"):
        if path := settings.get(name):
            settings[name] = os.path.expanduser(path)  # noqa: PTH111  # Path's raises where there is no such user
    if level := settings.get("data_flattening_max_level"):
        settings |= {"flattening_enabled": True, "flattening_max_depth": level}
    return settings
