"""A server that speaks whatever bytes a test has it speak."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer = bytes | Callable[[socket.socket], None]


@contextmanager
def speaking(answer: Answer) -> Iterator[str]:
    """The address of a server that meets each request with these bytes, or with what a function sends, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_serve, args=(listener, answer), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def ok(body: bytes = b"", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole answer."""
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join([*lines, b"", body])


def without_end(*parts: bytes) -> Callable[[socket.socket], None]:
    """The parts, the last of them again and again for as long as somebody reads."""
    *first, rest = parts

    def send(connection: socket.socket) -> None:
        connection.sendall(b"".join(first))
        while True:
            connection.sendall(rest)

    return send


def keeping(answer: bytes, times: int) -> Callable[[socket.socket], None]:
    """The same answer to so many requests on one connection, and none on another."""
    connections = iter([times])

    def send(connection: socket.socket) -> None:
        times = next(connections, 0)
        if not times:
            return
        connection.sendall(answer)
        for _ in range(times - 1):
            _request(connection)
            connection.sendall(answer)

    return send


def _request(connection: socket.socket) -> None:
    """Read a request without a body."""
    requested = b""
    while b"\r\n\r\n" not in requested:
        if not (more := connection.recv(65_536)):
            raise ConnectionError
        requested += more


def _serve(listener: socket.socket, answer: Answer) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            Thread(target=_answer, args=(connection, answer), daemon=True).start()


def _answer(connection: socket.socket, answer: Answer) -> None:
    with connection, suppress(OSError):
        _request(connection)
        answer(connection) if callable(answer) else connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            """Until the other side has read everything."""
