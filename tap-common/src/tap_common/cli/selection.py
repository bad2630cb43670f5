"""Meltano's selection, and warnings about one that may be a mistake.

Meltano passes its `select` patterns to a tap in environment variables.
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
"""Maximum number of names in a message."""


def patterns(environment: Mapping[str, str]) -> list[str]:
    """Return Meltano's `select` patterns; none without Meltano, or if the user sets a catalog."""
    return [] if environment.get(_CATALOG) else _listed(environment, _SELECT)


def _listed(environment: Mapping[str, str], variable: str) -> list[str]:
    try:
        return [str(pattern) for pattern in loaded(environment.get(variable) or "[]")]
    except (ValueError, TypeError):
        return []


def current_selection(streams: Collection[str], environment: Mapping[str, str]) -> set[str] | None:
    """Return those of the streams that Meltano selects; None without patterns.

    A pattern is `stream.column`. Exclusions take precedence.
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


def empty_selection_hint(environment: Mapping[str, str]) -> str:
    """Return the likely reason for which no stream is selected, after a space; empty if it is not known."""
    chosen = patterns(environment)
    if not chosen:
        return ""
    if _included(chosen):
        return f" Its patterns ({list_names(chosen)}) match no stream of this tap, or exclude what they match."
    where, plugin = environment.get(_ENVIRONMENT), environment.get(_EXTRACTOR)
    clear = (
        f", or remove it: `meltano --environment={printable(where)} select {printable(plugin)} --clear`"
        if where and plugin
        else ""
    )
    return (
        f" Its patterns ({list_names(chosen)}) only exclude: a `select` in an environment, or a variable, replaces "
        f"that of the extractor. Add patterns to it that select streams{clear}."
    )


def selection_warnings(streams: Collection[APIStream], variable: str) -> Iterator[str]:
    """Yield a warning if most of the default streams are deselected, and if streams with people's messages are on."""
    usual = [stream for stream in streams if stream.selected_by_default]
    if (off := [stream.name for stream in usual if not stream.selected]) and 2 * len(off) > len(usual):
        yield (
            f"Of the {len(usual)} streams selected by default, {len(off)} are not selected: {list_names(off)}. "
            f"A `select` in an environment of meltano.yml, or `{variable}`, replaces the default selection."
        )
    words = [stream.name for stream in streams if not stream.selected_by_default and _reads_words(stream)]
    if words:
        yield (
            f"These selected streams are off by default, because they contain what people wrote or said: "
            f"{list_names(words)}. See docs/guides/personal-data.md."
        )


def _reads_words(stream: APIStream) -> bool:
    columns: dict[str, Any] = stream.schema["properties"]
    return stream.selected and any(
        _holds_words(definition) and stream.mask["properties", name] for name, definition in columns.items()
    )


def _holds_words(definition: Mapping[str, Any]) -> bool:
    inner = [*definition.get("properties", {}).values(), *([definition["items"]] if "items" in definition else [])]
    return definition.get("x-personal") == "words" or any(map(_holds_words, inner))


def apply_current_selection(streams: Collection[APIStream], environment: Mapping[str, str]) -> str | None:
    """Apply Meltano's selection; return a warning if the catalog has another one.

    Meltano writes a catalog before a run. For other options of the command it passes the catalog of the last run.
    """
    now = current_selection([stream.name for stream in streams], environment)
    if now is None:
        return None
    on = [stream.name for stream in streams if stream.name in now and not stream.selected]
    off = [stream.name for stream in streams if stream.name not in now and stream.selected]
    for stream in streams:
        if stream.name in on:
            for entry in stream.metadata.values():
                entry.selected = True  # the catalog deselects the columns of a deselected stream, too
        stream.selected = stream.name in now
    if not on and not off:
        return None
    changes = [f"{list_names(changed)} now {state}" for changed, state in ((on, "on"), (off, "off")) if changed]
    return (
        f"Meltano's catalog has the selection of the last run; this test uses the present `select`, with "
        f"{' and '.join(changes)}."
    )


def list_names(found: Sequence[str]) -> str:
    """Return the first few names for a message, and the number of the others."""
    shown = ", ".join(map(quoted, found[:_MOST]))
    return shown + (f" and {len(found) - _MOST} more" if len(found) > _MOST else "")
