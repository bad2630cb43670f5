"""Checks before the first message: settings, selection, keys, accounts."""

from __future__ import annotations

import os
from abc import ABC
from typing import TYPE_CHECKING, ClassVar, cast

from tap_common.cli.selection import empty_selection_hint, selection_warnings
from tap_common.connections import ConnectedTap
from tap_common.errors import NotFoundError, SettingsError
from tap_common.printable import printable, quoted
from tap_common.settings import api_keys, config_problems, keys_by_other_names
from tap_common.state.accounts import allowed_accounts, check_keys_accounts, check_state_account, inheriting_extractor
from tap_common.state.state import COVERS, check_selection, start_date_moved_later
from tap_common.state.timestamps import canonical, instant

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from tap_common.stream import APIStream


# Maximum number of columns in a warning.
_NAMED = 10


class CheckedTap(ConnectedTap, ABC):
    """The part of a tap that checks its settings, keys and state."""

    starts_full_streams: ClassVar[bool] = False
    """True if `start_date` limits a FULL_TABLE stream: a target then soft-deletes records from before it."""
    key_hint: ClassVar[str]
    """Instructions for a new key: the end of a message about a missing or refused one."""
    account_kind: ClassVar[str] = "its id"
    """Kind of name that an account has in the setting `accounts`, for messages."""

    @property
    def covers(self) -> Mapping[str, str | None]:
        """Scope and start date for which this run's bookmarks are valid."""
        start = self.start_date
        return {"scope": self.scope_id, "start_date": canonical(start) if start else None}

    @property
    def scope_id(self) -> str | None:
        """Id of the data that the keys can read; None if that is always the same."""
        return None

    @property
    def account_ids(self) -> Collection[str]:
        """Ids of the keys' account, in the form in which a state has them; none if the API does not say."""
        return self.account_in(self.covers)

    def account_in(self, covers: Mapping[str, str | None]) -> Collection[str]:
        """Return the ids of a bookmark's account; none if they are not known."""
        return [name for name in (covers.get("scope") or "").split(",") if name]

    @property
    def start_date(self) -> datetime | None:
        """The setting `start_date`, as a moment."""
        return instant(self.config["start_date"]) if self.config.get("start_date") else None

    def check(self) -> None:
        """Check everything that can be checked before the first message.

        Raises:
            TapError: A check failed.
        """
        self.allowed_accounts()
        self.check_key()
        self.check_account()

    def allowed_accounts(self) -> Collection[str] | None:
        """Return the names of the accounts that may be read; None for any.

        Raises:
            SettingsError: The setting `accounts` is required, and names none.
        """
        return allowed_accounts(self.config, os.environ, self.name, self.account_kind)

    def check_account(self) -> None:
        """Check that the keys belong to the accounts in the setting `accounts`, and to that of the state.

        Raises:
            SettingsError: A key belongs to another account.
        """
        if (allowed := self.allowed_accounts()) is not None:
            owners = {which: self.account_of(credential) for which, credential in self.keys.items()}
            check_keys_accounts(allowed, owners, self.account_kind)
        bookmarks = self.state.get("bookmarks", {}).values()
        before = {name for bookmark in bookmarks for name in self.account_in(bookmark.get(COVERS) or {})}
        if before:
            check_state_account(before, self.account_ids, allowed)

    def check_key(self) -> None:
        """Check the settings, the selection and the keys.

        Raises:
            TapError: A check failed.
        """
        self.check_settings()
        variable = f"{self.env_prefix()}_SELECT"
        check_selection(self.streams.values(), variable, empty_selection_hint(os.environ))
        for sentence in selection_warnings(cast("list[APIStream]", list(self.streams.values())), variable):
            self.logger.warning("%s", sentence)
        self.warn_about_unlisted()
        try:
            self.check_connection()
        except NotFoundError as error:
            raise SettingsError(f"{error}: check the setting `api_url`.") from error
        self.warn_about_clocks()
        if self.start_date and self.start_date > self.now:
            self.logger.warning("Setting `start_date` is in the future: nothing to sync before then.")
        read = [name for name, stream in self.streams.items() if stream.selected]
        if self.starts_full_streams and self.start_date and start_date_moved_later(self.state, self.start_date, read):
            self.logger.warning(
                "Setting `start_date` is later than before: in FULL_TABLE streams, records before it are soft-deleted. "
                "Set it back to restore them."
            )

    def warn_about_unlisted(self) -> None:
        """Log the columns that are left out because the catalog does not list them."""
        streams = cast("dict[str, APIStream]", self.streams).values()
        unlisted = [f"`{stream.name}.{name}`" for stream in streams if stream.selected for name in stream.unlisted]
        if unlisted:
            more = f" and {len(unlisted) - _NAMED} more" if len(unlisted) > _NAMED else ""
            self.logger.warning(
                "Not in the catalog, so left out: %s%s. A new catalog from --discover has all columns.",
                ", ".join(unlisted[:_NAMED]),
                more,
            )

    def check_settings(self) -> None:
        """Check the settings.

        Raises:
            SettingsError: A setting cannot be used; all of them are named.
        """
        if found := list(config_problems(self.config_jsonschema, dict(self.config))):
            raise SettingsError(" ".join(found))
        self.check_keys()

    def check_keys(self) -> None:
        """Check that a key is set.

        Raises:
            SettingsError: No key is set.
        """
        if not api_keys(self.config):
            raise SettingsError(self.missing_key)

    @property
    def missing_key(self) -> str:
        """Message about a missing key: how to get one, and where to set it."""
        prefix = self.env_prefix()
        variable = f"{prefix}API_KEY"
        if (extractor := inheriting_extractor(os.environ, self.name)) is not None:
            variable = f"{extractor.upper().replace('-', '_')}_API_KEY"
            return f"Setting `api_key` is missing: {self.key_hint} Put it into `.env` as `{printable(variable)}`."
        if os.environ.get(variable):
            return f"Setting `api_key` is missing; add --config=ENV to read `{variable}` from the environment."
        known = {prefix + name.upper() for name in self.config_jsonschema["properties"]}
        others = keys_by_other_names(os.environ, variable, self.vendor_names())
        wrong = [quoted(name) for name in others if name not in known]
        rename = f" Rename {', '.join(wrong)} in the environment to `{variable}`." if wrong else ""
        return (
            f"Setting `api_key` is missing: {self.key_hint} Put it into the environment as `{variable}`, with Meltano "
            f"into `.env`.{rename}"
        )
