"""JSONPath selectors: plain paths are followed directly, others by the SDK."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.jsonpath import extract_jsonpath

from tap_common.errors import EndlessListError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Record

_PLAIN = re.compile(r"\$(?P<outer>(\.\w+)*)(?P<each>\[\*\])?(?P<inner>(\.\w+)*)")


class EnvelopeError(ValueError):
    """A page does not have the shape that the selector expects."""


@cache
def _steps(path: str) -> tuple[list[str], bool, list[str]] | None:
    """The keys before and after `[*]`, or None where the path is not a plain one."""
    match = _PLAIN.fullmatch(path)
    if match is None:
        return None
    return match["outer"].split(".")[1:], bool(match["each"]), match["inner"].split(".")[1:]


def select(path: str, page: Any) -> Iterable[Any]:
    """The values that `path` names in a page.

    Raises:
        EnvelopeError: A key on the way is missing, or `[*]` meets something that is not a list. An answer
            of another shape must never look like an answer without rows.
    """
    if path == "$" and not (isinstance(page, dict) and page):
        raise EnvelopeError("expected an object with a field at least")
    steps = _steps(path)
    if steps is None:
        return extract_jsonpath(path, page)
    outer, each, inner = steps
    found = _follow(outer, page, path)
    if not each:
        return [_follow(inner, found, path)]
    if not isinstance(found, list):
        raise EnvelopeError(f"expected a list at {path}")
    return [_follow(inner, item, path) for item in found] if inner else found


def find(path: str, page: Any) -> Any:
    """The first value that `path` names in a page, or None where there is none."""
    try:
        return next(iter(select(path, page)), None)
    except EnvelopeError:
        return None


def of_value(rows: Iterable[Record], column: str, value: str | None, param: str) -> Iterator[Record]:
    """The rows of a list that was asked for with a value of one of their columns; None: with none.

    Raises:
        EndlessListError: There are rows, and none has the value: the API does not go by the parameter, and what it
            lists unasked may lack the rows that have it.
    """
    others = 0
    for row in rows:
        others = -1 if others < 0 or row.get(column) in (value, None) else others + 1
        yield row
    if value is not None and others > 0:
        raise EndlessListError(
            f"The API does not go by `{param}`: none of {others} rows has the {column} `{value}` that was asked for, "
            "so those that have it may be missing; try again later."
        )


def _follow(keys: list[str], value: Any, path: str) -> Any:
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise EnvelopeError(f"expected `{key}` of {path}")
        value = value[key]
    return value
