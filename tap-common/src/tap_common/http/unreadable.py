"""Reasons for which a response cannot be read, without quoting it."""

from __future__ import annotations

from http.client import HTTPException, IncompleteRead, NotConnected, RemoteDisconnected
from typing import TYPE_CHECKING

from requests.exceptions import InvalidHeader
from urllib3 import exceptions as broken

from tap_common.http.bounded import EncodingError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHY: tuple[tuple[type[BaseException], str], ...] = (
    (TooLargeError, "it is larger than the setting `max_response_mb` allows"),
    (EncodingError, "its compression was not requested"),
    (broken.DecodeError, "it cannot be decompressed"),
    (broken.IncompleteRead, "it is incomplete"),
    (IncompleteRead, "it is incomplete"),
    (InvalidHeader, "it is not HTTP"),
)


def unreadable_reason(error: BaseException) -> str | None:
    """Return the fault of a response, as the end of a sentence; None if the error is not about one."""
    found = list(error_chain(error))
    for kind, why in _WHY:
        if any(isinstance(cause, kind) for cause in found):
            return why
    broken_off = (RemoteDisconnected, NotConnected)
    odd = next((one for one in found if isinstance(one, HTTPException) and not isinstance(one, broken_off)), None)
    return f"it is not HTTP ({type(odd).__name__})" if odd else None


def error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all errors that caused it."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            linked = (getattr(one, name, None) for name in ("reason", "original_error"))
            waiting += [*one.args, *linked, one.__cause__, one.__context__]
