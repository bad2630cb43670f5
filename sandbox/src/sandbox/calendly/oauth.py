"""The OAuth endpoint that refreshes a token, /oauth/token."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from sandbox.calendly.keys import ADMIN, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, Key
from sandbox.calendly.text import uri, user_uri
from sandbox.http import Refusal
from sandbox.rate_limit import FixedWindow

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sandbox.world import World

LIFE = timedelta(hours=2)
MOST_PER_MINUTE = 8


def failed(error: str, description: str, status: int = 400) -> Refusal:
    """Return a refusal in the format of OAuth, which differs from the API's."""
    return Refusal(status, {"error": error, "error_description": description})


class Tokens:
    """Issues the admin's access tokens (Calendly: valid for 2 hours) for refresh tokens that work once."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self.world = world
        self.window = FixedWindow(clock)
        self.fresh = {REFRESH_TOKEN}
        self.issued: dict[str, datetime] = {}

    def key(self, token: str) -> Key | None:
        """Return the key of an issued token; its name in the request log is `sandbox-oauth`."""
        ends = self.issued.get(token)
        if ends is None:
            return None
        return replace(ADMIN, token="sandbox-oauth", expired=self.world.now >= ends)  # noqa: S106 -- a name

    def refresh(self, authorization: str, form: str) -> dict[str, Any]:
        """Exchange a refresh token for a new pair.

        Raises:
            Refusal: Calendly allows 8 requests a minute, authenticates the client by HTTP Basic, and answers the
            second use of a refresh token with `invalid_grant`.
        """
        if not self.window.count("refresh", MOST_PER_MINUTE).allowed:
            raise Refusal(429, None)
        if not proves(authorization):
            raise failed("invalid_client", "Client authentication failed.", 401)
        fields = {name: values[0] for name, values in parse_qs(form).items()}
        if fields.get("grant_type") != "refresh_token":
            raise failed("unsupported_grant_type", "The grant type is not supported.")
        if "refresh_token" not in fields:
            raise failed("invalid_request", "The refresh token is missing.")
        if fields["refresh_token"] not in self.fresh:
            raise failed("invalid_grant", "The refresh token is invalid, expired or was used before.")
        self.fresh.remove(fields["refresh_token"])
        number = len(self.issued)
        digest = hashlib.blake2b(f"{self.world.seed}|{number}".encode(), digest_size=24).hexdigest()
        access, refresh = f"access-{digest}", f"refresh-{digest}"
        self.fresh.add(refresh)
        self.issued[access] = self.world.now + LIFE
        person = self.world.seats[ADMIN.seat]
        return {
            "token_type": "Bearer",
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": int(LIFE.total_seconds()),
            "created_at": int(self.world.now.timestamp()),
            "scope": " ".join(sorted(ADMIN.scopes)),
            "owner": user_uri(person),
            "organization": uri("organizations", self.world.organization),
        }


def proves(authorization: str) -> bool:
    """Return True if a header carries the client's id and secret."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme.lower() == "basic" and decoded == f"{CLIENT_ID}:{CLIENT_SECRET}"
