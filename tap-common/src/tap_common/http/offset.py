"""Paging by offset, for APIs that number the rows of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.pagination import OffsetPaginator as SDKOffsetPaginator
from typing_extensions import override

from tap_common.errors import EndlessListError

if TYPE_CHECKING:
    import requests

    from tap_common.http.pagination import Signals


class OffsetPaginator(SDKOffsetPaginator):
    """Asks for the rows behind those that have come, until a page is empty or says the end by its flag or its total.

    A page is `{"items": [{"id": 1}, {"id": 2}], "total": 7}`. It may hold fewer rows than were requested without being
    the last: the next offset counts the rows that came. The stream's `cursor_param` names the parameter, such as
    `offset` or `skip`, `total_jsonpath` the place of the total.
    """

    def __init__(self, signals: Signals) -> None:
        super().__init__(start_value=0, page_size=1)
        self.signals = signals
        self._last: list[Any] = []

    @override
    def get_next(self, response: requests.Response) -> int | None:
        """Return the next offset, or None at the end.

        Raises:
            EndlessListError: The API sends the same page whatever the offset.
        """
        rows = self.signals.rows_of(response)
        ends = [self.signals.identity(row) for row in (*rows[:1], *rows[-1:])]
        if rows and ends == self._last:
            raise EndlessListError(
                f"{self.signals.where} sends the same page again for another `{self.signals.param}`, so the list would "
                "never end: the parameter has another name, or the list has no pages."
            )
        self._last = ends
        offset = self.current_value + len(rows)
        said, total = self.signals.read(response), self.signals.total_of(response)
        ended = said.end or (total is not None and offset >= total)
        return None if not rows or (ended and not said.more) else offset

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True  # `get_next` ends at an empty page; the SDK would log a line for each
