from __future__ import annotations

from typing import Any

import pytest

from tap_common.redact import public_origin


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://hooks.slack.example/services/T00/B00/XXXX", "https://hooks.slack.example"),
        ("https://me:pass@hooks.example:8080/a?key=1#part", "https://hooks.example:8080"),
        ("https://hooks.example\\services\\XXXX", None),
        ("https://[2001:db8::1]:8443/in", "https://[2001:db8::1]:8443"),
        ("https://me:pass", None),
        ("//hooks.example/in", None),
        ("mailto:me:pass@hooks.example", None),
        ("http://[::1", None),
        ("https://a:b@[x/", None),
        ("", None),
        (None, None),
        (5, None),
        ({"a": 1}, None),
    ],
)
def test_of_an_address_scheme_host_and_port_are_kept_as_its_path_may_be_a_secret(
    address: Any, shown: str | None
) -> None:
    assert public_origin(address) == shown
