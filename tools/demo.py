"""The demo: serve the sandbox, load it into DuckDB with Meltano, and show what arrived.

Each run finds the sandbox two days later, so that the second one has only to load what can have changed. It has its own
file, output/demo.duckdb, and its own state.
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
from rich.table import Column, Table
from rich.text import Text

from tap_common.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
BIN = ROOT / ".venv" / "bin"
WAREHOUSE = ROOT / "output" / "demo.duckdb"
RUNS = ROOT / "output" / "demo.json"
FIRST_DAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
APIS = {"tap-calendly": "calendly", "tap-bookings": "oncehub", "tap-luma": "luma", "tap-scheduler": "savvycal"}
# Nobody wants to wait for the vendors' limits here.
RATE = "--rate-limit=60000"
CHANGES = {
    "updated_at",
    "last_updated_time",
    "occurred_at",
    "created_at",
    "creation_time",
    "registered_at",
    "canceled_at",
}
"""Columns that tell when something changed."""
PATIENCE = 5
"""Seconds that the sandbox is given to end."""

QUESTIONS = {
    "Bookings per week, by the week in which they were made; reschedules apart": """
        with booked as (
            select 'Calendly' as source, created_at as booked_at from tap_calendly.event_invitees
                where not coalesce(rescheduled, false) and old_invitee is null
            union all by name select 'OnceHub' as source, creation_time as booked_at from tap_bookings.bookings
            union all by name select 'SavvyCal' as source, created_at as booked_at from tap_scheduler.events
            union all by name select 'Luma' as source, registered_at as booked_at from tap_luma.event_guests)
        pivot (
            select strftime(date_trunc('week', booked_at), '%Y-%m-%d') as week, source from booked
            where booked_at is not null)
        on source using count(*) group by week order by week desc limit 5""",
    "Cancellation rate": """
        with bookings as (
            select 'Calendly' as source, status = 'canceled' as canceled from tap_calendly.event_invitees
                where not coalesce(rescheduled, false)
            union all by name select 'OnceHub' as source, status = 'canceled' as canceled from tap_bookings.bookings
            union all by name select 'SavvyCal' as source, state = 'canceled' as canceled from tap_scheduler.events
            union all by name select 'Luma' as source, approval_status = 'declined' as canceled
                from tap_luma.event_guests where registered_at is not null)
        select source, count(*) as bookings, count(*) filter (where canceled) as canceled,
            round(100.0 * count(*) filter (where canceled) / count(*), 1) || ' %' as rate
        from bookings group by source order by source""",
    "No-show rate of what has taken place, where the API tells": """
        with past as (
            select 'Calendly' as source, i.no_show is not null as no_show
                from tap_calendly.event_invitees i join tap_calendly.scheduled_events e on e.uri = i.event
                where i.status = 'active' and e.end_time < (select max(updated_at) from tap_calendly.scheduled_events)
            union all by name select 'OnceHub' as source, status = 'no_show' as no_show
                from tap_bookings.bookings where status in ('completed', 'no_show')
            union all by name select 'Luma' as source, t.checked_in_at is null as no_show
                from tap_luma.event_tickets t join tap_luma.event_guests g on g.api_id = t.guest_id
                where g.approval_status = 'approved' and t._synced_at = g._synced_at
                    and g.event_end_at < (select max(registered_at) from tap_luma.event_guests))
        select source, count(*) as expected, count(*) filter (where no_show) as no_shows,
            round(100.0 * count(*) filter (where no_show) / count(*), 1) || ' %' as rate
        from past group by source order by source""",
}


def main() -> int:
    """Run the demo; the exit code is Meltano's."""
    console = Console(width=100)
    runs = json.loads(RUNS.read_text()) if RUNS.exists() and WAREHOUSE.exists() else 0
    now = FIRST_DAY + timedelta(days=2 * runs)
    began = datetime.now(UTC)
    with sandbox(now) as url:
        console.print(f"[bold]Sandbox[/] at {url}, where it is {now:%A, %d %B %Y}.")
        console.print("[bold]meltano run all-to-duckdb[/] …")
        with console.status("Loading"):
            code = load(url, anew=not runs)
        if code:
            console.print(f"The load failed with exit code {code}.", style="bold red")
            return code
        requested = len(json.load(urllib.request.urlopen(f"{url}/_world/requests")))  # noqa: S310 - our own server
    RUNS.write_text(json.dumps(runs + 1))
    seconds = (datetime.now(UTC) - began).total_seconds()
    rows = show(console, began)
    which = "Incremental run: what can have changed" if runs else "First run: everything"
    console.print(f"\n[bold]{which}[/], {rows:,} rows with {requested:,} requests in {seconds:.0f} s.")
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
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()


def load(url: str, *, anew: bool) -> int:
    """The job for all taps, pointed at this sandbox whatever .env and the environment say of a real one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TAP_", "TARGET_", "MELTANO_"))}
    urls = {f"{tap.upper().replace('-', '_')}_API_URL": f"{url}/{api}" for tap, api in APIS.items()}
    ours = {
        "MELTANO_ENVIRONMENT": "sandbox",
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "TARGET_DUCKDB_FILEPATH": str(WAREHOUSE),
    }
    command = [str(BIN / "meltano"), f"--env-file={os.devnull}", "--log-level=warning", "run", "--no-install"]
    command += ["--state-id-suffix=demo", *(["--full-refresh"] if anew else []), "all-to-duckdb"]
    return subprocess.run(command, cwd=ROOT, env=kept | urls | ours, check=False).returncode  # noqa: S603 - our own program


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
            "select schema_name || '.' || table_name, list(column_name) from duckdb_columns() "
            "where starts_with(schema_name, 'tap_') group by 1 order by 1"
        ).fetchall()
        for name, columns in tables:
            newest = f"max(greatest({', '.join(CHANGES & set(columns)) or 'null'}))"
            live = "where _sdc_deleted_at is null" if "_sdc_deleted_at" in columns else ""
            rows, written, latest = warehouse.execute(
                f"select count(*), count(*) filter (where _sdc_received_at >= ?), {newest}::varchar"  # noqa: S608 - names from the catalog
                f" from {name} {live}",
                [began],
            ).fetchone() or (0, 0, None)
            total += written
            table.add_row(*cells(*name.split("."), f"{rows:,}", f"{written:,}", (latest or "")[:19]))
        console.print(table)
        for question, sql in QUESTIONS.items():
            answer = warehouse.execute(sql)
            console.print(f"\n{question}")
            table = Table(*map(Column, cells(*(column[0] for column in answer.description or ()))))
            for row in answer.fetchall():
                table.add_row(*cells(*row))
            console.print(table)
    return total


def cells(*values: object) -> list[Text]:
    """Return a loaded value for a table: as plain text, without markup or terminal commands."""
    return [Text(printable(value)) for value in values]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
