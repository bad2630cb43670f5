from __future__ import annotations

from typing import Any

import pytest

from tap_common.redact import public, redacted


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://hooks.example/a/b", "https://hooks.example/a/b"),
        ("https://me:pass@hooks.example:8080/a?key=1#part", "https://hooks.example:8080/a"),
        ("mailto:me:pass@hooks.example", None),
        ("http://[::1", None),
        ("https://a:b@[x/", None),
        ("", None),
        (None, None),
        (5, None),
        ({"a": 1}, None),
    ],
)
def test_of_an_address_only_what_is_public_is_kept(address: Any, shown: str | None) -> None:
    assert public(address) == shown


def test_whatever_is_named_like_a_secret_is_left_out() -> None:
    row = {"id": 1, "url": "https://x.example/?t=1", "Signing_Secret": "S", "signing_key": "K", "auth_token": "T"}

    assert redacted(row, "url") == {"id": 1, "url": "https://x.example/"}
