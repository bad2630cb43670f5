"""JSON that a user gives, in a file or a variable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_common.http.json import is_deep

if TYPE_CHECKING:
    from typing import NoReturn

DEEPEST = 100
"""Levels of lists and objects: the SDK, which walks through them, gives up at some three hundred."""


def loaded(text: str | bytes) -> Any:
    """Return the value of JSON text, in any encoding that JSON may have.

    Raises:
        ValueError: It is not JSON, or nested too deep.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError(_DEEP) from None
    if is_deep(value, DEEPEST):
        raise ValueError(_DEEP)
    return value


_DEEP = f"more than {DEEPEST} levels of lists and objects"


def _refuse(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python writes and JSON does not have."""
    raise ValueError(f"{name} is no number of JSON")
