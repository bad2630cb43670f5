"""Each tap's INCREMENTAL.md, made from the list that the search for lost data goes by."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from meltano_settings import MELTANO

ROOT = Path(__file__).parent.parent
# Where the lists are.
sys.path += [str(folder) for folder in (ROOT / "tests" / "support", *(ROOT / "tests" / "support").glob("*/"))]

from apis import APIS  # noqa: E402 - see above
from costs import premise, table  # noqa: E402 - see above

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api import Api

PAGE = """# What the runs of {tap} see

After every whole run the warehouse equals the source, but for what is listed below. This page is made from the list
that the search for lost data goes by (`tests/support/apis/{api}_visibility.py`): `tests/test_histories_{api}.py` lets
hundreds of histories happen at the source, with runs that are broken off, repeated, disturbed and set anew between
them, and compares the warehouse with the source after each. A difference that no line here explains fails it.

## What the API lets one see, and what the tap does

{seen}

## What is not seen, and how to close it

{unseen}

## Everything in full

The job `{job}` of [meltano.yml](../meltano.yml) reads all streams in full and tells the target what is left, so
that it marks or removes what is gone. It has a state of its own: the daily runs go on from theirs. Once, or every week
by cron:

```sh
.venv/bin/meltano run {job}
```

```crontab
{interval}  cd /path/to/this/folder && .venv/bin/meltano schedule run weekly-{job}
```

It costs what a first run costs. With `start_date`, what lies before it is marked as well; set back to an earlier date,
it has to run once more. `meltano run --full-refresh` reads everything again, too, but does not tell the target what is
gone from incremental streams, and where it breaks off, only another one makes
the warehouse whole.

## What it costs, in requests

{premise}

{costs}
"""


def named(streams: Iterable[str]) -> str:
    """Streams, as text."""
    return ", ".join(f"`{stream}`" for stream in streams)


def seen(api: Api) -> str:
    """What the API lets one see, as a table.

    Raises:
        ValueError: An incremental stream is not named.
    """
    told = {stream for entry in api.seen for stream in entry.streams}
    streams = api.tap(config={}, validate_config=False).streams
    if silent := [name for name, stream in streams.items() if stream.replication_key and name not in told]:
        raise ValueError(f"{api.name}: nothing says what the API lets one see of {', '.join(silent)}")
    lines = ["| streams | what the API lets one see | what a run does |", "|---|---|---|"]
    lines += [f"| {named(entry.streams)} | {entry.shows} | {entry.does} |" for entry in api.seen]
    others = named(name for name in streams if name not in told)
    everything = "In full. After its last row a version is announced: the target marks or removes what is gone."
    return "\n".join([*lines, f"| {others} | Whole lists, without a filter by change. | {everything} |"])


def unseen(api: Api) -> str:
    """What is not seen, as a table."""
    lines = ["| streams | what | how to close it |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {named(one.streams)} | {one.what} | {one.remedy} |" for one in api.unseen)])


def pages() -> dict[Path, str]:
    """Each page with its text."""
    schedules = YAML(typ="safe").load(MELTANO)["schedules"]
    intervals = {schedule["name"]: schedule["interval"] for schedule in schedules}
    return {
        ROOT / api.tap.name / "INCREMENTAL.md": PAGE.format(
            tap=api.tap.name,
            api=api.name,
            job=f"{api.tap.name.removeprefix('tap-')}-in-full",
            seen=seen(api),
            unseen=unseen(api),
            interval=intervals[f"weekly-{api.tap.name.removeprefix('tap-')}-in-full"],
            premise=premise(api.name),
            costs=table(api.name),
        )
        for api in APIS
    }
