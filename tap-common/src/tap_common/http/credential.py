"""A key's way to its API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Auth

    from tap_common.http.limiter import Limiter
    from tap_common.http.retry import Retry

CREDENTIAL = "_access"
"""Name under which what a list is asked with holds the `Credential` to ask with; the tap's first one without it."""


@dataclass(frozen=True, eq=False)
class Credential:
    """How requests with one key are signed, and the one budget that all of them share."""

    auth: Auth
    limiter: Limiter
    retry: Retry
