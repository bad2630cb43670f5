"""What `--help` says beside the options."""

from __future__ import annotations

from target_duckdb.settings import SETTINGS

_NEEDED = ("filepath", "default_target_schema", "hard_delete")

BEFORE = f"""\
Singer target for DuckDB: reads Singer messages from standard input, loads every row, and writes to standard output the
state up to which all is loaded. Its log goes to standard error.

\b
Example:
  export TARGET_DUCKDB_FILEPATH=warehouse.duckdb
  tap-calendly --config=ENV | target-duckdb --config=ENV > states.jsonl
  tail -n 1 states.jsonl > state.json    # for --state of the next run

Settings: --config FILE reads them from a JSON object, --config=ENV from the environment (TARGET_DUCKDB_FILEPATH and so
on). Both may be given: the environment counts. Those that one needs:

{"".join(f"{name}: {SETTINGS['properties'][name]['description']}{chr(10) * 2}" for name in _NEEDED)}"""

AFTER = """\
\b
Exit codes:
  0         Everything was loaded.
  1         An error: the first line of level ERROR on standard error says
            which. Run the tap again with the last state.
  2         An option that does not exist, or lacks its value.
  130, 143  Ended by SIGINT or SIGTERM. Run the tap again with the last state.

Documentation: target-duckdb/README.md
"""

OPTIONS = {
    "version": "Print the version.",
    "about": "Print all settings, with their defaults.",
    "about_format": "How --about prints them.",
    "config": "A JSON file of settings, or ENV; may be given several times.",
    "file_input": "Read the messages from a file.",
}
