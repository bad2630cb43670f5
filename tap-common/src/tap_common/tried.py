"""What a stream is asked with to learn whether the keys may read it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from singer_sdk.streams.rest import RESTStream

from tap_common.http.credential import CREDENTIAL, Credential

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers.types import Context


class Tried(RESTStream[str], ABC):
    """The part of a stream that is tried before it is read."""

    @abstractmethod
    def contexts(self) -> Iterable[Context]:
        """What a run asks the endpoint with, a list at a time."""

    @property
    def check_contexts(self) -> Sequence[Context]:
        """What to ask the endpoint with to learn whether the keys may, a list for each key; none without a parent.

        Raises:
            SingerSDKError: That it cannot be asked is known already.
        """
        first: dict[Credential | None, Context] = {}
        for context in self.contexts():
            first.setdefault(context.get(CREDENTIAL), context)
        return list(first.values())

    def probe(self, context: Context) -> None:
        """Ask for one row, to learn whether the key may.

        Raises:
            RequestError: It may not, or there is no such thing.
            AccessError: It may not, and the run cannot go on.
        """
        next(iter(self.request_records({**context, "page_size": 1})), None)
