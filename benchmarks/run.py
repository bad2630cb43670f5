"""Measures four taps and a loader beside their peers: `make bench`, `make bench-quick`, or one work alone.

.venv/bin/python benchmarks/run.py                          all works; writes RESULTS.md, results.svg, results.json
.venv/bin/python benchmarks/run.py --work flat --runs 1     one work, to the terminal; writes nothing
.venv/bin/python benchmarks/run.py --quick                  all works, small; writes nothing
.venv/bin/python benchmarks/run.py --page                   the page again, from results.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from side_by_side import environments, page, runner
from side_by_side.works import WORKS

if TYPE_CHECKING:
    from side_by_side.works import Work


def main() -> None:
    """Read the options; measure; write or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", action="append", choices=[work.name for work in WORKS], help="this work alone")
    parser.add_argument("--runs", type=int, help="runs of each program")
    parser.add_argument("--quick", action="store_true", help="small sizes, one run")
    parser.add_argument("--save", action="store_true", help="put the works that are run into results.json and the page")
    parser.add_argument("--page", action="store_true", help="make the page and the chart again from results.json")
    options = parser.parse_args()

    environments.prepare()
    if options.page:
        write_page()
        return
    began = time.monotonic()
    runner.choose_streams()
    chosen = [work for work in WORKS if not options.work or work.name in options.work]

    def measured(work: Work) -> dict[str, Any]:
        found = runner.run_work(work, quick=options.quick, rounds=options.runs)
        if saving:
            page.save(facts | {"works": [found]})
        return found

    saving = not options.quick and (options.save or not options.work)
    facts = {"machine": environments.machine(), "versions": environments.versions()}
    # Two works at a time where sizes are small: they say whether all is right, not how fast.
    with ThreadPoolExecutor(2) as pool:
        works = list(pool.map(measured, chosen) if options.quick else map(measured, chosen))
    if saving:
        write_page()
    page.show(works, goals=not options.quick)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)  # noqa: T201 - for whoever waited


def write_page() -> None:
    """RESULTS.md and results.svg from results.json."""
    results = json.loads(page.RESULTS.read_text())
    page.PAGE.write_text(page.text(results, page.reasons()))
    chart = [environments.python("bench"), "-m", "side_by_side.chart"]
    subprocess.run(chart, cwd=environments.FOLDER, check=True)  # noqa: S603 - our own


if __name__ == "__main__":
    main()
