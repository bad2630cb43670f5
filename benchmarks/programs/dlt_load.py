"""dlt's DuckDB destination alone: the rows of a file of Singer messages.

Options (JSON, the one argument): `file`, `folder` (state and results), `defaults` (as in dlt_rest.py).
"""

from __future__ import annotations

import json
import os
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

import dlt
from dlt.common.json import json as fast_json
from dlt.destinations import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator


def rows(path: str) -> Iterator[list[dict[str, Any]]]:
    """The file's rows, a thousand at a time, as dlt advises."""
    with open(path, "rb") as file:  # noqa: PTH123 - read in lines
        found = (fast_json.loadb(line)["record"] for line in file if line.startswith(b'{"type":"RECORD"'))
        while batch := list(islice(found, 1000)):
            yield batch


def main() -> None:
    """Normalize and load."""
    options: dict[str, Any] = json.loads(sys.argv[1])
    folder = options["folder"]
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=f"{folder}/state",
        destination=duckdb(f"{folder}/warehouse.duckdb"),
        dataset_name="loaded",
    )
    defaults = options.get("defaults")
    nesting = None if defaults else 0
    source = dlt.resource(rows(options["file"]), name="rows", write_disposition="append", max_table_nesting=nesting)
    pipeline.run(source, loader_file_format=None if defaults else "parquet").raise_on_failed_jobs()


if __name__ == "__main__":
    main()
