"""The parts of HTTP that the APIs have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]
"""A JSON object: a row of a list, or the body of a response."""


class Refusal(Exception):  # noqa: N818 -- a response, not an error of ours
    """A response with an error status. A `body` of None is empty; a string is sent as plain text."""

    def __init__(self, status: int, body: Row | str | None, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def respond(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response: JSON, but plain text for a string, and nothing for None."""
    if body is None:
        return Response(status_code=status, headers=headers)
    if isinstance(body, str):
        return PlainTextResponse(body, status, headers)
    return Response(msgspec.json.encode(body), status, headers, "application/json")


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """Return the bearer token of a request, if it carries one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None
