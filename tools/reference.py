"""Writes docs/reference: settings, commands with their exit codes, and metadata columns, from what the plugins say."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from meltano_settings import PLUGINS, TAPS
from target_duckdb.settings import ALIASES
from target_duckdb.target import TargetDuckDB

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk.plugin_base import PluginBase

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "reference"
SHOWN = 10
"""Streams that are named; of more, the number is."""
OF_THE_SDK = ("stream_map", "flattening", "batch_config", "faker")

SETTINGS = """# Settings

Written by `make docs` from the taps and the loader. `--about` of each command prints the same.

A setting goes into the environment, into `.env` or under `config` in a Meltano file: `start_date` of tap-luma is
`TAP_LUMA_START_DATE`. Without Meltano, `--config FILE` reads a JSON object and `--config=ENV` the environment. You can
give several: later files override earlier ones, and the environment overrides all files.

An unknown name in a config file is an error. In the environment, only names that are close to a setting's name are
reported.

Every tap and the loader also take the SDK's `stream_maps`, `stream_map_config` and
[`flattening_*`](https://sdk.meltano.com/en/latest/guides/flattening.html); the taps take
[`batch_config`](../guides/loaders.md#rows-in-files).

## All taps

{common}

{taps}

## target-duckdb

{loader}

`delimiter`, `quotechar`, `flush_all_streams`, `primary_key_required`, `database`, `dbname`, `schema_mapping`, `token`
and `settings` exist only for
[compatibility with 0.8.0](../guides/switching-from-target-duckdb-0.8.0.md#what-becomes-of-the-settings).
"""

COMMANDS = """# Commands and exit codes

Written by `make docs` from `--help`. The four taps take the same options; their settings are in
[Settings](settings.md).

Logs go to standard error, without colors. A run that takes longer reports its progress every ten seconds.
`TAP_CALENDLY_LOGLEVEL=WARNING` and so on, or `meltano --log-level=warning`, show warnings and errors only;
`SINGER_SDK_LOG_CONFIG` names a logging configuration of your own.

{commands}
"""

COLUMNS = """# Metadata columns

Written by `make docs` from the schemas.

## Columns that the taps add

{taps}

In tap-calendly, `id` is the last segment of `uri`, and each `x_id` the last segment of the URI in `x`. In tap-luma, a
field that the API has renamed is in both columns: `id` and `api_id`, `user_id` and `user_api_id`, and so on.

## Columns that the loader adds

With `add_record_metadata` (on in this project), target-duckdb and other SDK targets add:

| column | meaning |
|---|---|
| `_sdc_extracted_at` | time at which the tap read the record |
| `_sdc_received_at` | time at which the loader received it |
| `_sdc_batched_at` | time at which its batch was written |
| `_sdc_deleted_at` | time at which the row was soft-deleted; null for rows that exist at the source |
| `_sdc_sequence` | order in which the loader received the records, in milliseconds since 1970 |
| `_sdc_table_version` | version of a full-table sync that the row belongs to |
| `_sdc_sync_started_at` | time at which the load started, in milliseconds since 1970 |

target-duckdb adds `_sdc_table_version` and `_sdc_deleted_at` where they are needed, whatever the setting says:
[deleted rows](../concepts/deleted-rows.md).
"""


def own(plugin: type[PluginBase]) -> dict[str, Any]:
    """Return a plugin's own settings, without the SDK's."""
    properties = plugin.config_jsonschema["properties"]
    return {name: setting for name, setting in properties.items() if not name.startswith(OF_THE_SDK)}


def shown(value: object) -> str:
    """Return a default as Markdown."""
    return "" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def defaults(name: str) -> str:
    """Return the default that a setting has in every tap, or that of each tap."""
    each = {tap.name: shown(own(tap)[name].get("default")) for tap in TAPS}
    values = set(each.values())
    return values.pop() if len(values) == 1 else "<br>".join(f"{tap}: {value}" for tap, value in each.items())


def table(settings: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return a table of settings."""
    lines = ["| setting | default | description |", "|---|---|---|"]
    for name in names:
        aliases = "".join(f" (or `{alias}`)" for alias, meant in ALIASES.items() if meant == name)
        secret = " (secret)" if settings[name].get("secret") else ""
        default = settings[name].get("default")
        default = default if isinstance(default, str) and "`" in default else shown(default)
        lines.append(f"| `{name}`{aliases}{secret} | {default} | {settings[name]['description']} |")
    return "\n".join(lines)


def settings() -> str:
    """Return the page of all settings: what the taps share once, then those of each."""
    each = [own(tap) for tap in TAPS]
    shared = [
        name
        for name in each[0]
        if all(name in one for one in each)
        and name != "user_agent"
        and len({one[name]["description"] for one in each}) == 1
    ]
    common = {name: each[0][name] | {"default": defaults(name)} for name in shared}
    parts = [f"## {tap.name}\n\n{table(own(tap), [name for name in own(tap) if name not in shared])}" for tap in TAPS]
    loader = own(TargetDuckDB)
    current = [
        name for name, one in loader.items() if not re.match("Taken from|MotherDuck|DuckDB's own", one["description"])
    ]
    return SETTINGS.format(common=table(common, shared), taps="\n\n".join(parts), loader=table(loader, current))


def commands() -> str:
    """Return the page of commands: the help of one tap, which stands for all, and of the loader."""
    parts = []
    for name, heading in ((TAPS[0].name, "## Taps"), (TargetDuckDB.name, "## target-duckdb")):
        outcome = CliRunner().invoke(PLUGINS[name].cli, ["--help"], prog_name=name, terminal_width=78)
        parts.append(f"{heading}\n\n```console\n$ {name} --help\n{outcome.output.strip()}\n```")
    return COMMANDS.format(commands="\n\n".join(parts))


def columns() -> str:
    """Return the page of metadata columns: those that begin with an underscore in any schema."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for tap in TAPS:
        for stream in tap(config={}, validate_config=False).streams.values():
            for name, definition in stream.schema["properties"].items():
                if name.startswith("_"):
                    sentence = definition["description"].partition(". ")[0].rstrip(".") + "."
                    found[name, sentence].append(f"`{tap.name}.{stream.name}`")
    lines = ["| column | meaning | streams |", "|---|---|---|"]
    for (name, sentence), streams in sorted(found.items(), key=lambda one: (one[0][0], -len(one[1]))):
        shown_streams = ", ".join(streams) if len(streams) <= SHOWN else f"{len(streams)} streams"
        lines.append(f"| `{name}` | {sentence} | {shown_streams} |")
    return COLUMNS.format(taps="\n".join(lines))


def pages() -> dict[Path, str]:
    """Return each page with its text."""
    return {
        FOLDER / "settings.md": settings(),
        FOLDER / "commands.md": commands(),
        FOLDER / "metadata-columns.md": columns(),
    }
