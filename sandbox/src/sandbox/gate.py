"""The outermost application: it logs requests, injects faults, and moves the world's time."""

from __future__ import annotations

import asyncio
import socket
import struct
from codecs import BOM_UTF8
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from sandbox.control import PATH as CONTROL
from sandbox.simulation import RecordedRequest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sandbox.simulation import Simulation

OK = 200
JSON, HTML = b"application/json", b"text/html; charset=utf-8"
PAGE = b"<!DOCTYPE html><html><body><h1>Sorry</h1></body></html>"
STALE = (
    b'{"title":"Invalid Argument","message":"The supplied parameters are invalid.",'
    b'"details":[{"parameter":"page_token","message":"is invalid"}]}'
)
UNAUTHENTICATED = b'{"title":"Unauthenticated","message":"The access token is invalid"}'
ERROR = b'{"title":"Internal Server Error","message":"Something went wrong."}'
HALF = b'{"collection": [{"uri": "https://api.example/'
ANSWERS = {
    "204": (204, JSON, b""),
    "401": (401, JSON, UNAUTHENTICATED),
    "408": (408, HTML, PAGE),
    "425": (425, HTML, b""),
    "429": (429, JSON, b""),
    "429-retry-after": (429, JSON, b""),
    "500": (500, JSON, ERROR),
    "502-html": (502, HTML, PAGE),
    "503": (503, JSON, ERROR),
    "504": (504, JSON, ERROR),
    "html": (200, HTML, PAGE),
    "stale-token": (400, JSON, STALE),
    "empty-json": (200, JSON, b"{}"),
}
"""Status, content type and body of the faults that are complete responses."""
DATES = {"date-ahead": timedelta(days=10), "date-behind": timedelta(days=-10), "no-date": None}
"""Offset of the `Date` header of a good response; None: no header."""


class Gate:
    """The application in front of the APIs."""

    def __init__(self, simulation: Simulation, app: ASGIApp) -> None:
        self.simulation = simulation
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request, or inject a fault."""
        simulation = self.simulation
        simulation.follow_clock()
        arrived = simulation.clock()
        path: str = scope["path"]
        _, api, *rest = path.split("/", 2)
        query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)

        def log(status: int | None) -> None:
            if api == CONTROL:
                return
            name = simulation.key_name(api, scope["headers"])
            request = RecordedRequest(api, scope["method"], "/" + "".join(rest), query, status, name, arrived)
            simulation.requests.append(request)

        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self.dates(fault)]
                log(message["status"])
            await send(message)

        fault = None if api == CONTROL else self.prepare(scope["method"], path, query)
        if fault == "reset":
            log(None)
            await reset(scope, receive)
        elif fault == "truncated":
            await truncate(scope, receive, send_dated)
        elif fault in ANSWERS:
            status, kind, body = ANSWERS[fault]
            headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
            if fault == "429-retry-after":
                headers.append((b"retry-after", str(simulation.faults.retry_after).encode()))
            await send_dated({"type": "http.response.start", "status": status, "headers": headers})
            await send_dated({"type": "http.response.body", "body": body})
        else:
            if fault == "slow":
                await self.wait(simulation.faults.slow_seconds)
            understood = urlencode(simulation.signals.understood(api, query)).encode()
            forward = marked(send_dated) if fault == "byte-order-mark" else send_dated
            changing = self.changing(api, "/" + "".join(rest), query, forward)
            await self.app({**scope, "query_string": understood}, receive, changing)

    def changing(self, api: str, path: str, query: list[tuple[str, str]], send: Send) -> Send:
        """Return a `send` that changes the paging signals of a response, whose body is always in one message."""
        if not self.simulation.signals.to_change(api, path):
            return send
        start: Message = {}

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            if start["status"] == OK:
                headers = {name.decode(): value.decode() for name, value in start["headers"]}
                body = self.simulation.signals.answer(api, path, query, headers, message["body"])
                headers["content-length"] = str(len(body))
                start["headers"] = [(name.encode(), value.encode()) for name, value in headers.items()]
                message = {**message, "body": body}
            await send(start)
            await send(message)

        return send_changed

    def prepare(self, method: str, path: str, query: list[tuple[str, str]]) -> str | None:
        """Make the changes of the world that are due, and return the fault of a request, if it gets one."""
        self.simulation.make_due_changes()
        return self.simulation.faults.draw(method, path, query)

    def dates(self, fault: str | None) -> list[tuple[bytes, bytes]]:
        """Return the `Date` header, unless a fault removes it."""
        wrong_by = DATES.get(fault or "", timedelta(0))
        if wrong_by is None:
            return []
        return [(b"date", format_datetime(self.simulation.world.now + wrong_by, usegmt=True).encode())]

    async def wait(self, seconds: float) -> None:
        """Sleep on the sandbox's clock if it has `sleep`, in real time otherwise."""
        sleep = getattr(self.simulation.clock, "sleep", None)
        if sleep is None:
            await asyncio.sleep(seconds)
        else:
            sleep(seconds)


def marked(send: Send) -> Send:
    """Return a `send` that puts a byte-order mark before the body."""

    async def send_marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [pair for pair in message["headers"] if pair[0] != b"content-length"]
            await send(message)
            message = {"type": "http.response.body", "body": BOM_UTF8, "more_body": True}
        await send(message)

    return send_marked


async def until_gone(receive: Receive) -> None:
    """Wait until the connection is closed."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection before a byte is sent: closing a socket without lingering sends RST."""
    transport: asyncio.Transport = scope["state"]["transport"]
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await until_gone(receive)


async def truncate(scope: Scope, receive: Receive, send: Send) -> None:
    """Announce more bytes than are sent, then close the connection."""
    headers = [(b"content-type", JSON), (b"content-length", str(len(HALF) + 1000).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": HALF, "more_body": True})
    transport: asyncio.Transport = scope["state"]["transport"]
    transport.close()
    await until_gone(receive)
