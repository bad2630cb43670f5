"""Issuers of untrusted certificates; Python decodes only trusted ones."""

from __future__ import annotations

import ssl
from contextlib import closing
from functools import partial
from http.client import HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import requests

from tap_common.http.bounded import BoundedAnswer, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

_SECONDS = 10
_LIMITS = Limits(100_000, _SECONDS)
_TLS = 443

_VERSION = 0xA0
_LONG = 0x80
# Organization, then common name.
_NAMES = (b"\x55\x04\x0a", b"\x55\x04\x03")


def issuer_of(url: str) -> str | None:
    """Return the issuer of a host's certificate, or None; connects without sending a request."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    try:
        host = urlsplit(url)
        proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
        through = urlsplit(proxy or url)
        with closing(HTTPSConnection(str(through.hostname), through.port, timeout=_SECONDS, context=trusting)) as way:
            if proxy:
                headers = requests.adapters.HTTPAdapter().proxy_headers(proxy)
                way.set_tunnel(str(host.hostname), host.port or _TLS, headers)
            # Of a proxy, which may never come to an end; a class or what makes its objects.
            way.response_class = cast("type[HTTPResponse]", partial(BoundedAnswer, limits=_LIMITS))
            way.connect()
            return issuer(way.sock.getpeercert(binary_form=True)) if isinstance(way.sock, ssl.SSLSocket) else None
    except (OSError, ValueError, HTTPException):
        return None


def issuer(certificate: bytes | None) -> str | None:
    """Return the organization or common name of the issuer of a DER certificate (RFC 5280), or None."""
    try:
        [(_, whole)] = _parts(certificate or b"")
        _, body = next(_parts(whole))
        fields = [content for tag, content in _parts(body) if tag != _VERSION]
        _, _, named, *_ = fields  # serial number, algorithm, issuer
        names = dict(
            [content for _, content in _parts(pair)][:2] for _, group in _parts(named) for _, pair in _parts(group)
        )
    except (ValueError, IndexError, StopIteration):
        return None
    return next((names[name].decode(errors="replace") for name in _NAMES if names.get(name)), None)


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tag and content of each DER element."""
    while der:
        tag, length, start = der[0], der[1], 2
        if length & _LONG:
            start += length - _LONG
            length = int.from_bytes(der[2:start], "big")
        yield tag, der[start : start + length]
        der = der[start + length :]
