"""What a stream is asked with to learn whether the keys may read it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from singer_sdk.streams.rest import RESTStream

from tap_common.access import ACCESS, Access

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_common.stream import Asked


class Tried(RESTStream[str], ABC):
    """The part of a stream that is tried before it is read."""

    @abstractmethod
    def asked(self) -> Iterable[Asked]:
        """What a run asks the endpoint with, a list at a time."""

    @property
    def tried_with(self) -> Sequence[Asked]:
        """What to ask the endpoint with to learn whether the keys may, a list for each key; none without a parent.

        Raises:
            SingerSDKError: That it cannot be asked is known already.
        """
        first: dict[Access | None, Asked] = {}
        for asked in self.asked():
            first.setdefault(asked.get(ACCESS), asked)
        return list(first.values())

    def probe(self, asked: Asked) -> None:
        """Ask for one row, to learn whether the key may.

        Raises:
            RequestError: It may not, or there is no such thing.
            AccessError: It may not, and the run cannot go on.
        """
        next(iter(self.request_records({**asked, "page_size": 1})), None)
