"""A server between a tap and the sandbox that changes answers in any way."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Change:
    """A change of one answer of a run, or of all of them.

    `value` is a status, a header with its text, a JSON value that takes the place of the `node`-th value of the body,
    or a body. `request` counts from 0; None: every answer.
    """

    kind: Literal["status", "header", "node", "body"]
    value: Any
    request: int | None = None
    node: int = 0


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container inside a JSON value with the key or the index of each value in it, depth first."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from nodes(inner)


def with_node(document: Any, number: int, value: Any) -> Any:
    """Return a JSON document in which another value is in the place of one; number 0 is the document itself."""
    places = list(nodes(document))
    chosen = number % (len(places) + 1)
    if chosen == 0:
        return value
    container, key = places[chosen - 1]
    container[key] = value
    return document


class Mangler(ThreadingHTTPServer):
    """Passes requests on to a server, and its answers back with the `changes` of the moment."""

    daemon_threads = True

    def __init__(self, origin: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.changes: Sequence[Change] = ()
        self.requests = 0
        self._origin = urlsplit(origin)
        self._counting = Lock()
        self._thread = Thread(target=self.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Address that stands for the origin's."""
        return f"http://127.0.0.1:{self.server_port}"

    @override
    def __enter__(self) -> Self:
        self._thread.start()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def begin(self, changes: Sequence[Change]) -> None:
        """Count requests from 0 again, and change their answers so."""
        self.changes, self.requests = changes, 0

    def due(self) -> list[Change]:
        """Count a request, and return the changes of its answer."""
        with self._counting:
            number, self.requests = self.requests, self.requests + 1
        return [change for change in self.changes if change.request in (None, number)]

    def connect(self) -> HTTPConnection:
        """Return a connection to the origin."""
        return HTTPConnection(str(self._origin.hostname), self._origin.port)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a client may hang up on an answer that it does not like."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Mangler

    def do_GET(self) -> None:
        due = self.server.due()
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        origin = self.server.connect()
        origin.request(self.command, self.path, sent, dict(self.headers))
        answer = origin.getresponse()
        status, body = str(answer.status), answer.read()
        origin.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() != "content-length"}
        for change in due:
            match change.kind:
                case "status":
                    status = change.value
                case "header":
                    headers |= [change.value]
                case "body":
                    body = change.value
                case "node":
                    with suppress(ValueError):
                        body = json.dumps(with_node(json.loads(body), change.node, change.value)).encode()
        lines = [f"HTTP/1.1 {status} Whatever\x1b[2J", *(f"{name}: {value}" for name, value in headers.items())]
        lines += [f"Content-Length: {len(body)}"] if "Content-Length" not in headers else []
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)
        self.close_connection = status != "200"

    do_POST = do_GET  # noqa: N815 - the name of the method

    @override
    def log_message(self, *_: object) -> None:
        """Stay silent."""
