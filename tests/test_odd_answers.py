"""Answers that are no HTTP, or HTTP that no API sends: each ends in a sentence, and none of it is in the log."""

from __future__ import annotations

import gzip
import logging
from typing import TYPE_CHECKING, cast

import pytest
from singer_sdk.exceptions import SingerSDKError

from harness import Messages, VirtualClock
from raw import ok, speaking
from savvycal_api import SAVVYCAL
from tap_common.cli.entry_point import connection_error_message

if TYPE_CHECKING:
    from raw import Answer
    from tap_common.stream import APIStream

pytestmark = pytest.mark.one_api

PERSON = b"ada@example.com\x1b[31m"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
ME = b'{"id": "user_1"}'
PASSES_OVER = "passes over"
CASES: dict[str, tuple[Answer, str]] = {
    "nothing": (b"", "could not be reached"),
    "HTTP/0.9": (b"<html>" + PERSON + b"</html>\r\n\r\n", "it is not HTTP (BadStatusLine)"),
    "HTTP/3": (b"HTTP/3.0 200 OK\r\n\r\n", "it is not HTTP (UnknownProtocol)"),
    "status 1000": (ok(ME, status=b"1000 " + PERSON), "it is not HTTP (BadStatusLine)"),
    "status 099": (ok(ME, status=b"099 OK"), "it is not HTTP (BadStatusLine)"),
    "status 103": (ok(ME, status=b"103 Early Hints"), "103"),
    "status 299": (ok(ME, status=b"299 " + PERSON), PASSES_OVER),
    "status 799": (ok(ME, status=b"799 Odd"), "799"),
    "redirect without an address": (ok(status=b"302 Found"), "302"),
    "redirect to nowhere": (ok(b"", b"Location: http://[\xff\xfe", status=b"302 Found"), "302"),
    "101 headers": (ok(ME, *(b"X-%d: y" % n for n in range(101))), "it is not HTTP (HTTPException)"),
    "a long header": (ok(ME, b"X: " + b"y" * 70_000), "it is not HTTP (LineTooLong)"),
    "a header without a colon": (ok(ME, PERSON), PASSES_OVER),
    "headers of bytes": (ok(ME, b"X: " + bytes(range(128, 256)), b"Link: \xff<;>;,\x00", b"Date: \xff"), PASSES_OVER),
    "lengths that differ": (ok(ME, b"Content-Length: 1"), "it is not HTTP"),
    "too long a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}", "it is incomplete"),
    "too short a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "it is incomplete"),
    "a length that is none": (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\nConnection: close\r\n\r\n" + ME, PASSES_OVER),
    "a negative length": (b"HTTP/1.1 200 OK\r\nContent-Length: -9\r\nConnection: close\r\n\r\n" + ME, PASSES_OVER),
    "a chunk of no length": (CHUNKED + b"zz\r\n" + PERSON, "it is incomplete"),
    "a chunk of negative length": (CHUNKED + b"-5\r\n" + PERSON, "it is incomplete"),
    "a chunk that breaks off": (CHUNKED + b"40\r\n" + PERSON, "it is incomplete"),
    "no last chunk": (CHUNKED + b"2\r\n{}\r\n", "it is incomplete"),
    "no gzip": (ok(PERSON, b"Content-Encoding: gzip"), "it cannot be decompressed"),
    "half a gzip": (ok(gzip.compress(ME * 9)[:20], b"Content-Encoding: gzip"), "the body is not JSON"),
    "gzip twice": (ok(ME, b"Content-Encoding: gzip, gzip"), "its compression was not requested"),
    "deep JSON": (ok(b"[" * 500_000 + b"]" * 500_000), "nested too deep"),
    "a year 9999": (ok(ME, b"Date: Fri, 31 Dec 9999 23:59:59 -1200", b"Retry-After: x"), PASSES_OVER),
    "a year 9999 to wait for": (
        ok(b"", b"Retry-After: Fri, 31 Dec 9999 23:59:59 -1200", status=b"429 X"),
        "keeps refusing",
    ),
    "a pause for ever": (
        ok(b"", b"Retry-After: 1000000000", status=b"429 X"),
        "a pause of 1000000000 s (429), until 20",
    ),
    "a pause of 300 digits": (ok(b"", b"Retry-After: " + b"9" * 300, status=b"429 X"), "`max_wait`"),
    "a pause until a day is over": (ok(b"", b"X-RateLimit-Reset: 86000", status=b"429 X"), "`max_wait` allows 900 s"),
    "JSON of another kind": (ok(b'"text"'), "expected"),
    "an empty object": (ok(b"{}"), "expected"),
}


# Of an answer whose lengths differ urllib3 leaves the socket to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("case", CASES)
def test_an_odd_answer_is_passed_over_or_ends_in_a_sentence_that_quotes_nothing(
    caplog: pytest.LogCaptureFixture, case: str
) -> None:
    answer, expected = CASES[case]
    messages, sentence = Messages(), PASSES_OVER
    with caplog.at_level(logging.INFO), speaking(answer) as url:
        config = {"api_key": "hush", "api_url": url, "max_retries": 2}
        tap = SAVVYCAL.tap(config=config, clock=VirtualClock(), message_writer=messages)
        try:
            tap.check_connection()
        except SingerSDKError as error:
            sentence = str(error)
        except Exception as error:  # noqa: BLE001 - which the command knows, or does not
            sentence = connection_error_message(error) or "Unexpected"
        finally:
            tap.close()

    assert expected in sentence
    assert "Unexpected" not in sentence
    assert sentence.isprintable()
    assert not messages.read
    for secret in ("ada@", "\x1b", "hush"):
        assert secret not in sentence + caplog.text


def test_a_page_of_more_rows_than_any_page_has_is_an_error() -> None:
    body = b'{"entries": [%s0], "metadata": {"after": null}}' % (b"0," * 100_000)
    with speaking(ok(body)) as url:
        tap = SAVVYCAL.tap(config={"api_key": "hush", "api_url": url, "max_retries": 1}, clock=VirtualClock())
        try:
            with pytest.raises(SingerSDKError, match=r"a page of 100,001 rows, of at most 100,000"):
                list(cast("APIStream", tap.streams["events"]).request_records({"period": {}}))
        finally:
            tap.close()
