"""dlt's REST API source into files (JSONL) or DuckDB.

Options (JSON, the one argument): `url`, `work` (calendly, flat or nested), `destination` (filesystem or duckdb),
`folder` (state and results), `workers`, `cursor` (for second runs: updated_at or start_time), `defaults` (nested values
into tables of their own, INSERT statements; else nested values stay in their rows, as the other programs have them, and
DuckDB is loaded from parquet files).
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

options: dict[str, Any] = json.loads(sys.argv[1])
os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "EXTRACT__WORKERS": str(options.get("workers", 5)),
    "EXTRACT__MAX_PARALLEL_ITEMS": str(max(20, 4 * int(options.get("workers", 5)))),
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
}

import dlt  # noqa: E402 - reads the environment
from dlt.destinations import duckdb, filesystem  # noqa: E402 - the same
from dlt.sources.rest_api import rest_api_source  # noqa: E402 - the same

PAGED = {"type": "cursor", "cursor_path": "pagination.next_page_token", "cursor_param": "page_token"}
defaults = bool(options.get("defaults"))


def with_id(row: dict[str, Any]) -> dict[str, Any]:
    """A meeting with the id in the path of its invitees."""
    row["id"] = row["uri"].rpartition("/")[2]
    return row


def resources() -> list[dict[str, Any]]:
    """The lists of the work."""
    if options["work"] != "calendly":
        return [
            {
                "name": "rows",
                "primary_key": "id" if options["work"] == "flat" else "uri",
                "write_disposition": "append",
                "endpoint": {"path": "rows", "params": {"count": 100}, "data_selector": "collection"},
            }
        ]
    events: dict[str, Any] = {
        "name": "scheduled_events",
        "primary_key": "uri",
        "write_disposition": "append",
        "endpoint": {"path": "scheduled_events", "params": {"count": 100}, "data_selector": "collection"},
        "processing_steps": [{"map": with_id}],
    }
    if cursor := options.get("cursor"):
        incremental = {"cursor_path": cursor, "initial_value": "2000-01-01T00:00:00.000000Z"}
        if cursor == "start_time":
            incremental["start_param"] = "min_start_time"
        events["endpoint"]["incremental"] = incremental
    invitees = {
        "name": "event_invitees",
        "primary_key": "uri",
        "write_disposition": "append",
        "parallelized": True,
        "endpoint": {
            "path": "scheduled_events/{resources.scheduled_events.id}/invitees",
            "params": {"count": 100},
            "data_selector": "collection",
        },
    }
    return [events, invitees]


def main() -> None:
    """Extract, normalize and load."""
    folder = options["folder"]
    destination: Any = (
        filesystem(bucket_url=f"file://{folder}/files")
        if options["destination"] == "filesystem"
        else duckdb(f"{folder}/warehouse.duckdb")
    )
    source = rest_api_source(
        {
            "client": {
                "base_url": options["url"],
                "auth": {"type": "bearer", "token": "key"},
                "paginator": PAGED,
            },
            "resources": resources(),
        },
        name="bench",
    )
    pipeline = dlt.pipeline("bench", pipelines_dir=f"{folder}/state", destination=destination, dataset_name="loaded")
    if not defaults:
        source.max_table_nesting = 0
    quick = not defaults and options["destination"] == "duckdb"
    pipeline.run(source, loader_file_format="parquet" if quick else None).raise_on_failed_jobs()


if __name__ == "__main__":
    main()
