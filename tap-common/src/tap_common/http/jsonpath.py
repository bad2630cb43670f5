"""JSONPath: simple paths are followed here, which is faster; all others by the SDK."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.jsonpath import extract_jsonpath

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = re.compile(r"\$(?P<outer>(\.\w+)*)(?P<each>\[\*\])?(?P<inner>(\.\w+)*)")


class EnvelopeError(ValueError):
    """A page does not have the shape that a JSONPath expects."""


@cache
def _steps(path: str) -> tuple[list[str], bool, list[str]] | None:
    """Return the keys before and after `[*]`; None if the path is not a simple one."""
    match = _PLAIN.fullmatch(path)
    if match is None:
        return None
    return match["outer"].split(".")[1:], bool(match["each"]), match["inner"].split(".")[1:]


def select(path: str, page: Any) -> Iterable[Any]:
    """Return the values at a JSONPath in a page.

    Raises:
        EnvelopeError: A key is missing, or `[*]` stands for something other than a list: a page of another shape must
            not look like a page without rows.
    """
    if path == "$" and not (isinstance(page, dict) and page):
        raise EnvelopeError("expected an object with at least one field")
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
    """Return the first value at a JSONPath in a page; None if there is none."""
    try:
        return next(iter(select(path, page)), None)
    except EnvelopeError:
        return None


def _follow(keys: list[str], value: Any, path: str) -> Any:
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise EnvelopeError(f"expected `{key}` of {path}")
        value = value[key]
    return value
