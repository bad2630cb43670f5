"""What Meltano selects, and sentences about a selection that may not be what was meant.

Meltano hands its patterns to a tap in environment variables, with its own settings and those of the plugin.
"""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from tap_common.cli.given import loaded
from tap_common.printable import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_common.stream import APIStream

_SELECT = "MELTANO_EXTRACT__SELECT"
_FILTER = "MELTANO_EXTRACT__SELECT_FILTER"
_CATALOG = "MELTANO_EXTRACT__CATALOG"
_ENVIRONMENT = "MELTANO_ENVIRONMENT"
_EXTRACTOR = "MELTANO_EXTRACTOR_NAME"
_MOST = 5
"""Names in a sentence; of others it says how many they are."""


def patterns(environment: Mapping[str, str]) -> list[str]:
    """Return the patterns that Meltano selects by; none without Meltano, or with a catalog of the user's own."""
    return [] if environment.get(_CATALOG) else _listed(environment, _SELECT)


def _listed(environment: Mapping[str, str], variable: str) -> list[str]:
    try:
        return [str(pattern) for pattern in loaded(environment.get(variable) or "[]")]
    except (ValueError, TypeError):
        return []


def selected_now(streams: Collection[str], environment: Mapping[str, str]) -> set[str] | None:
    """Return which of these streams Meltano would select for a run; None where it does not say.

    A pattern is `stream.column`, and what one excludes no other selects.
    """
    chosen, filters = patterns(environment), _listed(environment, _FILTER)
    if not chosen:
        return None
    without = [stream for stream, column in _excluded(chosen) if column in ("", "*")]
    without += [stream for stream, _ in _excluded(filters)]
    only = _included(filters) or ["*"]
    return {
        stream
        for stream in streams
        if _matches(stream, _included(chosen)) and _matches(stream, only) and not _matches(stream, without)
    }


def _included(chosen: Sequence[str]) -> list[str]:
    return [pattern.partition(".")[0] for pattern in chosen if not pattern.startswith("!")]


def _excluded(chosen: Sequence[str]) -> list[tuple[str, str]]:
    parts = [pattern[1:].partition(".") for pattern in chosen if pattern.startswith("!")]
    return [(stream, column) for stream, _, column in parts]


def _matches(stream: str, wanted: Sequence[str]) -> bool:
    return any(fnmatch(stream, pattern) for pattern in wanted)


def nothing_selected(environment: Mapping[str, str]) -> str:
    """Return what probably is the matter where no stream is selected: a sentence after a blank, or nothing."""
    chosen = patterns(environment)
    if not chosen:
        return ""
    if _included(chosen):
        return f" Its patterns ({names(chosen)}) match no stream of this tap, or exclude what they match."
    where, plugin = environment.get(_ENVIRONMENT), environment.get(_EXTRACTOR)
    clear = (
        f", or take it away: `meltano --environment={printable(where)} select {printable(plugin)} --clear`"
        if where and plugin
        else ""
    )
    return (
        f" It excludes ({names(chosen)}) and names nothing to read: a `select` in an environment, or a variable, takes "
        f"the place of the extractor's. Name there what is to be read{clear}."
    )


def unusual(streams: Collection[APIStream], variable: str) -> Iterator[str]:
    """Return a sentence where most of what is on by default is off, and where what people wrote is on."""
    usual = [stream for stream in streams if stream.selected_by_default]
    if (off := [stream.name for stream in usual if not stream.selected]) and 2 * len(off) > len(usual):
        yield (
            f"Of the {len(usual)} streams that are on by default, {len(off)} are not selected: {names(off)}. "
            f"A `select` in an environment of meltano.yml, or `{variable}`, takes the place of the default selection."
        )
    words = [stream.name for stream in streams if not stream.selected_by_default and _reads_words(stream)]
    if words:
        yield (
            f"Selected, though off by default, because they hold what people wrote or said: {names(words)}. "
            "See docs/personal-data.md."
        )


def _reads_words(stream: APIStream) -> bool:
    columns: dict[str, Any] = stream.schema["properties"]
    return stream.selected and any(
        _holds_words(definition) and stream.mask["properties", name] for name, definition in columns.items()
    )


def _holds_words(definition: Mapping[str, Any]) -> bool:
    inner = [*definition.get("properties", {}).values(), *([definition["items"]] if "items" in definition else [])]
    return definition.get("x-personal") == "words" or any(map(_holds_words, inner))


def go_by_what_is_selected_now(streams: Collection[APIStream], environment: Mapping[str, str]) -> str | None:
    """Select what Meltano would for a run; return a sentence if that is not what the catalog selects.

    For a run Meltano writes a catalog first. For other options of the command it hands over the one of the last run.
    """
    now = selected_now([stream.name for stream in streams], environment)
    if now is None:
        return None
    on = [stream.name for stream in streams if stream.name in now and not stream.selected]
    off = [stream.name for stream in streams if stream.name not in now and stream.selected]
    for stream in streams:
        if stream.name in on:
            for entry in stream.metadata.values():
                entry.selected = True  # of what it leaves out, a catalog selects no column either
        stream.selected = stream.name in now
    if not on and not off:
        return None
    changes = [f"{names(changed)} now {state}" for changed, state in ((on, "on"), (off, "off")) if changed]
    return (
        f"Meltano's catalog has an older selection, that of the last run; this test goes by `select` as it is, with "
        f"{' and '.join(changes)}."
    )


def names(found: Sequence[str]) -> str:
    """Return names for a sentence: the first few, and how many there are besides."""
    shown = ", ".join(map(quoted, found[:_MOST]))
    return shown + (f" and {len(found) - _MOST} more" if len(found) > _MOST else "")
