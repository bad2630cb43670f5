"""tap-calendly against an API whose rate window is scaled down: `BENCH_WINDOW` seconds instead of a minute."""

from __future__ import annotations

import os

from tap_calendly.tap import TapCalendly

TapCalendly.windows = (float(os.environ["BENCH_WINDOW"]),)

if __name__ == "__main__":
    TapCalendly.cli()
