"""The server that all programs ask: bodies that were made before the first request, and next to nothing per request.

    python -m side_by_side.server --shape calendly --size 2000

It prints its port, then serves until it is terminated. `/bench/reset` sets the counters to nought, puts back what has
changed and opens a new rate window; `/bench/change` lets ten things happen and a day pass; `/bench/count` counts from
nought; `/bench/report` tells the counters. These are not counted and never limited.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import cast

import uvloop

from side_by_side.source import Limit, Source

_REASONS = {200: b"OK", 400: b"Bad Request", 404: b"Not Found", 429: b"Too Many Requests"}


class Connection(asyncio.Protocol):
    """One client's connection, kept alive. Requests have no body."""

    def __init__(self, source: Source, latency: float) -> None:
        self._source = source
        self._latency = latency
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; uvloop sets TCP_NODELAY."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            target = self._buffer[4 : self._buffer.index(b" ", 4)]
            self._buffer = self._buffer[end + 4 :]
            self._reply(target)

    def _reply(self, target: bytes) -> None:
        source = self._source
        status, body = source.answer(target)
        limit = source.limit.headers(refused=status == 429) if source.limit else b""  # noqa: PLR2004 - a status
        answer = (
            b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\nDate: %b\r\n%b\r\n"
            % (status, _REASONS[status], len(body), source.date(), limit)
            + body
        )
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._send, answer)
        else:
            self._transport.write(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(source: Source, latency: float) -> None:
    """Serve on a free port, which is printed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(source, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how the port is told
    await server.serve_forever()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=["calendly", "flat", "nested"], required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0, help="seconds before each answer")
    parser.add_argument("--limit", type=int, help="requests in a window")
    parser.add_argument("--window", type=float, default=60, help="seconds of a window")
    options = parser.parse_args()
    limit = Limit(options.limit, options.window) if options.limit else None
    uvloop.run(serve(Source(options.shape, options.size, limit), options.latency))


if __name__ == "__main__":
    main()
