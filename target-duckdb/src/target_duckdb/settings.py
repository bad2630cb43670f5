"""The settings of the loader, with the names of the existing target-duckdb on PyPI, so that its meltano.yml works."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from singer_sdk.plugin_base import JSONSchemaValidator

from target_duckdb.errors import LoadError
from target_duckdb.printable import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BATCH_SIZE_ROWS = 100_000
MAX_LINE_BYTES = 32 << 20
LOCK_TIMEOUT = 60
ENV_PREFIX = "TARGET_DUCKDB_"
ALIASES = {"path": "filepath", "add_metadata_columns": "add_record_metadata"}
"""Other names of settings."""
STORAGE_COMPATIBILITY_VERSION = "v1.0.0"
"""Storage version of a new file: every DuckDB 1.x from 1.1 on has opened such a file of DuckDB 2."""

SETTINGS: dict[str, Any] = th.PropertiesList(
    th.Property(
        "filepath",
        th.StringType,
        title="File",
        description="Path of the DuckDB file. Required. The file and its folder are created if missing.",
    ),
    th.Property(
        "default_target_schema",
        th.StringType,
        default="main",
        title="Schema",
        description="DuckDB schema of the tables. It is created if missing.",
    ),
    th.Property(
        "batch_size_rows",
        th.IntegerType(minimum=1),
        default=BATCH_SIZE_ROWS,
        title="Rows per batch",
        description="Maximum rows of a stream per transaction.",
    ),
    th.Property(
        "max_line_bytes",
        th.IntegerType(minimum=1, maximum=1 << 40),
        default=MAX_LINE_BYTES,
        title="Longest line",
        description=(
            "Maximum bytes of a line of the input or of a batch file; a longer line ends the load. A load takes up to "
            "40 times the memory of its longest line."
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
        title="Hard delete",
        description="Delete rows that are gone from the source instead of soft-deleting them (`_sdc_deleted_at`).",
    ),
    th.Property(
        "data_flattening_max_level",
        th.IntegerType(minimum=0),
        default=0,
        title="Flattening (alias)",
        description="If above 0, enables flattening with this `flattening_max_depth`.",
    ),
    th.Property(
        "on_missing_table",
        th.StringType,
        allowed_values=["warn", "fail"],
        default="warn",
        title="Missing tables",
        description=(
            "If the tap resumes from a state and the file lacks the table of a stream: `warn` loads the records that "
            "have changed since and logs a warning that earlier rows are missing; `fail` ends the load without a STATE."
        ),
    ),
    th.Property(
        "validate_records",
        th.BooleanType,
        default=False,
        title="Validate records",
        description=(
            "Check every record against its JSON schema, which takes several times as long as the load. "
            "If off, every value is still checked against the type of its column."
        ),
    ),
    th.Property(
        "lock_timeout",
        # From an environment variable Meltano passes text, and no number.
        th.CustomType(
            {"type": ["number", "string"], "minimum": 0, "maximum": 31_536_000, "pattern": r"^[0-9]{1,8}(\.[0-9]+)?$"}
        ),
        default=LOCK_TIMEOUT,
        title="Lock timeout",
        description="Seconds to wait for another process to release the file.",
    ),
    th.Property(
        "storage_compatibility_version",
        th.StringType,
        default=STORAGE_COMPATIBILITY_VERSION,
        title="Storage version",
        description=(
            "Oldest DuckDB version, such as `v1.5.0`, that can open a new file; `latest` for the newest storage "
            "format. An existing file keeps its format."
        ),
    ),
    th.Property(
        "temp_dir",
        th.StringType,
        title="Temporary files",
        description="Existing folder for the temporary file of a batch. Default: the system's.",
    ),
    *(
        th.Property(
            name,
            th.CustomType({"type": ["string", "boolean", "null"]}),
            title="No effect",
            description="Setting of the existing target-duckdb on PyPI; accepted without effect.",
        )
        for name in ("delimiter", "quotechar", "flush_all_streams", "primary_key_required")
    ),
    *(
        th.Property(
            name,
            th.StringType,
            title="Database",
            description="Setting of the existing target-duckdb on PyPI; must be the file's name without its extension.",
        )
        for name in ("database", "dbname")
    ),
    th.Property(
        "schema_mapping",
        th.CustomType({"type": ["object", "null"]}),
        title="Schemas",
        description="Setting of the existing target-duckdb on PyPI; accepted if it names only one `target_schema`.",
    ),
    th.Property("token", th.StringType, secret=True, title="Not supported", description="MotherDuck is not supported."),
    th.Property(
        "settings",
        th.CustomType({"type": ["object", "null"]}),
        title="Not supported",
        description="DuckDB's own settings cannot be set.",
    ),
).to_dict() | {"additionalProperties": False}


def resolve_aliases(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings under their own names.

    Raises:
        LoadError: Two settings contradict each other.
    """
    settings = dict(config)
    for alias, name in ALIASES.items():
        value = settings.pop(alias, None)
        if value is None or (value is False and settings.get(name) is not None):
            continue  # Meltano also passes the defaults of an older definition, in which that of an alias was false
        if settings.get(name) not in (None, value):
            raise LoadError(f"Settings `{name}` and `{alias}` are the same setting, and differ: remove one.")
        settings[name] = value
    level, depth = settings.get("data_flattening_max_level"), settings.get("flattening_max_depth")
    if level and (depth not in (None, level) or settings.get("flattening_enabled") is False):
        raise LoadError(
            "Setting `data_flattening_max_level` contradicts `flattening_enabled` or `flattening_max_depth`: "
            "remove it or them."
        )
    return settings


