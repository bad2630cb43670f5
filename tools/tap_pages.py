"""Fills the generated parts of docs/taps/*.md, each between its markers, from what the taps say of themselves.

In README.md it counts the streams.
"""

from __future__ import annotations

import re
import sys
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parent.parent
# Modules that describe the APIs, with the changes that a run of each sees.
sys.path += [str(folder) for folder in (ROOT / "tests" / "support", *(ROOT / "tests" / "support").glob("*/"))]

from apis import APIS  # noqa: E402 - see above
from costs import premise, table  # noqa: E402 - it needs the same
from relations import diagram, joins  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api import Api


def named(names: Iterable[str]) -> str:
    """Return names as Markdown."""
    return ", ".join(f"`{name}`" for name in names)


def streams(api: Api) -> str:
    """Return a table of a tap's streams."""
    lines = ["| stream | description | replication | primary key | selected by default |", "|---|---|---|---|---|"]
    for stream in api.tap(config={}, validate_config=False).streams.values():
        description = (getdoc(type(stream)) or "").partition("\n")[0].rstrip(".")
        replication = f"INCREMENTAL, `{stream.replication_key}`" if stream.replication_key else "FULL_TABLE"
        selected = "yes" if stream.selected_by_default else "no"
        lines.append(f"| `{stream.name}` | {description} | {replication} | {named(stream.primary_keys)} | {selected} |")
    return "\n".join(lines)


def reads(api: Api) -> str:
    """Return a table of what the API offers for each stream, and what a run reads.

    Raises:
        ValueError: An incremental stream is not in the list.
    """
    listed = {stream for entry in api.seen for stream in entry.streams}
    found = api.tap(config={}, validate_config=False).streams
    if missing := [name for name, stream in found.items() if stream.replication_key and name not in listed]:
        raise ValueError(f"{api.name}: nothing says what the API offers for {', '.join(missing)}")
    lines = ["| streams | what the API offers | what a run reads |", "|---|---|---|"]
    lines += [f"| {named(entry.streams)} | {entry.shows} | {entry.does} |" for entry in api.seen]
    others = named(name for name in found if name not in listed)
    everything = "The whole list. Rows that have disappeared are soft-deleted."
    return "\n".join([*lines, f"| {others} | Whole lists, without a changed-since filter. | {everything} |"])


def gaps(api: Api) -> str:
    """Return a table of the changes that daily runs miss."""
    lines = ["| streams | gap | workaround |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {named(one.streams)} | {one.what} | {one.remedy} |" for one in api.unseen)])


def requests(api: Api) -> str:
    """Return what runs cost, in requests."""
    return f"{premise(api.name)}\n\n{table(api.name)}"


PARTS = {"streams": streams, "diagram": diagram, "joins": joins, "reads": reads, "gaps": gaps, "requests": requests}
"""The parts of a page, by the word of their marker."""


def pages() -> dict[Path, str]:
    """Return the page of each tap, with its parts filled in, and README.md.

    Raises:
        ValueError: A page lacks a part.
    """
    written = {}
    for api in APIS:
        path = ROOT / "docs" / "taps" / f"{api.name}.md"
        text = path.read_text(encoding="utf-8")
        for part, made in PARTS.items():
            before, marker, rest = text.partition(f"<!-- {part} -->\n")
            _, end, after = rest.partition("<!-- end -->\n")
            if not (marker and end):
                raise ValueError(f"{path} has no part {part}, from <!-- {part} --> to <!-- end -->")
            text = f"{before}{marker}\n{made(api)}\n\n{end}{after}"
        written[path] = text
    readme = ROOT / "README.md"
    return written | {readme: counted(readme.read_text(encoding="utf-8"))}


def counted(text: str) -> str:
    """Return README.md, whose table of taps names some streams of each tap, with the number of the others."""
    for api in APIS:
        row = rf"^(\| \[{api.tap.name}\].*\| )(`[^|]+`) and \d+ more \|$"
        if found := re.search(row, text, re.MULTILINE):
            others = len(api.tap.stream_types) - found[2].count("`") // 2
            text = text.replace(found[0], f"{found[1]}{found[2]} and {others} more |")
    return text
