"""No answer takes more memory or more time than the limits say, whatever a server sends."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING

import pytest
import requests
from requests import exceptions as failed

from raw import keeping, ok, speaking, without_end
from tap_common.http.bounded import Limits
from tap_common.http.certificate import issuer_of
from tap_common.http.json import decoded
from tap_common.http.session import Session
from tap_common.http.unreadable import unreadable_reason

if TYPE_CHECKING:
    from raw import Answer

MB = 1_000_000
BOMB = gzip.compress(bytes(100 * MB))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIP = b"Content-Encoding: gzip"


def ask(answer: Answer, limits: Limits | None = None) -> requests.Response:
    with speaking(answer) as url, Session(limits or Limits(MB, 60)) as session:
        return session.send(requests.Request("GET", url).prepare(), timeout=5, allow_redirects=False)


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"x" * 2 * MB),
        ok(BOMB, GZIP),
        ok(zlib.compress(bytes(100 * MB)), b"Content-Encoding: deflate"),
        without_end(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536),
        without_end(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
        without_end(CHUNKED + b"0\r\n", b"X-Trailer: x\r\n" * 1000),
        without_end(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"Set-Cookie: a%d=%s\r\n" % (n, b"b" * 60_000) for n in range(90)) + b"\r\n",
    ],
    ids=["plain", "gzip", "deflate", "no end", "no last chunk", "trailers", "1xx", "cookies"],
)
def test_an_answer_that_is_too_large_is_given_up_and_takes_no_more_memory_than_it_may(answer: Answer) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(requests.RequestException) as caught:
            ask(answer)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert unreadable_reason(caught.value) == "it is larger than the setting `max_response_mb` allows"
    assert peak < 6 * MB


@pytest.mark.parametrize(
    "encodings", [b"gzip, gzip", b"gzip\r\nContent-Encoding: gzip", b"br", b"zstd", b"identity, gzip"]
)
def test_a_body_that_is_encoded_twice_or_as_nobody_has_requested_is_not_decoded(encodings: bytes) -> None:
    with pytest.raises(failed.ContentDecodingError) as caught:
        ask(ok(gzip.compress(BOMB), b"Content-Encoding: " + encodings))

    assert unreadable_reason(caught.value) == "its compression was not requested"


@pytest.mark.parametrize(
    "answer",
    [
        without_end(b"H"),
        without_end(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        without_end(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", b"x"),
        without_end(CHUNKED, b"0"),
        without_end(CHUNKED, b"1\r\nx\r\n"),
        without_end(CHUNKED + b"0\r\n", b"X: y\r\n"),
    ],
    ids=["status line", "header", "body", "length of a chunk", "chunks", "trailers"],
)
def test_an_answer_that_comes_byte_by_byte_has_an_end(answer: Answer) -> None:
    seconds = count(step=25)

    with pytest.raises(failed.RequestException) as caught:
        ask(answer, Limits(10**12, 60, now=lambda: float(next(seconds))))

    assert isinstance(caught.value, failed.Timeout) or unreadable_reason(caught.value)
    assert next(seconds) < 200


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (ok(b"{}"), b"{}"),
        (ok(gzip.compress(b"x" * 900_000), GZIP), b"x" * 900_000),
        (ok(gzip.compress(b"[]"), b"Content-Encoding: X-GZip"), b"[]"),
        (ok(b"[]", b"Content-Encoding: identity"), b"[]"),
        (CHUNKED + b"2\r\n[1\r\n1\r\n]\r\n0\r\nX: y\r\n\r\n", b"[1]"),
        (b"HTTP/1.0 200 OK\r\n\r\n[1]", b"[1]"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["plain", "gzip", "x-gzip", "identity", "chunked", "until the end", "nothing"],
)
def test_an_answer_within_the_limits_is_read_whole(answer: Answer, body: bytes) -> None:
    assert ask(answer).content == body


def test_a_connection_is_used_again_after_an_answer_that_was_read() -> None:
    once = keeping(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", times=3)
    with speaking(once) as url, Session(Limits(MB, 60)) as session:
        bodies = [session.get(url, timeout=5).content for _ in range(3)]

    assert bodies == [b"{}"] * 3


@pytest.mark.parametrize("brackets", [b"[]", b"{}"])
def test_a_body_that_is_nested_deeper_than_any_row_is_no_page(brackets: bytes) -> None:
    opened, closed = (b"[", b"]") if brackets == b"[]" else (b'{"a":', b"}")
    for depth in (51, 900, 400_000):
        response = requests.Response()
        response.raw = BytesIO(opened * depth + b"1" + closed * depth)
        response.status_code = 200
        with pytest.raises(ValueError, match="more than 50 levels"):
            decoded(response)


@pytest.mark.parametrize("value", ["[" * 500, "}{" * 100, json.loads("[" * 50 + "]" * 50)])
def test_brackets_within_texts_and_fifty_levels_are_a_page(value: object) -> None:
    response = requests.Response()
    response.raw = BytesIO(json.dumps(value).encode())
    response.status_code = 200

    assert decoded(response) == value


@pytest.mark.timeout(30)
def test_a_proxy_that_never_ends_is_not_listened_to_for_the_issuer_of_a_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with speaking(without_end(b"HTTP/1.1 200 OK\r\n", b"X-More: to come\r\n" * 1000)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        assert issuer_of("https://api.example.com") is None
