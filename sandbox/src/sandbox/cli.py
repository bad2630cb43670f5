"""The command line."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path

import click

from sandbox.server import Sandbox
from sandbox.world import SCALES


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Simulate the scheduling APIs on this machine."""


def moment(_: click.Context, __: click.Parameter, text: str) -> datetime:
    """Parse a time; without an offset it is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not like 2026-06-01T09:00:00Z") from error
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


@main.command()
@click.option("--port", default=8787, show_default=True, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--seed", default=7, show_default=True, help="Seed of the world: the same seed gives the same world.")
@click.option("--scale", default="demo", show_default=True, type=click.Choice(list(SCALES)), help="Size of the world.")
@click.option("--now", default="2026-06-01T09:00:00Z", show_default=True, callback=moment, help="Time at the start.")
@click.option("--rate-limit", type=click.IntRange(min=1), help="Requests per minute, in place of the vendors' limits.")
@click.option("--ready-file", type=click.Path(path_type=Path), help="File for the address, once the server listens.")
def serve(  # noqa: PLR0913, PLR0917 -- one value per option
    port: int, seed: int, scale: str, now: datetime, rate_limit: int | None, ready_file: Path | None
) -> None:
    """Serve the APIs until interrupted. The world's time starts at --now and flows."""
    # Blocked before any thread starts, so that no thread receives the signal and `sigwait` does.
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        sandbox = Sandbox(seed, scale, now, port=port, flow=True)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for api in sandbox.apis.values():
        api.requests_per_minute = rate_limit
    try:
        sandbox.__enter__()
    except OSError as error:
        raise click.ClickException(
            f"port {port} cannot be used ({error.strerror}); choose another with --port, or make sandbox PORT=…"
        ) from error
    if ready_file:
        ready_file.write_text(sandbox.url + "\n", encoding="utf-8")
    click.echo(f"sandbox listens on {sandbox.url} (seed {seed}, scale {scale})")
    for name, api in sandbox.apis.items():
        click.echo(f"  {name:9} {api.api_url}")
    signal.sigwait(ends)
    sandbox.__exit__(None, None, None)
