"""Paging by offset, for APIs that number the rows of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.pagination import OffsetPaginator as SDKOffsetPaginator
from typing_extensions import override

if TYPE_CHECKING:
    import requests

    from tap_common.http.pagination import Signals


class OffsetPaginator(SDKOffsetPaginator):
    """Asks for the rows behind those that have come, until a page is empty or its flag says the end.

    A page may hold fewer rows than were requested without being the last: the next offset counts the rows that came.
    The stream's `cursor_param` names the parameter, such as `offset` or `skip`.
    """

    def __init__(self, signals: Signals) -> None:
        super().__init__(start_value=0, page_size=1)
        self.signals = signals

    @override
    def get_next(self, response: requests.Response) -> int | None:
        rows = len(self.signals.rows_of(response))
        said = self.signals.read(response)
        if not rows or (said.end and not said.more):
            return None
        return self.current_value + rows
