"""JSON at the speed of msgspec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import requests

_MARK = b"\xef\xbb\xbf"
"""The byte-order mark of UTF-8, which some servers and editors put before the text."""

decode = msgspec.json.Decoder().decode
"""Bytes to plain Python values."""


def decoded(response: requests.Response) -> Any:
    """The body of an answer, decoded once however often it is asked for.

    Raises:
        ValueError: The body is not JSON.
    """
    cache = vars(response)
    if "decoded_json" not in cache:
        cache["decoded_json"] = decode(response.content.removeprefix(_MARK))
    return cache["decoded_json"]
