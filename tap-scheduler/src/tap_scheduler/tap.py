"""The tap: its settings, the users of its keys, and its streams."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from typing_extensions import override

from tap_common import (
    CREDENTIAL,
    TEXT,
    AccessError,
    SchedulingTap,
    SettingsError,
    accounts_setting,
    common_settings,
    setting,
    several_keys,
)
from tap_scheduler.streams import STREAMS, CurrentUser

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from singer_sdk.helpers.types import Record

    from tap_common import Credential


class TapScheduler(SchedulingTap):
    """Singer tap for SavvyCal: meetings of every state, past and future, attendees, links and workflows."""

    name = "tap-scheduler"
    package_name = "scheduling-tap-scheduler"
    api_name = "SavvyCal"
    stream_types = STREAMS
    key_hint = "create a token in SavvyCal under Settings > Developers, and take its private key (`pt_secret_...`)."
    account_kind = "the id or the mail address of a user"

    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        setting(
            "api_key",
            TEXT,
            "Personal access token",
            "Private key of a token (`pt_secret_...`), from Settings > Developers in SavvyCal.",
            secret=True,
        ),
        several_keys("a token reads what its owner sees, so a company may need those of several people"),
        accounts_setting(account_kind),
        *common_settings(
            tap=name,
            api_url="https://api.savvycal.com",
            lookback_days=30,
            requests_per_minute=60,
            concurrency=4,
            start_date="Earliest start of a meeting to load (`events`, `event_attendees`).",
        ),
        additional_properties=False,
    ).to_dict()

    key_settings = ("api_key", "api_keys", "start_date")

    @override
    def owner(self, credential: Credential) -> str:
        user = self.users[credential]
        return f"{user.get('display_name') or 'user'} ({user['id']}), plan `{user.get('plan')}`"

    @override
    def account_of(self, credential: Credential) -> Collection[str]:
        user = self.users[credential]
        return [name for name in (user["id"], user.get("email")) if isinstance(name, str)]

    @cached_property
    def users(self) -> Mapping[Credential, Record]:
        """Row of each key's user.

        Raises:
            AccessError: A key is refused.
            SettingsError: The server is not SavvyCal.
        """
        return {credential: self._user(place, credential) for place, credential in enumerate(self.credentials, 1)}

    def _user(self, place: int, credential: Credential) -> Record:
        try:
            user: Record = next(iter(self.stream(CurrentUser).request_records({CREDENTIAL: credential})))
        except AccessError as error:
            which = f" It is key {place} of {len(self.credentials)}." if len(self.credentials) > 1 else ""
            raise AccessError(f"{error}{which}") from None
        if not isinstance(user.get("id"), str):
            raise SettingsError("The server's response to /v1/me is not SavvyCal's: check the setting `api_url`.")
        return user

    @property
    @override
    def scope_id(self) -> str:
        return ",".join(sorted({user["id"] for user in self.users.values()}))

    @override
    def check_connection(self) -> None:
        _ = self.users
