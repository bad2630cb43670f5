"""Fields of an error of OnceHub's."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tap_bookings.streams import Teams
from tap_bookings.tap import TapBookings


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"type": "invalid_request_error", "message": "a@b.example", "param": "limit"},
            ": invalid_request_error, parameter `limit`",
        ),
        ({"type": "api_error", "message": "a@b.example"}, ": api_error"),
        ({"type": "who is a@b.example?", "message": "a@b.example", "param": {"a": 1}}, ""),
        (["a@b.example"], ""),
    ],
)
def test_an_error_names_its_type_and_the_parameter_at_fault_and_quotes_no_text(body: Any, told: str) -> None:
    response = requests.Response()
    response.status_code, response.reason = 400, "Bad Request"
    response._content = json.dumps(body).encode()
    stream = TapBookings(config={}, validate_config=False).stream(Teams)

    assert stream.response_error_message(response) == f"400 Bad Request on /v2/teams (stream `teams`){told}"
