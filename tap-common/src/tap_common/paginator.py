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
    """Follows a cursor until the API sends none.

    The cursor alone says whether there is more: an empty page that carries one is followed. A cursor that
    comes twice would never end, and is an error.
    """

    def __init__(self, jsonpath: str) -> None:
        super().__init__(None)
        self._jsonpath = jsonpath
        self._seen: set[str] = set()

    @override
    def get_next(self, response: requests.Response) -> str | None:
        cursor = find(self._jsonpath, decoded(response))
        if not cursor:
            return None
        if cursor in self._seen:
            raise RequestError("The API sent the same page token twice, so the list would never end; try again.")
        self._seen.add(cursor)
        return str(cursor)

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True
