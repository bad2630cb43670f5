"""Checks before the first message: settings, keys, accounts, selection."""

from __future__ import annotations

import os
from abc import ABC
from typing import TYPE_CHECKING, ClassVar, cast

from tap_common.cli.selection import nothing_selected, unusual
from tap_common.connections import ConnectedTap
from tap_common.errors import NotFoundError, SettingsError
from tap_common.printable import printable, quoted
from tap_common.settings import api_keys, keys_by_other_names, problems
from tap_common.state.accounts import check_keys_accounts, check_state_account, inheriting, named
from tap_common.state.state import COVERS, check_selection, starts_later
from tap_common.state.timestamps import canonical, instant

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from tap_common.stream import APIStream


# Columns that a warning names.
_NAMED = 10


class CheckedTap(ConnectedTap, ABC):
    """The part of a tap that refuses to run where it would go wrong."""

    starts_full_streams: ClassVar[bool] = False
    """Whether `start_date` bounds a stream that is read in full, in which a target drops what is not read."""
    key_hint: ClassVar[str]
    """Where a key comes from: the end of the sentence about a missing one."""
    account_kind: ClassVar[str] = "its id"
    """By which name an account is known, for messages and the setting `accounts`."""

    @property
    def covers(self) -> Mapping[str, str | None]:
        """What bookmarks of this run vouch for: whose data, and from which start date on."""
        start = self.start_date
        return {"scope": self.scope_id, "start_date": canonical(start) if start else None}

    @property
    def scope_id(self) -> str | None:
        """Whose data the key sees; None where it can see only one."""
        return None

    @property
    def account_ids(self) -> Collection[str]:
        """Ids of the account that the keys see, as a state has them; none where the API does not tell."""
        return self.account_in(self.covers)

    def account_in(self, covers: Mapping[str, str | None]) -> Collection[str]:
        """Return the ids of the account that a bookmark is about; none where that is not known."""
        return [name for name in (covers.get("scope") or "").split(",") if name]

    @property
    def start_date(self) -> datetime | None:
        """The setting, as an instant."""
        return instant(self.config["start_date"]) if self.config.get("start_date") else None

    def check(self) -> None:
        """Everything that can be found wrong before the first message is written.

        Raises:
            TapError: With the sentence to show.
        """
        self.accounts_named()
        self.check_key()
        self.check_account()

    def accounts_named(self) -> Collection[str] | None:
        """Return the names of the accounts that may be read; None for any.

        Raises:
            SettingsError: One has to be named, and is not.
        """
        return named(self.config, os.environ, self.name, self.account_kind)

    def check_account(self) -> None:
        """Refuse keys of an account that is not meant, by the setting `accounts` or by the state.

        Raises:
            SettingsError: With the sentence to show.
        """
        if (allowed := self.accounts_named()) is not None:
            owners = {which: self.account_of(credential) for which, credential in self.keys.items()}
            check_keys_accounts(allowed, owners, self.account_kind)
        bookmarks = self.state.get("bookmarks", {}).values()
        before = {name for bookmark in bookmarks for name in self.account_in(bookmark.get(COVERS) or {})}
        if before:
            check_state_account(before, self.account_ids, allowed)

    def check_key(self) -> None:
        """Everything but what single streams need.

        Raises:
            TapError: With the sentence to show.
        """
        self.check_settings()
        variable = f"{self.env_prefix()}_SELECT"
        check_selection(self.streams.values(), variable, nothing_selected(os.environ))
        for sentence in unusual(cast("list[APIStream]", list(self.streams.values())), variable):
            self.logger.warning("%s", sentence)
        self.warn_of_unlisted()
        try:
            self.check_connection()
        except NotFoundError as error:
            raise SettingsError(f"{error}: check the setting `api_url`.") from error
        self.warn_of_clocks()
        if self.start_date and self.start_date > self.now:
            self.logger.warning("Setting `start_date` is in the future: nothing that is earlier is read.")
        read = [name for name, stream in self.streams.items() if stream.selected]
        if self.starts_full_streams and self.start_date and starts_later(self.state, self.start_date, read):
            self.logger.warning(
                "Setting `start_date` is later than it was: in streams that are read in full, what lies before it "
                "counts as gone. Set it back to have it again."
            )

    def warn_of_unlisted(self) -> None:
        """Say which columns are left out, since the catalog does not list them."""
        streams = cast("dict[str, APIStream]", self.streams).values()
        unlisted = [f"`{stream.name}.{name}`" for stream in streams if stream.selected for name in stream.unlisted]
        if unlisted:
            more = f" and {len(unlisted) - _NAMED} more" if len(unlisted) > _NAMED else ""
            self.logger.warning(
                "Left out, as the catalog does not list them: %s%s. A catalog made with --discover has every column.",
                ", ".join(unlisted[:_NAMED]),
                more,
            )

    def check_settings(self) -> None:
        """Refuse settings that cannot be used.

        Raises:
            SettingsError: With a sentence for each.
        """
        if found := list(problems(self.config_jsonschema, dict(self.config))):
            raise SettingsError(" ".join(found))
        self.check_keys()

    def check_keys(self) -> None:
        """Refuse to run without a key.

        Raises:
            SettingsError: There is none.
        """
        if not api_keys(self.config):
            raise SettingsError(self.missing_key)

    @property
    def missing_key(self) -> str:
        """The sentence about a key that is not set: where it comes from, and where it goes."""
        prefix = self.env_prefix()
        variable = f"{prefix}API_KEY"
        if (extractor := inheriting(os.environ, self.name)) is not None:
            variable = f"{extractor.upper().replace('-', '_')}_API_KEY"
            return f"Setting `api_key` is missing: {self.key_hint} Put it into `.env` as `{printable(variable)}`."
        if os.environ.get(variable):
            return f"Setting `api_key` is missing; `{variable}` of the environment is read with --config=ENV."
        known = {prefix + name.upper() for name in self.config_jsonschema["properties"]}
        others = keys_by_other_names(os.environ, variable, self.vendor_names())
        wrong = [quoted(name) for name in others if name not in known]
        sets_nothing = f" {', '.join(wrong)} of the environment sets nothing: name it `{variable}`." if wrong else ""
        return (
            f"Setting `api_key` is missing: {self.key_hint} Put it into the environment as `{variable}`, with Meltano "
            f"into `.env`.{sets_nothing}"
        )
