"""The demo: serve the sandbox, load it into DuckDB with Meltano, and show what arrived.

Each run finds the sandbox two days later, so that the second one has changes to load and nothing else.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
BIN = ROOT / ".venv" / "bin"
WAREHOUSE = ROOT / "output" / "sandbox.duckdb"
RUNS = ROOT / "output" / "demo.json"
FIRST_DAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
SCHEMA = "tap_calendly"
# The vendor allows 500 requests a minute; nobody wants to wait for that here.
RATE = "--rate-limit=60000"

QUESTIONS = {
    "Bookings per week, by the week in which they were made": """
        select strftime(date_trunc('week', created_at), '%Y-%m-%d') as week, count(*) as bookings
        from tap_calendly.event_invitees where not coalesce(rescheduled, false)
        group by 1 order by 1 desc limit 5""",
    "Cancellation rate, reschedules apart": """
        select count(*) as bookings,
            count(*) filter (where status = 'canceled') as canceled,
            round(100.0 * canceled / bookings, 1) || ' %' as rate
        from tap_calendly.event_invitees where not coalesce(rescheduled, false)""",
    "No-show rate of the meetings that have taken place": """
        select count(*) as invited,
            count(*) filter (where i.no_show is not null) as no_shows,
            round(100.0 * no_shows / invited, 1) || ' %' as rate
        from tap_calendly.event_invitees i join tap_calendly.scheduled_events e on e.uri = i.event
        where i.status = 'active' and e.end_time < (select max(updated_at) from tap_calendly.scheduled_events)""",
}


def main() -> int:
    """Run the demo; the exit code is Meltano's."""
    console = Console(width=100)
    runs = json.loads(RUNS.read_text()) if RUNS.exists() and WAREHOUSE.exists() else 0
    now = FIRST_DAY + timedelta(days=2 * runs)
    began = datetime.now(UTC)
    with sandbox(now) as url:
        console.print(f"[bold]Sandbox[/] at {url}, where it is {now:%A, %d %B %Y}.")
        console.print("[bold]meltano run tap-calendly target-duckdb[/] …")
        with console.status("Loading"):
            code = load(url)
        asked = len(json.load(urllib.request.urlopen(f"{url}/_world/requests")))  # noqa: S310 - our own server
    if code:
        console.print(f"The load failed with exit code {code}.", style="bold red")
        return code
    RUNS.write_text(json.dumps(runs + 1))
    seconds = (datetime.now(UTC) - began).total_seconds()
    rows = show(console, began)
    which = "Incremental run: what can have changed" if runs else "First run: everything"
    console.print(f"\n[bold]{which}[/], {rows:,} rows with {asked:,} requests in {seconds:.0f} s.")
    console.print("Run `make demo` again: it is two days later at the source.")
    return 0


@contextmanager
def sandbox(now: datetime) -> Iterator[str]:
    """A sandbox on a free port, ended in any case."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready"
        server = subprocess.Popen(  # noqa: S603 - our own program
            [BIN / "sandbox", "serve", f"--port={port}", f"--now={now.isoformat()}", f"--ready-file={ready}", RATE],
            stdout=subprocess.DEVNULL,
        )
        try:
            while not ready.exists():
                if server.poll() is not None:
                    sys.exit("The sandbox did not start; its message is above.")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def load(url: str) -> int:
    """The job that everybody runs, pointed at this sandbox whatever .env says."""
    environment = os.environ | {
        "MELTANO_ENVIRONMENT": "sandbox",
        "TAP_CALENDLY_API_URL": f"{url}/calendly",
        "TAP_CALENDLY_API_KEY": "sandbox-admin",
    }
    command = [str(BIN / "meltano"), "--log-level=warning", "run", "--no-install", "tap-calendly", "target-duckdb"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 - our own program


def show(console: Console, began: datetime) -> int:
    """The tables, and the answers to three questions; how many rows this run has written."""
    with duckdb.connect(WAREHOUSE, read_only=True) as warehouse:
        console.print(f"\n{WAREHOUSE.relative_to(ROOT)}")
        table = Table("schema", "table")
        for column in ("rows", "this run"):
            table.add_column(column, justify="right")
        table.add_column("newest change")
        total = 0
        tables: list[tuple[str, list[str]]] = warehouse.execute(
            "select table_name, list(column_name) from duckdb_columns() where schema_name = ? group by 1 order by 1",
            [SCHEMA],
        ).fetchall()
        for name, columns in tables:
            newest = next((c for c in ("updated_at", "occurred_at", "created_at") if c in columns), "null")
            live = "where _sdc_deleted_at is null" if "_sdc_deleted_at" in columns else ""
            rows, written, latest = warehouse.execute(
                f"select count(*), count(*) filter (where _sdc_received_at >= ?), max({newest})::varchar"  # noqa: S608 - names from the catalog
                f' from {SCHEMA}."{name}" {live}',
                [began],
            ).fetchone() or (0, 0, None)
            total += written
            table.add_row(SCHEMA, name, f"{rows:,}", f"{written:,}", (latest or "")[:19])
        console.print(table)
        for question, sql in QUESTIONS.items():
            answer = warehouse.execute(sql)
            console.print(f"\n{question}")
            table = Table(*(column[0] for column in answer.description or ()))
            for row in answer.fetchall():
                table.add_row(*map(str, row))
            console.print(table)
    return total


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
