"""What `--test` reports: whether the keys work, for whom, and which streams they can read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, cast

from singer_sdk.exceptions import SingerSDKError

from tap_common.cli.log_records import LONGEST
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
# Characters: a name or two, and the address of what is read.
_OF_AN_OWNER = 300


class Verdict(Enum):
    """What a run would make of a stream."""

    YES = "yes"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    """It would be left out, with a warning."""
    NO = "no"
    """It would end the run."""


@dataclass(frozen=True)
class Finding:
    """What asking the API for a stream has shown, and for its children a row each to ask with, by their names."""

    verdict: Verdict
    why: str = ""
    parents: Mapping[str, tuple[Credential | None, Record]] = field(default_factory=dict)
    rows: int = 0
    """How many rows were looked through for those."""


def checkup(tap: SchedulingTap, say: Callable[[str], None]) -> bool:
    """Ask for a row of each stream, say what came of it line by line, and return whether a run would go through.

    No row is shown. Streams that are off are asked for too. Nothing counts as read already.

    Raises:
        TapError: The settings cannot be used, or a key does not work.
    """
    for bookmark in tap.state.get("bookmarks", {}).values():
        bookmark.pop("replication_key_value", None)
    tap.check_key()
    for which, credential in tap.keys.items():
        say(_line(f"{which} works", printable(tap.owner(credential), _OF_AN_OWNER), _limit(tap, credential)))
    tap.check_account()
    say("")
    findings: dict[str, Finding] = {}
    streams = cast("dict[str, APIStream]", tap.streams)
    on = [name for name, stream in streams.items() if stream.selected]
    for stream in streams.values():
        stream.selected = True  # as if they were to be read
    width = max(map(len, streams))
    for name, stream in streams.items():
        kind = stream.parent_stream_type
        found = findings[name] = _finding(stream, findings[cast("type[APIStream]", kind).name] if kind else None)
        state = "   " if name in on else "off"
        say(_line(f"  {name:<{width}}  {state}  {found.verdict.value}", found.why))
    at_fault = [name for name in on if findings[name].verdict is Verdict.NO]
    skipped = [name for name in on if findings[name].verdict is Verdict.SKIPPED]
    say("")
    if at_fault:
        say(f"A run would end with an error, because of {_names(at_fault)}: mend it as it says there, or deselect it.")
    else:
        without = f", without {_names(skipped)}" if skipped else ""
        say(f"A run with these settings goes through: {len(on) - len(skipped)} of {len(streams)} streams{without}.")
    return not at_fault


def _finding(stream: APIStream, parent: Finding | None) -> Finding:
    """What asking for a stream shows: with each key, or for a child with one parent's row."""
    if parent is not None:
        if (known := _through(stream, parent)) is not None:
            return known
        if stream.name in parent.parents:
            stream.credential, row = parent.parents[stream.name]
            stream.parents = [row]
    try:
        lists = stream.check_contexts
        if lists:
            return _read_records(stream, lists)
    except SingerSDKError as error:
        return _refused(stream, error)
    if parent is None:
        return Finding(Verdict.UNKNOWN, "nothing to read with these settings")
    if not parent.rows:
        return Finding(Verdict.UNKNOWN, "no parents to ask with")
    return Finding(Verdict.UNKNOWN, f"looked at {parent.rows} of {_above(stream)}: none has one")


def _through(stream: APIStream, parent: Finding) -> Finding | None:
    """What the parent tells of a child; None where it has to be asked for."""
    if parent.verdict in (Verdict.SKIPPED, Verdict.NO):
        return Finding(parent.verdict, f"goes by {_above(stream)}")
    return None if stream.makes_requests else Finding(parent.verdict, f"comes with {_above(stream)}")


def _above(stream: APIStream) -> str:
    return f"`{cast('type[APIStream]', stream.parent_stream_type).name}`"


def _read_records(stream: APIStream, lists: Sequence[Context]) -> Finding:
    """What came of asking for some lists, one of each key.

    Raises:
        SingerSDKError: The run would not go on.
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
    """Ask for a page of a list: for each child, by name, the first row that it would visit; how many it looked at."""
    children = {child.name: cast("APIStream", child) for child in stream.child_streams}
    most = int(stream.config["page_size"]) if children else 1
    rows = islice(stream.read_list({**context, "page_size": most}), most)
    found: dict[str, Record] = {}
    looked = 0
    for row in rows if children else ():
        looked += 1
        shaped = stream.to_record(row, context)
        found = {name: shaped for name, child in children.items() if child.should_sync_parent(shaped)} | found
        if len(found) == len(children):
            break
    return found, looked


def _refused(stream: APIStream, error: SingerSDKError) -> Finding:
    """What a run makes of an error."""
    why = str(error).replace(f" (stream `{stream.name}`)", "")
    child = stream.parent_stream_type is not None
    match error:
        case NoSuchListError():
            return Finding(Verdict.SKIPPED, f"{why}: not offered by this API, or by this generation of it")
        case ForbiddenError() if stream.skip_if_forbidden or child:
            return Finding(Verdict.SKIPPED, f"{why}: the plan or the role of this key may not have it")
        case NotFoundError() if child:
            return Finding(Verdict.UNKNOWN, f"{why}: the parent that was asked with has none")
    return Finding(Verdict.NO, why)


def _limit(tap: SchedulingTap, credential: Credential) -> str:
    announced = credential.limiter.announced
    if announced is None:
        return f"the API tells no limit, `requests_per_minute` is {tap.config['requests_per_minute']}"
    seconds = int(tap.windows[-1])
    plan = tap.plans.get(announced)
    return f"{announced} requests {_WINDOWS.get(seconds, f'in {seconds} s')}{f', as of {plan}' if plan else ''}"


def _names(streams: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in streams)


def _line(*parts: str) -> str:
    """The parts that say something, in one line that acts on no terminal."""
    text = ": ".join([parts[0], "; ".join(filter(None, parts[1:]))] if any(parts[1:]) else parts[:1])
    return printable(text, LONGEST)
