"""JSON, by msgspec."""

from __future__ import annotations

from codecs import BOM_UTF8
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import requests

decode = msgspec.json.Decoder().decode
"""Return the Python value of JSON bytes."""
encode = msgspec.json.Encoder().encode
"""Return the JSON bytes of a Python value."""

# Rows of these APIs have four or five levels; Python's recursion limit is below a thousand.
_DEEPEST = 50
_DEEP = f"more than {_DEEPEST} levels of lists and objects"
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def decoded(response: requests.Response) -> Any:
    """Return the body of a response, decoded once.

    Raises:
        ValueError: The body is not JSON, or nested so deeply that recursive functions would fail on it.
    """
    cache = vars(response)
    if "decoded_json" not in cache:
        content = response.content.removeprefix(BOM_UTF8)
        try:
            decoded_json = decode(content)
        except RecursionError:
            raise ValueError(_DEEP) from None
        if _may_be_deep(content) and is_deep(decoded_json, _DEEPEST):
            raise ValueError(_DEEP)
        cache["decoded_json"] = decoded_json
    return cache["decoded_json"]


def _may_be_deep(content: bytes) -> bool:
    """Return True if a body may be deeply nested; brackets within strings count, too. Fast, for most pages."""
    brackets = content.translate(None, _NO_BRACKETS)
    for _ in range(_DEEPEST):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def is_deep(value: Any, deepest: int) -> bool:
    """Return True if a value has more than `deepest` levels of lists and objects."""
    level = [value]
    for _ in range(deepest):
        nested = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = list(chain.from_iterable(nested))
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)
