"""Undocumented values in some objects of an API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sandbox.projection import Projection

# Fields that identify an object, in any of the APIs.
_IDENTITIES = ("uri", "id", "api_id")
_SHARE = 3


def with_odd_values(thing: Any, odd: Mapping[str, Any]) -> Any:
    """Return a decoded body, or a part of one, in which one of three objects has the value in `odd`, field by field.

    An object has it wherever it appears. A column that repeats a field of the row's event (`event_start_at`, in the
    truth alone) is null there.
    """
    if isinstance(thing, list):
        return [with_odd_values(item, odd) for item in thing]
    if not isinstance(thing, dict):
        return thing
    shown = {name: with_odd_values(value, odd) for name, value in thing.items()}
    identity = next((thing[name] for name in _IDENTITIES if name in thing), None)
    for name, value in odd.items():
        if name in thing and _is_odd(identity, name):
            shown[name] = value
        if f"event_{name}" in thing and _is_odd(thing.get("event_id"), name):
            shown[f"event_{name}"] = None
    return shown


def _is_odd(identity: object, name: str) -> bool:
    return identity is not None and crc32(f"{identity} {name}".encode()) % _SHARE == 0


class OddAnswers:
    """Middleware that puts the values of an API's switch `odd` into its responses."""

    def __init__(self, api: Projection, app: ASGIApp) -> None:
        self.api = api
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        await self.app(scope, receive, self._odd(send) if self.api.odd else send)

    def _odd(self, send: Send) -> Send:
        start: Message = {}

        async def send_odd(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            headers = dict(start["headers"])
            if headers.get(b"content-type") == b"application/json" and message.get("body"):
                body = with_odd_values(msgspec.json.decode(message["body"]), self.api.odd)
                message = {**message, "body": msgspec.json.encode(body)}
                headers[b"content-length"] = str(len(message["body"])).encode()
            await send({**start, "headers": list(headers.items())})
            await send(message)

        return send_odd
