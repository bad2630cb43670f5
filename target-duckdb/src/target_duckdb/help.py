"""Text of `--help`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_duckdb.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMON = ("filepath", "default_target_schema", "hard_delete")

INTRODUCTION = f"""\
Singer target for DuckDB: reads Singer messages from standard input, loads every record, and writes each STATE to
standard output once all records before it are committed. The log goes to standard error.

\b
Example:
  export TARGET_DUCKDB_FILEPATH=warehouse.duckdb
  tap-calendly --config=ENV | target-duckdb --config=ENV > states.jsonl
  tail -n 1 states.jsonl > state.json    # for --state of the next run

Settings: --config FILE reads a JSON object, --config=ENV the environment (TARGET_DUCKDB_FILEPATH and so on). Both may
be given; the environment overrides files. Common settings:

{"".join(f"{name}: {SETTINGS['properties'][name]['description']}{chr(10) * 2}" for name in _COMMON)}"""

EPILOG = """\
\b
Exit codes:
  0         All records are loaded.
  1         Error: the first line of level ERROR on standard error says
            which. Run the tap again with the last state.
  2         Unknown option, or an option without its value.
  130, 143  Ended by SIGINT or SIGTERM. Run the tap again with the last state.

Documentation: target-duckdb/README.md
"""

_OPTIONS = {
    "version": "Print the version.",
    "about": "Print all settings with their defaults.",
    "about_format": "Format of --about.",
    "config": "JSON file of settings, or ENV; may be given several times.",
    "file_input": "Read the messages from a file.",
}


def with_help(options: Sequence[click.Parameter]) -> list[click.Parameter]:
    """Return the SDK's options with our help; the input is read as bytes."""
    for option in options:
        if isinstance(option, click.Option) and option.name in _OPTIONS:
            option.help = _OPTIONS[option.name]
        if option.name == "file_input":
            option.type = click.File("rb")  # UTF-8, whatever the locale says
    return list(options)
