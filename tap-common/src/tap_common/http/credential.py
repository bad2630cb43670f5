"""Credentials: keys with their rate limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Auth

    from tap_common.http.limiter import Limiter
    from tap_common.http.retry import Retry

CREDENTIAL = "_credential"
"""Name of a context's `Credential`; requests of a context without one use the tap's first."""


@dataclass(frozen=True, eq=False)
class Credential:
    """A key, with the rate limit that all of its requests share."""

    auth: Auth
    """Authenticator that adds the key to a request."""
    retry: Retry
    """Sends a request within the limit, and again after an error that may pass."""

    @property
    def limiter(self) -> Limiter:
        """Rate limit of the key."""
        return self.retry.limiter
