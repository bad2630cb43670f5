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
    accounts_setting,
    common_settings,
    setting,
    several_keys,
)
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
    """A calendar with its credential."""

    credential: Credential
    row: Record
    """Row of the calendar."""


class TapLuma(SchedulingTap):
    """Singer tap for Luma: events, past and future, guests, tickets, contacts and more."""

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
            "Key of a calendar, from Luma, Calendar > Settings > Developer; the calendar needs Luma Plus.",
            secret=True,
        ),
        several_keys("a key reads one calendar"),
        setting(
            "organization_api_key",
            TEXT,
            "Organization API key",
            "Key of an organization, for the streams `organization_...`; no other stream uses it.",
            secret=True,
        ),
        setting(
            "api_generation",
            th.StringType(nullable=False, allowed_values=["auto", "current", "legacy"]),
            "API generation",
            "Luma's set of endpoints; records are the same. `auto` uses the current one, or the legacy one if there is "
            "no other.",
            default="auto",
        ),
        setting(
            "include_view_access",
            th.BooleanType(nullable=False),
            "Events of others",
            "Include events that the calendar shows, but does not manage. Their guests and tickets cannot be read.",
            default=False,
        ),
        setting(
            "include_external",
            th.BooleanType(nullable=False),
            "External events",
            "Include events of other platforms. Their guests and tickets cannot be read.",
            default=False,
        ),
        setting(
            "include_pending",
            th.BooleanType(nullable=False),
            "Submitted events",
            "Include events that were submitted to the calendar and are still pending.",
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
            start_date="Earliest start of events to load, with their guests, tickets and other child streams.",
            lookback="Days after the end of an event, counted back from the bookmark, in which its guests, tickets and "
            "other child streams are read again; 0 for always.",
        ),
        additional_properties=False,
    ).to_dict()

    legacy = False
    """True if the legacy endpoints are used."""

    key_settings = ("api_key", "api_keys", "organization_api_key", "start_date")

    # Access

    @override
    def authenticator_for(self, key: str) -> Auth:
        return APIKeyAuthenticator(key="x-luma-api-key", value=key, location="header")

    @cached_property
    def organization(self) -> Credential | None:
        """The organization's credential, with its own rate limit."""
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
        """Check everything, also that there is a key for every selected stream."""
        wanted = [stream for stream in self.streams.values() if stream.selected or stream.has_selected_descendents]
        organizational = [stream.name for stream in wanted if isinstance(stream, OfOrganization)]
        if organizational:
            self.require_organization_key(*organizational)
        if len(organizational) < len(wanted):
            self.require_key()
        super().check()

    def require_key(self) -> None:
        """Require a calendar's key.

        Raises:
            SettingsError: It is not set.
        """
        super().check_keys()

    def require_organization_key(self, *streams: str) -> None:
        """Require the organization's key, for these streams.

        Raises:
            SettingsError: It is not set.
        """
        if self.organization is None:
            raise SettingsError(
                f"Setting `organization_api_key` is missing, which `{'`, `'.join(streams)}` needs: "
                "set it, or deselect the stream."
            )

    # Calendars

    @cached_property
    def calendars(self) -> Mapping[str, Calendar]:
        """Calendars of the keys, by their ids.

        Raises:
            AccessError: A key is refused.
        """
        found: dict[str, Calendar] = {}
        for credential, (name, row) in self.calendar_rows.items():
            found.setdefault(name, Calendar(credential, row))
        return found

    @cached_property
    def calendar_rows(self) -> Mapping[Credential, tuple[str, Record]]:
        """Id and row of each key's calendar. Reading them checks the keys, and chooses the generation of the API.

        Raises:
            AccessError: A key is refused.
        """
        if self.config["api_generation"] == "legacy":
            self._use_legacy()
        found: dict[Credential, tuple[str, Record]] = {}
        for number, credential in enumerate(self.credentials, 1):
            which = f"It is key {number} of {len(self.credentials)}." if len(self.credentials) > 1 else ""
            row = _check_key(lambda credential=credential: self._calendar(credential), which)  # type: ignore[misc]  # bound as it stands
            name = (row.get("id") or row.get("api_id")) if isinstance(row, dict) else None
            if not isinstance(name, str):
                raise SettingsError("The server's response for the key's calendar is not Luma's: check `api_url`.")
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
        self.logger.warning("The API does not have the current generation of endpoints; using the legacy one.")
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
        return {**calendars, **(of_organization if self._organization_key_works else {})}

    @override
    def owner(self, credential: Credential) -> str:
        found = self.calendar_rows.get(credential)
        return f"calendar {found[1].get('name')} ({found[0]})" if found else ""

    @property
    @override
    def scope_id(self) -> str | None:
        """Ids of the calendars, and a mark for pending events: a new one of either adds events of long ago."""
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
        _ = self.calendars, self._organization_key_works

    @cached_property
    def _organization_key_works(self) -> bool:
        """True if a stream needs the organization's key; reading it checks the key by one request."""
        wanted = any(stream.selected for stream in self.streams.values() if isinstance(stream, OfOrganization))
        if self.organization is None or not (wanted or not self.credentials):
            return False
        stream = self.stream(OrganizationCalendars)
        try:
            _check_key(lambda: stream.probe({CREDENTIAL: self.organization}), "It is `organization_api_key`.")
        except NoSuchListError as error:
            if not self.calendars:
                raise SettingsError(f"{error}: check the setting `api_url`.") from error
        return True


def _check_key(send: Callable[[], R], which: str) -> R:
    """Return the result of the first request with a key, or raise an error that names the key.

    Raises:
        AccessError: The key is refused.
    """
    try:
        return send()
    except NoSuchListError:
        raise
    except ForbiddenError:
        message = "Luma refuses the key (403): its calendar or organization needs Luma Plus, and must be the key's own."
    except AccessError as error:
        message = str(error)
    raise AccessError(f"{message} {which}".strip())
