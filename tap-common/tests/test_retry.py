from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pyrate_limiter import Rate
from singer_sdk.exceptions import RetriableAPIError

from harness import VirtualClock
from tap_common.errors import RateLimitedError, RequestError, TapError
from tap_common.http.limiter import Limiter
from tap_common.http.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = logging.getLogger("test")


def response(status: int, headers: dict[str, str] | None = None) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer.headers.update(headers or {})
    return answer


def failing(*errors: Exception) -> Callable[[], str]:
    """Something to send that fails in these ways, and then succeeds."""
    left = list(errors)

    def send() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return send


def retry(clock: VirtualClock, *, tries: int = 5, factor: float = 2) -> Retry:
    limiter = Limiter([Rate(500, 60_000)], clock=clock, log=LOG)
    return Retry(limiter=limiter, clock=clock, log=LOG, tries=tries, factor=factor, windows=[60])


PASSING: list[Callable[[], Exception]] = [
    lambda: RetriableAPIError("503", response(503)),
    lambda: requests.ConnectionError("reset"),
    lambda: requests.ReadTimeout("slow"),
    lambda: requests.exceptions.ChunkedEncodingError("truncated"),
    lambda: requests.exceptions.ContentDecodingError("gzip"),
]


@given(st.lists(st.sampled_from(PASSING), max_size=4), st.integers(0, 8))
def test_any_errors_within_the_tries_and_any_refusals_end_in_the_answer(
    errors: list[Callable[[], Exception]], refusals: int
) -> None:
    sent = [error() for error in errors] + [RateLimitedError("429", response(429)) for _ in range(refusals)]

    assert retry(VirtualClock())(failing(*sent)) == "answer"


def test_an_error_that_does_not_pass_is_raised_after_the_tries() -> None:
    clock = VirtualClock()

    with pytest.raises(RetriableAPIError, match="fifth"):
        retry(clock)(failing(*(RetriableAPIError(text) for text in ("1", "2", "3", "4", "fifth", "6"))))

    assert len(clock.waited) == 4


def test_waits_grow_by_the_factor_with_at_most_a_second_of_jitter() -> None:
    clock = VirtualClock()
    retry(clock, factor=3)(failing(*(RetriableAPIError("500") for _ in range(4))))

    assert [int(wait) for wait in clock.waited] == [1, 3, 9, 27]


def test_a_refusal_waits_as_long_as_it_says_and_uses_up_no_try() -> None:
    clock = VirtualClock()
    refusals = [RateLimitedError("429", response(429, {"Retry-After": "7"})) for _ in range(10)]

    assert retry(clock, tries=1)(failing(*refusals)) == "answer"
    assert sum(clock.waited) == pytest.approx(80)


def test_a_503_with_retry_after_waits_at_least_as_long() -> None:
    clock = VirtualClock()
    retry(clock)(failing(RetriableAPIError("503", response(503, {"Retry-After": "30"}))))

    assert clock.waited == [pytest.approx(30)]


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}])
def test_a_refusal_without_end_ends_the_run_after_an_hour(headers: dict[str, str]) -> None:
    clock = VirtualClock()

    with pytest.raises(TapError, match="another program may be using this key"):
        retry(clock)(failing(*(RateLimitedError("429", response(429, headers)) for _ in range(10_000))))

    assert 3_500 < sum(clock.waited) < 4_000


def test_an_error_that_repeating_does_not_mend_is_not_repeated() -> None:
    clock = VirtualClock()

    with pytest.raises(RequestError):
        retry(clock)(failing(RequestError("400")))

    assert clock.waited == []


def test_the_log_names_the_kind_of_a_connection_error_and_not_its_text(caplog: pytest.LogCaptureFixture) -> None:
    retry(VirtualClock())(failing(requests.ConnectionError("GET /?email=ada@example.com")))

    assert "ConnectionError" in caplog.text
    assert "ada@example.com" not in caplog.text
