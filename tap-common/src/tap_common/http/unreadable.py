"""Why an answer that has come cannot be read, in words that quote nothing of it."""

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
    (EncodingError, "it is compressed in a way that was not asked for"),
    (broken.DecodeError, "it cannot be decompressed"),
    (broken.IncompleteRead, "it breaks off"),
    (IncompleteRead, "it breaks off"),
    (InvalidHeader, "it is not HTTP"),
)


def fault(error: BaseException) -> str | None:
    """Return what is wrong with an answer, as the end of a sentence; None where the error is of another kind."""
    found = list(causes(error))
    for kind, why in _WHY:
        if any(isinstance(cause, kind) for cause in found):
            return why
    broken_off = (RemoteDisconnected, NotConnected)
    odd = next((one for one in found if isinstance(one, HTTPException) and not isinstance(one, broken_off)), None)
    return f"it is not HTTP ({type(odd).__name__})" if odd else None


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and those that it was made of."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            linked = (getattr(one, name, None) for name in ("reason", "original_error"))
            waiting += [*one.args, *linked, one.__cause__, one.__context__]
