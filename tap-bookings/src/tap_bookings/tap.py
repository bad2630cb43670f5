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
    common_settings,
    setting,
)
from tap_common.state.accounts import accounts_setting

if TYPE_CHECKING:
    from collections.abc import Collection

    from singer_sdk.helpers.types import Auth, Record

    from tap_common import Credential
    from tap_common.connections import Rates

# Seconds between two requests: OnceHub counts at most 5 in a second, where they arrive. At 4, one of them may be
# held up for a quarter of a second on its way, and the next one not at all.
_GAP = 0.25
# Seconds that are added to a window of 300 seconds for the same reason.
_MARGIN = 2.0
# Characters in which the account of a key is looked for: the search takes the square of them in steps.
_LONGEST_MESSAGE = 1_000


class KeyTest(SingleObject, OnceHubStream):
    """What a key is tried with; no stream of the tap."""

    name = "test"
    path = "/v2/test"
    skip_if_forbidden = False


class TapBookings(SchedulingTap):
    """Singer tap for OnceHub: every booking and contact, and what belongs to them."""

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
            "From OnceHub, gear icon > Account Integrations > APIs & Webhooks; for administrators. It reads the whole "
            "account.",
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
                "Days behind the bookmark that `bookings`, `contacts` and `sms_notifications` are read again; of the "
                "last at least 3, since the status of a message moves later."
            ),
        ),
        additional_properties=False,
    ).to_dict()

    @property
    @override
    def rates(self) -> Rates:
        """One request at a time, and five times the setting's number in five minutes."""
        a_minute = int(self.config["requests_per_minute"])
        in_all = self.a_window(a_minute * 5, self.windows[-1] + _MARGIN)
        # A setting that leaves no room for the gap is for an API that has other limits.
        return [*self.a_window(1, _GAP), *in_all] if a_minute * _GAP <= 60 else in_all  # noqa: PLR2004 - seconds

    @override
    def authenticator_for(self, key: str) -> Auth:
        return APIKeyAuthenticator(key="API-Key", value=key, location="header")

    @override
    def check_connection(self) -> None:
        _ = self.key_test

    @property
    @override
    def scope_id(self) -> str | None:
        """A hash of the address of the key's account, as far as the API tells: another's bookmark is no use."""
        return sha256(self.account.encode()).hexdigest()[:16] if self.account else None

    @property
    def account(self) -> str | None:
        """The address of the key's account, as far as the API tells."""
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
        """The answer to whether the key is good.

        Raises:
            AccessError: It is not, or the plan has no API.
            SettingsError: What answers is not OnceHub.
        """
        try:
            said = next(iter(KeyTest(self).request_records({})))
        except ForbiddenError as refusal:
            raise AccessError(
                f"The plan of this OnceHub account has no access to the API ({refusal}): the key is not at fault."
            ) from refusal
        if not isinstance(said.get("message"), str):
            raise SettingsError("What answers to /v2/test is not OnceHub: check the setting `api_url`.")
        return said
