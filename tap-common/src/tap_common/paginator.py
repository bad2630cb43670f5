"""Paging along a cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_common.errors import RequestError
from tap_common.fastjson import decoded
from tap_common.select import find

if TYPE_CHECKING:
    import requests


class CursorPaginator(BaseAPIPaginator[str | None]):
    """Follows a cursor until the API sends none, or says that nothing follows.

    The number of rows says nothing: an empty page that carries a cursor is followed. A cursor that comes twice
    would never end, and is an error. `jsonpath` is where a page holds the cursor, `more` where it holds whether
    more follow, if it does.
    """

    def __init__(self, jsonpath: str, more: str | None = None) -> None:
        super().__init__(None)
        self._jsonpath = jsonpath
        self._more = more
        self._seen: set[str] = set()

    @override
    def get_next(self, response: requests.Response) -> str | None:
        page = decoded(response)
        cursor = find(self._jsonpath, page)
        if not cursor or (self._more and not find(self._more, page)):
            return None
        if cursor in self._seen:
            raise RequestError("The API sent the same page token twice, so the list would never end; try again.")
        self._seen.add(cursor)
        return str(cursor)

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True
