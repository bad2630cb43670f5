"""The tap: its settings, its calendars, and its streams."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator
from typing_extensions import override

from tap_common import (
    CREDENTIAL,
    TEXT,
    AccessError,
    ForbiddenError,
    NoSuchListError,
    NotFoundError,
    SchedulingTap,
    SettingsError,
    common_settings,
    setting,
    several_keys,
)
from tap_common.state.accounts import accounts_setting
from tap_luma.streams import STREAMS, Calendars, OfOrganization, OrganizationCalendars

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from singer_sdk.helpers.types import Auth, Record

    from tap_common import Credential
    from tap_luma.client import LumaStream

R = TypeVar("R")

# Luma, "Rate limits": a minute, with an organization's key.
_ORGANIZATION_REQUESTS = 500

_PENDING = "submitted events"


@dataclass(frozen=True)
class Calendar:
    """A calendar, and the way to it."""

    credential: Credential
    row: Record
    """As the API sent it."""


class TapLuma(SchedulingTap):
    """Singer tap for Luma: every event, guest and ticket, past and future, and what belongs to them."""

    name = "tap-luma"
    package_name = "scheduling-tap-luma"
    api_name = "Luma"
    stream_types = STREAMS
    starts_full_streams = True
    key_hint = "create a key in Luma under Calendar > Settings > Developer; the calendar needs Luma Plus."
    account_kind = "the id of a calendar (with an organization's key, of one of its calendars)"

    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        setting(
            "api_key",
            TEXT,
            "API key",
            "Of a calendar, from Luma, Calendar > Settings > Developer; the calendar needs Luma Plus.",
            secret=True,
        ),
        several_keys("a key sees one calendar"),
        setting(
            "organization_api_key",
            TEXT,
            "Organization API key",
            "Of an organization, for the streams `organization_...`; no other stream uses it.",
            secret=True,
        ),
        setting(
            "api_generation",
            th.StringType(nullable=False, allowed_values=["auto", "current", "legacy"]),
            "API generation",
            "Which of Luma's two sets of endpoints is asked; rows are the same. `auto` takes the current one, and the "
            "legacy one where there is no other.",
            default="auto",
        ),
        setting(
            "include_view_access",
            th.BooleanType(nullable=False),
            "Events of others",
            "Also list events that are only shown on the calendar, and run elsewhere. Nothing below them can be read.",
            default=False,
        ),
        setting(
            "include_external",
            th.BooleanType(nullable=False),
            "External events",
            "Also list events of other platforms. Nothing below them can be read.",
            default=False,
        ),
        setting(
            "include_pending",
            th.BooleanType(nullable=False),
            "Submitted events",
            "Also list events that were submitted to the calendar and are not decided on.",
            default=False,
        ),
        accounts_setting(account_kind),
        *common_settings(
            tap=name,
            api_url="https://public-api.luma.com",
            lookback_days=30,
            requests_per_minute=200,
            page_size=100,
            default_page_size=50,
            start_date="Earliest start of events to load, with what belongs to them.",
            lookback="Guests, tickets, and whatever else belongs to an event are read again until so many days after "
            "its end, counted back from the bookmark; 0 for always.",
        ),
        additional_properties=False,
    ).to_dict()

    legacy = False
    """Whether the older endpoints are asked."""

    key_settings = ("api_key", "api_keys", "organization_api_key", "start_date")

    # Access

    @override
    def authenticator_for(self, key: str) -> Auth:
        return APIKeyAuthenticator(key="x-luma-api-key", value=key, location="header")

    @cached_property
    def organization(self) -> Credential | None:
        """The way to the API with the organization's key, which has a budget of its own."""
        key = self.config.get("organization_api_key")
        return (
            self.credential_for(self.authenticator_for(key), self.rate_limit(_ORGANIZATION_REQUESTS)) if key else None
        )

    @override
    def check_keys(self) -> None:
        if not self.config.get("organization_api_key"):
            super().check_keys()

    @override
    def check(self) -> None:
        """Also that there is a key for every stream that is selected."""
        wanted = [stream for stream in self.streams.values() if stream.selected or stream.has_selected_descendents]
        organizational = [stream.name for stream in wanted if isinstance(stream, OfOrganization)]
        if organizational:
            self.require_organization_key(*organizational)
        if len(organizational) < len(wanted):
            self.require_key()
        super().check()

    def require_key(self) -> None:
        """Refuse to go on without a calendar's key.

        Raises:
            SettingsError: There is none.
        """
        super().check_keys()

    def require_organization_key(self, *streams: str) -> None:
        """Refuse to go on without the organization's key.

        Raises:
            SettingsError: There is none.
        """
        if self.organization is None:
            raise SettingsError(
                f"Setting `organization_api_key` is missing, which `{'`, `'.join(streams)}` needs: "
                "set it, or deselect the stream."
            )

    # Calendars

    @cached_property
    def calendars(self) -> Mapping[str, Calendar]:
        """The calendar of each key, by its id: what proves the keys, and decides the generation.

        Raises:
            AccessError: A key is refused.
        """
        found: dict[str, Calendar] = {}
        for credential, (name, row) in self.calendar_rows.items():
            found.setdefault(name, Calendar(credential, row))
        return found

    @cached_property
    def calendar_rows(self) -> Mapping[Credential, tuple[str, Record]]:
        """What the API says of the calendar of each key: its id, and its row.

        Raises:
            AccessError: A key is refused.
        """
        if self.config["api_generation"] == "legacy":
            self._use_legacy()
        found: dict[Credential, tuple[str, Record]] = {}
        for number, credential in enumerate(self.credentials, 1):
            which = f"The key is number {number} of {len(self.credentials)}." if len(self.credentials) > 1 else ""
            row = _proved(lambda credential=credential: self._calendar(credential), which)  # type: ignore[misc]  # bound as it stands
            name = (row.get("id") or row.get("api_id")) if isinstance(row, dict) else None
            if not isinstance(name, str):
                raise SettingsError("What answers as the key's calendar is not Luma: check the setting `api_url`.")
            found[credential] = name, row
        return found

    def _calendar(self, credential: Credential) -> Record:
        context = {CREDENTIAL: credential}
        try:
            return next(iter(self.stream(Calendars).request_records(context)))
        except NotFoundError:
            if self.legacy or self.config["api_generation"] != "auto":
                raise
        self._use_legacy()
        row = next(iter(self.stream(Calendars).request_records(context)))
        self.logger.warning("The API does not have the current generation of endpoints; reading the legacy one.")
        return row

    def _use_legacy(self) -> None:
        self.legacy = True
        for stream in cast("dict[str, LumaStream]", self.streams).values():
            stream.use_legacy()

    @property
    @override
    def keys(self) -> Mapping[str, Credential]:
        of_organization = {"The organization's key": self.organization} if self.organization else {}
        calendars = super().keys if self.credentials else {}
        return {**calendars, **(of_organization if self._organization_is_proved else {})}

    @override
    def owner(self, credential: Credential) -> str:
        found = self.calendar_rows.get(credential)
        return f"calendar {found[1].get('name')} ({found[0]})" if found else ""

    @property
    @override
    def scope_id(self) -> str | None:
        """The calendars, and whether events are listed that are not decided on: both add events that are long past."""
        pending = _PENDING if self.config["include_pending"] else None
        return ",".join(filter(None, [*sorted(self.calendars), pending])) or None

    @override
    def account_in(self, covers: Mapping[str, str | None]) -> Collection[str]:
        return [name for name in super().account_in(covers) if name != _PENDING]

    @override
    def account_of(self, credential: Credential) -> Collection[str]:
        if credential is self.organization:
            rows = self.stream(OrganizationCalendars).request_records({CREDENTIAL: credential})
            with suppress(NoSuchListError):
                return [name for row in rows if isinstance(name := row.get("id") or row.get("api_id"), str)]
            return []
        return [self.calendar_rows[credential][0]]

    @override
    def check_connection(self) -> None:
        _ = self.calendars, self._organization_is_proved

    @cached_property
    def _organization_is_proved(self) -> bool:
        """Asked for one calendar, where a stream needs the organization's key."""
        wanted = any(stream.selected for stream in self.streams.values() if isinstance(stream, OfOrganization))
        if self.organization is None or not (wanted or not self.credentials):
            return False
        stream = self.stream(OrganizationCalendars)
        try:
            _proved(lambda: stream.probe({CREDENTIAL: self.organization}), "The key is `organization_api_key`.")
        except NoSuchListError as error:
            if not self.calendars:
                raise SettingsError(f"{error}: check the setting `api_url`.") from error
        return True


def _proved(ask: Callable[[], R], which: str) -> R:
    """What the first request with a key is answered with, or the sentence about the key."""
    try:
        return ask()
    except NoSuchListError:
        raise
    except ForbiddenError:
        sentence = "Luma refuses the key (403): its calendar or organization needs Luma Plus, and to be the key's own."
    except AccessError as error:
        sentence = str(error)
    raise AccessError(f"{sentence} {which}".strip())
