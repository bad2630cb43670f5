"""The tap: its settings, its limits, and its streams."""

from __future__ import annotations

import re
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator
from typing_extensions import override

from tap_bookings.client import OnceHubStream
from tap_bookings.streams import STREAMS
from tap_common import (
    TEXT,
    AccessError,
    ForbiddenError,
    SchedulingTap,
    SettingsError,
    SingleObject,
    accounts_setting,
    common_settings,
    setting,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from singer_sdk.helpers.types import Auth, Record

    from tap_common import Credential
    from tap_common.connections import Rates

# Seconds between two requests. OnceHub allows 5 per second, counted on arrival: at 4, one of them may be delayed by a
# quarter of a second on its way, and the next one not at all.
_GAP = 0.25
# Seconds added to the window of 300 seconds for the same reason.
_MARGIN = 2.0
# Characters in which the account of a key is looked for: the search takes the square of them in steps.
_LONGEST_MESSAGE = 1_000


class KeyTest(SingleObject, OnceHubStream):
    """The endpoint for testing a key; not a stream of the tap."""

    name = "test"
    path = "/v2/test"
    skip_if_forbidden = False


class TapBookings(SchedulingTap):
    """Singer tap for OnceHub: bookings, contacts, users, booking pages and more."""

    name = "tap-bookings"
    package_name = "scheduling-tap-bookings"
    api_name = "OnceHub"
    other_names = ("ScheduleOnce",)
    stream_types = STREAMS
    windows = (1.0, 300.0)
    key_hint = "as an administrator, create a key in OnceHub under Account Integrations > APIs & Webhooks."
    account_kind = "the mail address of the account"

    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        setting(
            "api_key",
            TEXT,
            "API key",
            "An administrator creates it in OnceHub under the gear icon > Account integrations > "
            "APIs & Webhooks. It reads the whole account.",
            secret=True,
        ),
        accounts_setting(account_kind),
        *common_settings(
            tap=name,
            api_url="https://api.oncehub.com",
            lookback_days=1,
            requests_per_minute=40,
            concurrency=1,
            start_date=(
                "Earliest last change of `bookings` and `contacts` to load, and earliest creation of "
                "`sms_notifications`."
            ),
            lookback=(
                "Days before the bookmark that are read again in `bookings`, `contacts` and `sms_notifications`; at "
                "least 3 in the last, since the status of a message changes later."
            ),
        ),
        additional_properties=False,
    ).to_dict()

    @property
    @override
    def rates(self) -> Rates:
        """One request per 0.25 s, and five times `requests_per_minute` in five minutes."""
        a_minute = int(self.config["requests_per_minute"])
        long_window = self.rate_limit(a_minute * 5, self.windows[-1] + _MARGIN)
        if a_minute * _GAP > 60:  # noqa: PLR2004 - seconds; so many requests are not for OnceHub's own limits
            return long_window
        return [*self.rate_limit(1, _GAP), *long_window]

    @override
    def authenticator_for(self, key: str) -> Auth:
        return APIKeyAuthenticator(key="API-Key", value=key, location="header")

    @override
    def check_connection(self) -> None:
        _ = self.key_test

    @property
    @override
    def scope_id(self) -> str | None:
        """A hash of the account's mail address; None if the API does not report it."""
        return sha256(self.account.encode()).hexdigest()[:16] if self.account else None

    @property
    def account(self) -> str | None:
        """Mail address of the key's account; None if the API does not report it."""
        address = re.search(r"[\w.+-]+@[\w.-]+\w", self.key_test["message"][:_LONGEST_MESSAGE])
        return address[0] if address else None

    @override
    def account_of(self, credential: Credential) -> Collection[str]:
        return [self.account] if self.account else []

    @override
    def owner(self, credential: Credential) -> str:
        return f"account {self.account}" if self.account else ""

    @cached_property
    def key_test(self) -> Record:
        """The response to a test of the key.

        Raises:
            AccessError: The key is refused, or the plan does not include the API.
            SettingsError: The server is not OnceHub.
        """
        try:
            test = next(iter(KeyTest(self).request_records({})))
        except ForbiddenError as refusal:
            raise AccessError(
                f"The plan of this OnceHub account has no access to the API ({refusal}): the key is not at fault."
            ) from refusal
        if not isinstance(test.get("message"), str):
            raise SettingsError("The server's response to /v2/test is not OnceHub's: check the setting `api_url`.")
        return test
