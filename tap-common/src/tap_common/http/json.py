"""JSON at the speed of msgspec."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import requests

decode = msgspec.json.Decoder().decode
"""Bytes to plain Python values."""
encode = msgspec.json.Encoder().encode
"""Plain Python values to bytes."""


def decoded(response: requests.Response) -> Any:
    """The body of an answer, decoded once however often it is asked for.

    Raises:
        ValueError: The body is not JSON.
    """
    cache = vars(response)
    if "decoded_json" not in cache:
        cache["decoded_json"] = decode(response.content.removeprefix(BOM_UTF8))
    return cache["decoded_json"]