_UNSUPPORTED = {  # setting of the existing target-duckdb on PyPI -> what to do instead
    "token": "this loader writes to files, not to MotherDuck. Remove it, and set filepath to a file.",
    "settings": "DuckDB's own settings cannot be set. Remove it; temp_dir, lock_timeout and "
    "storage_compatibility_version are settings here.",
}


def from_existing_loader(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with those of the existing target-duckdb on PyPI converted to ours.

    Raises:
        LoadError: A setting has no equivalent; the message quotes no value that may be a secret.
    """
    settings = dict(config)
    for name, instead in _UNSUPPORTED.items():
        if settings.get(name):
            raise LoadError(f"Setting `{name}` of target-duckdb 0.8.0 is not supported: {instead}")
    path = settings.get("filepath")
    for name in ("database", "dbname"):
        if isinstance(path, str) and (value := settings.get(name)) and value != Path(path).stem:
            raise LoadError(
                f"Setting `{name}` is not the name of the file, which DuckDB uses as the name of the database, here "
                f"{quoted(Path(path).stem)}. Remove the setting, or rename the file."
            )
    if isinstance(mapping := settings.get("schema_mapping"), dict) and mapping:
        schemas = {str(one.get("target_schema") or "") if isinstance(one, dict) else "" for one in mapping.values()}
        schemas |= {given} if (given := settings.get("default_target_schema")) else set()
        if len(schemas) > 1 or "" in schemas:
            raise LoadError(
                "Setting `schema_mapping` names several schemas, and a run of this loader fills one. Remove it, "
                "set default_target_schema, and load the streams of each schema in a separate run."
            )
        [settings["default_target_schema"]] = schemas
    return settings


def validate(config: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the settings with their defaults, and a sentence for each that is unknown or not valid.

    No sentence holds a value: it may be a secret. Faults within `stream_maps` are left to `maps.stream_map_error`,
    because the SDK's schema of `__else__` is not valid.
    """
    errors = [_unknown(name, schema["properties"]) for name in sorted(config.keys() - schema["properties"].keys())]
    filled = {name: value for name, value in config.items() if name != "stream_maps"}
    errors += [
        _invalid(quoted(".".join(map(str, error.absolute_path))), str(error.validator), error.validator_value)
        for error in JSONSchemaValidator({**schema, "additionalProperties": True}).iter_errors(filled)
    ]
    if not isinstance(config.get("stream_maps"), dict | None):
        errors.append("Setting `stream_maps` must be of type object.")
    unprintable = (one for one in ("default_target_schema", "temp_dir") if not str(config.get(one) or "").isprintable())
    errors += [f"Setting `{name}` contains a control character." for name in unprintable]
    return {**config, **filled}, errors


def _unknown(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"Setting {quoted(name)} is unknown{f'; did you mean `{close[0]}`?' if close else '.'}"


def _invalid(name: str, rule: str, expected: Any) -> str:
    match rule:
        case "type":
            kinds = [kind for kind in (expected if isinstance(expected, list) else [expected]) if kind != "null"]
            return f"Setting {name} must be of type {' or '.join(kinds)}."
        case "enum":
            return f"Setting {name} must be one of {', '.join(str(value) for value in expected)}."
        case "minimum" | "maximum":
            return f"Setting {name} is out of range ({rule} {expected})."
        case _:
            return f"Setting {name} is not valid ({rule})."


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with defaults filled in, `data_flattening_max_level` and the ~ of paths expanded."""
    settings = dict(config)
    settings.setdefault("validate_records", False)
    settings["default_target_schema"] = (settings.get("default_target_schema") or "").strip() or "main"
    for name in ("filepath", "temp_dir"):
        if path := settings.get(name):
            settings[name] = os.path.expanduser(path)  # noqa: PTH111  # that of Path raises for a user who does not exist
    if level := settings.get("data_flattening_max_level"):
        settings |= {"flattening_enabled": True, "flattening_max_depth": level}
    return settings
