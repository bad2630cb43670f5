"""The scope of a run: an organization, a group or a user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_common import SettingsError
from tap_common.printable import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADMINS = {"owner", "admin"}


@dataclass(frozen=True)
class Account:
    """The scope of a run, and the query parameters that select it.

    Calendly, "List events": `organization` is for owners and admins, `user` alone is the caller's own, a colleague's
    needs both, `group` is for the group's admins.
    """

    scope: str
    """`organization`, `user` or `group`."""
    organization: str
    """URI of the organization."""
    user: str
    """URI of the user whose data is read in scope `user`."""
    me: str
    """URI of the token's user."""
    group: str | None = None
    """URI of the group whose data is read in scope `group`."""

    @property
    def id(self) -> str:
        """Id of the scope, to compare bookmarks by."""
        seen = {"organization": self.organization, "user": self.user, "group": str(self.group)}
        return f"{self.scope}:{seen[self.scope]}"

    @property
    def title(self) -> str:
        """Description of the scope, for the log."""
        return f"scope `{self.scope}` of {self.id.partition(':')[2]}"

    @property
    def events(self) -> Mapping[str, str]:
        """Query parameters of scheduled events."""
        match self.scope:
            case "organization":
                return {"organization": self.organization}
            case "group":
                return {"organization": self.organization, "group": str(self.group)}
        return {"user": self.user} if self.user == self.me else {"organization": self.organization, "user": self.user}

    @property
    def event_types(self) -> Mapping[str, str]:
        """Query parameters of event types, which have no group filter."""
        return {"user": self.user} if self.scope == "user" else {"organization": self.organization}

    @property
    def memberships(self) -> Mapping[str, str]:
        """Query parameters of organization memberships; users who are not admins may list their own."""
        return {"organization": self.organization} if self.scope == "organization" else {"user": self.user}


def resolve(config: Mapping[str, Any], me: Mapping[str, Any], role: str | None) -> Account:
    """Return the account for the settings, the token's user and their role (None if it was not requested).

    Raises:
        SettingsError: The token cannot read the scope, or a setting for it is missing.
    """
    wanted = config["scope"]
    admin = role in _ADMINS
    scope = ("organization" if admin else "user") if wanted == "auto" else wanted
    if scope == "organization" and not admin:
        raise SettingsError(
            f"Scope `organization` needs a token of an owner or admin; this one belongs to a user with the role "
            f"{quoted(role)}. Set `scope` to `auto` or `user`, or use an admin's token."
        )
    if scope == "group" and not config.get("group_uri"):
        raise SettingsError("Scope `group` needs the setting `group_uri`.")
    organization = config.get("organization_uri") or me.get("current_organization")
    if not (isinstance(organization, str) and organization):
        raise SettingsError("Calendly does not report the organization of the token's user: set `organization_uri`.")
    return Account(
        scope=scope,
        organization=organization,
        user=config.get("user_uri") or me["uri"],
        me=me["uri"],
        group=config.get("group_uri"),
    )
