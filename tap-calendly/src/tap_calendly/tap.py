"""The tap: its settings, its account, and its streams."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from typing_extensions import override

from tap_calendly.account import Account, resolve
from tap_calendly.oauth import OAuth
from tap_calendly.streams import STREAMS, ApiUser, OrganizationMemberships
from tap_common import (
    TEXT,
    AccessError,
    ForbiddenError,
    RequestError,
    SchedulingTap,
    SettingsError,
    accounts_setting,
    common_settings,
    setting,
)
from tap_common.http.prefetch import prefetch
from tap_common.printable import quoted
from tap_common.state.accounts import normalize_account
from tap_common.state.state import ACCOUNT, COVERS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import requests
    from singer_sdk.helpers.types import Auth, Record

    from tap_calendly.client import CalendlyStream
    from tap_common import Credential

_ALTERNATIVES = ("auth_token", "api_key", "refresh_token")
_OAUTH = ("client_id", "client_secret", "refresh_token", "token_file")


class TapCalendly(SchedulingTap):
    """Singer tap for Calendly: meetings, past and future, invitees, event types, users and more."""

    name = "tap-calendly"
    package_name = "scheduling-tap-calendly"
    api_name = "Calendly"
    stream_types = STREAMS
    starts_full_streams = True
    key_hint = "create a personal access token in Calendly under Integrations & apps > API and webhooks."
    account_kind = "the URI or id of an organization or a user, or the user's mail address"

    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        setting(
            "api_key",
            TEXT,
            "Personal access token",
            "Create it in Calendly under Integrations & apps > API and webhooks. Or use the OAuth settings below.",
            secret=True,
        ),
        setting("auth_token", TEXT, "Personal access token (alias)", "Alias of `api_key`.", secret=True),
        setting(
            "scope",
            th.StringType(nullable=False, allowed_values=["auto", "organization", "user", "group"]),
            "Scope",
            "Data to read: `organization` (for owners and admins), `user` (the token's user, or `user_uri`) or `group` "
            "(`group_uri`). `auto` is `organization` if the role allows it, else `user`.",
            default="auto",
        ),
        setting("organization_uri", TEXT, "Organization", "URI of the organization. Default: the user's current one."),
        setting("user_uri", TEXT, "User", "URI of the user to read in scope `user`. Default: the token's own user."),
        setting("group_uri", TEXT, "Group", "URI of the group to read in scope `group`."),
        setting(
            "client_id",
            TEXT,
            "OAuth client id",
            "Client id of an OAuth application; needs the three settings below too.",
        ),
        setting("client_secret", TEXT, "OAuth client secret", "Client secret of the same application.", secret=True),
        setting(
            "refresh_token",
            TEXT,
            "OAuth refresh token",
            "First refresh token, from the user's consent. It works once; later ones are in `token_file`.",
            secret=True,
        ),
        setting(
            "token_file",
            TEXT,
            "OAuth token file",
            "File with the current pair of tokens. It must outlive the run, and be private.",
        ),
        setting(
            "oauth_url",
            TEXT,
            "OAuth token URL",
            "URL at which tokens are refreshed.",
            default="https://auth.calendly.com/oauth/token",
        ),
        accounts_setting(account_kind),
        *common_settings(
            tap=name,
            api_url="https://api.calendly.com",
            lookback_days=30,
            requests_per_minute=500,
            start_date=(
                "Earliest start of a meeting to load (`scheduled_events`, `event_invitees`; of "
                "`meeting_recaps` the end), and earliest entry of `activity_log_entries` and `outgoing_communications`."
            ),
        ),
        additional_properties=False,
    ).to_dict()

    key_settings = ("api_key", "scope", "start_date")
    plans: ClassVar[Mapping[int, str]] = {50: "the free plan", 500: "a paid plan"}

    # Access

    @cached_property
    @override
    def credentials(self) -> Sequence[Credential]:
        return [self.credential_for(self.auth)]

    @property
    def _token(self) -> str | None:
        return self.config.get("api_key") or self.config.get("auth_token")

    @cached_property
    def auth(self) -> Auth:
        """Authenticator that adds the token to a request."""
        return BearerTokenAuthenticator(token=self._token) if self._token else OAuth(self.config, clock=self.clock)

    def renew(self, request: requests.PreparedRequest) -> bool:
        """Replace the token of a request that was refused; return False without OAuth."""
        if not isinstance(self.auth, OAuth):
            return False
        self.auth.refused(request, begun=self.server_clock.has_answered)
        return True

    def confirm_token(self, request: requests.PreparedRequest) -> None:
        """Record that the API has accepted the token of a request."""
        if isinstance(self.auth, OAuth):
            self.auth.accepted(request)

    @override
    def check_keys(self) -> None:
        given = {self.config[name]: name for name in _ALTERNATIVES if self.config.get(name)}
        if len(given) > 1:
            raise SettingsError(
                f"Settings `{'` and `'.join(given.values())}` have different credentials, but only one can be used: "
                "unset the others. In Meltano, an empty text in `config` unsets an inherited setting; the environment "
                "`sandbox` sets its own `api_key` (`MELTANO_ENVIRONMENT=prod` has none)."
            )
        if self._token:
            return
        missing = [name for name in _OAUTH if not self.config.get(name)]
        if len(missing) == len(_OAUTH):
            raise SettingsError(self.missing_key)
        if missing:
            raise SettingsError(f"OAuth needs the setting{'s' * (len(missing) > 1)} `{'`, `'.join(missing)}` too.")

    # Account

    @cached_property
    def me(self) -> Record:
        """Row of the token's user."""
        user = next(iter(self.stream(ApiUser).request_records({})))
        if not isinstance(user.get("uri"), str):
            raise SettingsError("The server's response to /users/me is not Calendly's: check the setting `api_url`.")
        return user

    @cached_property
    def memberships(self) -> list[Record]:
        """Rows of the user's memberships in organizations."""
        return list(self.stream(OrganizationMemberships).request_records({"user": self.me["uri"]}))

    @property
    def membership(self) -> Record | None:
        """The user's membership in the organization that is read."""
        organization = self.config.get("organization_uri") or self.me.get("current_organization")
        return next((row for row in self.memberships if row.get("organization") == organization), None)

    @cached_property
    def account(self) -> Account:
        """Scope of this run.

        Raises:
            SettingsError: The token cannot read the scope in the settings.
        """
        role = None
        if self.config["scope"] in ("auto", "organization"):
            sent = self.membership.get("role") if self.membership else None
            role = sent if isinstance(sent, str) else None
        account = resolve(self.config, self.me, role)
        if account.scope == "user" and self.config["scope"] == "auto" and self._has_read_organization:
            user = f"a user with the role {quoted(role)}" if role else "a user who is not a member of it"
            raise SettingsError(
                "This key cannot read the organization in the settings or of earlier runs: it belongs to "
                f"{user}. Use an owner's or admin's key, or set `scope` to `user`."
            )
        self.logger.info("Reading with scope `%s`%s.", account.scope, f" (role {quoted(role)})" if role else "")
        return account

    @property
    def _has_read_organization(self) -> bool:
        bookmarks = self.state.get("bookmarks", {}).values()
        scopes = [(bookmark.get(COVERS) or {}).get("scope") or "" for bookmark in bookmarks]
        return bool(self.config.get("organization_uri")) or any(scope.startswith("organization:") for scope in scopes)

    @override
    def owner(self, credential: Credential) -> str:
        role = f", role `{self.membership.get('role')}`" if "memberships" in vars(self) and self.membership else ""
        return f"{self.me.get('name')}{role}, {self.account.title}"

    @override
    def account_of(self, credential: Credential) -> Collection[str]:
        return [str(name) for name in (self.organization, self.me["uri"], self.me.get("email")) if name]

    @override
    def check_account(self) -> None:
        """Also refuse settings that lead from an account that is named to another one: they may be inherited."""
        super().check_account()
        allowed = self.allowed_accounts()
        if allowed is None or normalize_account(self.account.organization) in allowed:
            return
        # A user is named, not the organization: it is that user's, and so are the meetings.
        astray = []
        own = normalize_account(str(self.me.get("current_organization") or ""))
        if normalize_account(self.account.organization) != own:
            astray.append("organization_uri")
        users = {normalize_account(self.me["uri"]), *allowed}
        if self.account.scope == "user" and normalize_account(self.account.user) not in users:
            astray.append("user_uri")
        if astray:
            raise SettingsError(
                f"Setting `{'` and `'.join(astray)}` leads to another account than the setting `accounts` names, so "
                "nothing is read. It may be inherited: set it to an empty text, or name the organization in `accounts`."
            )

    @property
    def organization(self) -> str:
        """URI of the organization that is read; in scope `user` or `group`, the user's current one."""
        if self.account.scope == "organization":
            return self.account.organization
        return str(self.me.get("current_organization") or "")

    @property
    @override
    def scope_id(self) -> str:
        return self.account.id

    @property
    @override
    def covers(self) -> Mapping[str, str | None]:
        user = [] if self.account.scope == "organization" else [self.me["uri"]]
        return {**super().covers, ACCOUNT: ",".join([*filter(None, [self.organization]), *user])}

    @override
    def account_in(self, covers: Mapping[str, str | None]) -> Collection[str]:
        """Return the ids in a bookmark; in one of an older version, that of the organization if it was read."""
        scope = covers.get("scope") or ""
        ids = covers.get(ACCOUNT) or (scope if scope.startswith("organization:") else "")
        return [name for name in ids.split(",") if name]

    @override
    def check_connection(self) -> None:
        _ = self.account

    @override
    def check(self) -> None:
        """Check everything, also the token's scopes: request one row for each scope that a selected stream needs."""
        super().check()
        answers = (answer.result() for _, answer in prefetch(self.pool, _probe, self._probes(), self.max_prefetch))
        if lacking := dict.fromkeys(str(error) for error in answers if error):
            raise AccessError(" ".join(lacking))

    def _probes(self) -> Collection[CalendlyStream]:
        """Return a selected stream for each scope that no request so far has used."""
        proved = {"users:read", "organizations:read"} if "memberships" in vars(self) else {"users:read"}
        streams = [
            stream
            for stream in cast("dict[str, CalendlyStream]", self.streams).values()
            if stream.permission not in proved
            and (stream.selected or stream.has_selected_descendents)
            and stream.check_contexts
        ]
        return {stream.permission: stream for stream in reversed(streams)}.values()

    referenced_event_types: set[str] | None = None
    """Ids of the event types that this run's meetings refer to; None if no meetings were read."""


def _probe(stream: CalendlyStream) -> AccessError | None:
    try:
        stream.probe(stream.check_contexts[0])
    except AccessError as error:
        return error
    except ForbiddenError as refusal:
        stream.skip_reason = refusal
    except RequestError:
        return None  # the stream itself handles it
    return None
