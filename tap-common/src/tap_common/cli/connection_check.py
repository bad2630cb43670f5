"""The check of `--test`: the keys, their owners, and the streams that they can read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, cast

from singer_sdk.exceptions import SingerSDKError

from tap_common.cli.log import LONGEST
from tap_common.errors import ForbiddenError, NoSuchListError, NotFoundError
from tap_common.http.credential import CREDENTIAL
from tap_common.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_common.http.credential import Credential
    from tap_common.stream import APIStream
    from tap_common.tap import SchedulingTap

_WINDOWS = {60: "a minute"}
# Characters: a name or two, and a URI.
_LONGEST_OWNER = 300


class Verdict(Enum):
    """Result of the check of a stream."""

    YES = "yes"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    """A run would skip the stream, with a warning."""
    NO = "no"
    """A run would end with an error."""


@dataclass(frozen=True)
class Finding:
    """Result of the check of a stream, with a parent record for each of its children."""

    verdict: Verdict
    why: str = ""
    parents: Mapping[str, tuple[Credential | None, Record]] = field(default_factory=dict)
    """First record that each child would read a list for, with its credential, by the child's name."""
    rows: int = 0
    """Number of rows searched for those records."""


def check_streams(tap: SchedulingTap, write: Callable[[str], None]) -> bool:
    """Request a row of each stream, write a line about each, and return True if a run would succeed.

    Rows are not shown. Deselected streams are checked, too; bookmarks are ignored.

    Raises:
        TapError: The settings cannot be used, or a key does not work.
    """
    for bookmark in tap.state.get("bookmarks", {}).values():
        bookmark.pop("replication_key_value", None)
    tap.check_key()
    for which, credential in tap.keys.items():
        write(_line(f"{which} works", printable(tap.owner(credential), _LONGEST_OWNER), _limit(tap, credential)))
    tap.check_account()
    write("")
    findings: dict[str, Finding] = {}
    streams = cast("dict[str, APIStream]", tap.streams)
    on = [name for name, stream in streams.items() if stream.selected]
    for stream in streams.values():
        stream.selected = True  # so that all are checked
    width = max(map(len, streams))
    for name, stream in streams.items():
        kind = stream.parent_stream_type
        found = findings[name] = _finding(stream, findings[cast("type[APIStream]", kind).name] if kind else None)
        state = "   " if name in on else "off"
        write(_line(f"  {name:<{width}}  {state}  {found.verdict.value}", found.why))
    at_fault = [name for name in on if findings[name].verdict is Verdict.NO]
    skipped = [name for name in on if findings[name].verdict is Verdict.SKIPPED]
    write("")
    if at_fault:
        write(f"A run would end with an error because of {_names(at_fault)}: fix it as described, or deselect it.")
    else:
        without = f"; skipped: {_names(skipped)}" if skipped else ""
        write(f"OK: {len(on) - len(skipped)} of {len(streams)} streams selected and readable{without}.")
    return not at_fault


def _finding(stream: APIStream, parent: Finding | None) -> Finding:
    """Check a stream with each key, or a child with one parent record."""
    if parent is not None:
        if (known := _from_parent(stream, parent)) is not None:
            return known
        if stream.name in parent.parents:
            stream.credential, row = parent.parents[stream.name]
            stream.parents = [row]
    try:
        lists = stream.check_contexts
        if lists:
            return _check_lists(stream, lists)
    except SingerSDKError as error:
        return _failed(stream, error)
    if parent is None:
        return Finding(Verdict.UNKNOWN, "nothing to sync with these settings")
    if not parent.rows:
        return Finding(Verdict.UNKNOWN, "not checked: no parent records")
    return Finding(Verdict.UNKNOWN, f"not checked: none of {parent.rows} records of {_parent_name(stream)} has one")


def _from_parent(stream: APIStream, parent: Finding) -> Finding | None:
    """Return a child's result if its parent's decides it; None if it needs a request."""
    if parent.verdict in (Verdict.SKIPPED, Verdict.NO):
        return Finding(parent.verdict, f"depends on {_parent_name(stream)}")
    return None if stream.makes_requests else Finding(parent.verdict, f"embedded in {_parent_name(stream)}")


def _parent_name(stream: APIStream) -> str:
    return f"`{cast('type[APIStream]', stream.parent_stream_type).name}`"


def _check_lists(stream: APIStream, lists: Sequence[Context]) -> Finding:
    """Check a list of each key.

    Raises:
        SingerSDKError: A run would end with this error, or skip the stream.
    """
    parents: dict[str, tuple[Credential | None, Record]] = {}
    refusals: list[ForbiddenError] = []
    seen = 0
    for context in lists:
        try:
            rows, looked = _rows_for_children(stream, context)
        except ForbiddenError as refusal:
            refusals.append(refusal)
        else:
            parents = {name: (context.get(CREDENTIAL), row) for name, row in rows.items()} | parents
            seen += looked
    if refusals and (len(refusals) == len(lists) or not stream.skip_if_forbidden):
        raise refusals[0]
    of_all = f"with {len(lists) - len(refusals)} of {len(lists)} keys" if refusals else ""
    return Finding(Verdict.YES, of_all, parents, seen)


def _rows_for_children(stream: APIStream, context: Context) -> tuple[dict[str, Record], int]:
    """Request a page; return the first record that each child would read a list for, and the number of rows seen."""
    children = {child.name: cast("APIStream", child) for child in stream.child_streams}
    most = int(stream.config["page_size"]) if children else 1
    rows = islice(stream.read_list({**context, "page_size": most}), most)
    found: dict[str, Record] = {}
    looked = 0
    for row in rows if children else ():
        looked += 1
        record = stream.to_record(row, context)
        found = {name: record for name, child in children.items() if child.should_sync_parent(record)} | found
        if len(found) == len(children):
            break
    return found, looked


def _failed(stream: APIStream, error: SingerSDKError) -> Finding:
    """Return the result for an error."""
    why = str(error).replace(f" (stream `{stream.name}`)", "")
    child = stream.parent_stream_type is not None
    match error:
        case NoSuchListError():
            return Finding(Verdict.SKIPPED, f"{why}: this API, or this generation of it, does not have it")
        case ForbiddenError() if stream.skip_if_forbidden or child:
            return Finding(Verdict.SKIPPED, f"{why}: the plan or role of this key may not include it")
        case NotFoundError() if child:
            return Finding(Verdict.UNKNOWN, f"{why}: the parent record that was tried has none")
    return Finding(Verdict.NO, why)


def _limit(tap: SchedulingTap, credential: Credential) -> str:
    announced = credential.limiter.announced
    if announced is None:
        return f"the API reports no rate limit, `requests_per_minute` is {tap.config['requests_per_minute']}"
    seconds = int(tap.windows[-1])
    plan = tap.plans.get(announced)
    return f"{announced} requests {_WINDOWS.get(seconds, f'in {seconds} s')}{f', as of {plan}' if plan else ''}"


def _names(streams: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in streams)


def _line(*parts: str) -> str:
    """Return the non-empty parts as one printable line."""
    text = ": ".join([parts[0], "; ".join(filter(None, parts[1:]))] if any(parts[1:]) else parts[:1])
    return printable(text, LONGEST)
