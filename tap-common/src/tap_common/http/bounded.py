"""Limits on the size and duration of responses."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from io import BufferedReader, BytesIO, RawIOBase
from typing import TYPE_CHECKING, Any, cast

from requests import exceptions as failed
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3 import exceptions as broken

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from requests import PreparedRequest, Response
    from typing_extensions import Buffer
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

ENCODINGS = "gzip, deflate"
"""The Accept-Encoding header; the default would depend on the packages installed."""
_KNOWN = {"", "identity", "gzip", "x-gzip", "deflate"}
_CHUNK = 65_536
# Bytes read from a socket at a time: each read is checked against the limits.
_BUFFER = 65_536

# Its warnings quote headers that it cannot parse.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


class TooLargeError(OSError):
    """A response exceeds the size limit, on the wire or decoded."""


class EncodingError(OSError):
    """A body has a content encoding that was not accepted, or two."""


@dataclass(frozen=True)
class Limits:
    """Limits of one response."""

    size: int
    """Bytes on the wire, headers and framing included, and bytes of the decoded body."""
    seconds: float
    """Seconds from the request to the end of the response."""
    now: Callable[[], float] = time.monotonic


class BoundedAdapter(HTTPAdapter):
    """Transport adapter that reads whole responses within limits.

    The timeout of requests applies to each read, so that a server sending a byte a minute would keep it waiting
    forever. This adapter checks the time at each read from the socket, also within headers and chunk sizes.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._connections: dict[type, Any] = {}

    @override
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = cast("HTTPConnectionPool", super().get_connection_with_tls_context(*args, **kwargs))
        usual = type(pool).ConnectionCls
        if usual not in self._connections:
            bounded = staticmethod(partial(BoundedAnswer, limits=self._limits))
            self._connections[usual] = type(usual.__name__, (usual,), {"response_class": bounded})
        pool.ConnectionCls = self._connections[usual]
        return pool

    @override
    def send(self, request: PreparedRequest, stream: bool = False, **kwargs: Any) -> Response:  # type: ignore[override]  # the rest by name
        try:
            response = super().send(request, stream=True, **kwargs)  # this method reads the body
        except broken.LocationValueError as error:  # of a proxy, say, that requests has not looked at
            raise failed.InvalidURL(error, request=request) from error
        try:
            body = _whole(response.raw, self._limits.size)
        except (broken.DecodeError, EncodingError) as error:
            raise failed.ContentDecodingError(error, request=request) from error
        except broken.ReadTimeoutError as error:
            raise failed.ReadTimeout(error, request=request) from error
        except broken.SSLError as error:
            raise failed.SSLError(error, request=request) from error
        except (broken.HTTPError, OSError) as error:
            raise failed.ChunkedEncodingError(error, request=request) from error
        finally:
            response.close()  # returns the connection to the pool if the body was read to its end
        response.raw = BytesIO(body)
        return response


def _whole(raw: BaseHTTPResponse, size: int) -> bytes:
    """Return the decoded body.

    Raises:
        TooLargeError: It has more than `size` bytes.
        EncodingError: Its content encoding was not accepted.
    """
    if raw.headers.get("Content-Encoding", "").strip().lower() not in _KNOWN:
        raise EncodingError
    parts, left = [], size
    while part := raw.read1(_CHUNK, decode_content=True):
        left -= len(part)
        if left < 0:
            raise TooLargeError
        parts.append(part)
    return b"".join(parts)


class BoundedAnswer(HTTPResponse):
    """A response that is read within limits, from its status line on."""

    def __init__(self, sock: socket.socket, *args: Any, limits: Limits, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(_Metered(self.fp.detach(), sock, limits), _BUFFER)


class _Metered(RawIOBase):
    """A socket's file object that raises an error beyond the limits."""

    def __init__(self, source: RawIOBase, sock: socket.socket, limits: Limits) -> None:
        self._source = source
        self._sock = sock
        self._left = limits.size
        self._now = limits.now
        self._until = limits.now() + limits.seconds

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int | None:
        rest, usual = self._until - self._now(), self._sock.gettimeout()
        if rest <= 0:
            raise TimeoutError
        if usual is None or rest < usual:
            self._sock.settimeout(rest)
        got = self._source.readinto(buffer)
        self._left -= got or 0
        if self._left < 0:
            raise TooLargeError
        return got

    @override
    def close(self) -> None:
        self._source.close()
        super().close()
