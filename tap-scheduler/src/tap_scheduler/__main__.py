"""`python -m tap_scheduler`."""

from tap_scheduler.tap import TapScheduler

TapScheduler.cli()
