"""Accounts that may be loaded into a schema.

In Meltano, an extractor inherits every setting that it does not set, keys included, and a plugin cannot see which those
are. So the setting `accounts` names an account together with its schema: an inherited setting names another schema, and
allows nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_common.errors import SettingsError
from tap_common.printable import quoted
from tap_common.settings import setting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

ANY = "*"
"""Allows any account."""

_EXTRACTOR = "MELTANO_EXTRACTOR_NAME"
_SCHEMA = "MELTANO_EXTRACT__LOAD_SCHEMA"
_PAGE = "docs/guides/several-accounts.md"


def accounts_setting(kind: str) -> th.Property[Any]:
    """Return the setting `accounts`; `kind` describes the names of the API's accounts."""
    return setting(
        "accounts",
        th.ObjectType(additional_properties=th.StringType(nullable=False), nullable=False),
        "Accounts",
        f"Account that may be loaded into each schema, as `{{schema: account}}`: {kind}; several, separated by commas; "
        f"`{ANY}` for any. A key of another account ends the run before anything is written. In Meltano, an extractor "
        f"with its own schema needs it: {_PAGE}.",
    )


def allowed_accounts(
    config: Mapping[str, Any], environment: Mapping[str, str], tap: str, kind: str
) -> frozenset[str] | None:
    """Return the normalized names of the accounts that may be read; None for any.

    Without Meltano there is no schema, so all accounts in the setting may be read.

    Raises:
        SettingsError: The setting names no account for the schema, although it is not the tap's own.
    """
    accounts: Mapping[str, str] = config.get("accounts") or {}
    extractor, schema = environment.get(_EXTRACTOR), environment.get(_SCHEMA, "")
    texts = [text for name, text in accounts.items() if extractor is None or name == schema]
    names = frozenset(normalize_account(name) for text in texts for name in text.split(",") if name.strip())
    if names:
        return None if ANY in names else names
    if texts:
        raise SettingsError(f"Setting `accounts` names no account for its schema: set {kind}, or `{ANY}` for any.")
    if extractor in (None, tap) or schema == tap.replace("-", "_"):
        return None
    raise SettingsError(
        f"Extractor {quoted(extractor)} inherits all settings that it does not set, keys included, and names no "
        f"account for its schema {quoted(schema)}. Set `accounts` to {{{quoted(schema)}: …}}, with {kind} (`--test` "
        f"shows the key's owner), or with `{ANY}` for any: {_PAGE}."
    )


def inheriting_extractor(environment: Mapping[str, str], tap: str) -> str | None:
    """Return the name of Meltano's extractor if it inherits from the tap's own; else None."""
    extractor = environment.get(_EXTRACTOR)
    return extractor if extractor != tap else None


def normalize_account(name: str) -> str:
    """Return the name of an account in a comparable form; for a URI, the id at its end."""
    return name.strip().rstrip("/").rpartition("/")[2].casefold()


def check_keys_accounts(allowed: Collection[str] | None, owners: Mapping[str, Collection[str]], kind: str) -> None:
    """Refuse keys of accounts that the setting does not name; `owners` has the names of each key's account.

    Raises:
        SettingsError: A key belongs to another account, or to one that the API does not name.
    """
    for which, names in owners.items() if allowed is not None else ():
        if not names:
            raise SettingsError(
                f"The API does not report {kind} for {which[0].lower()}{which[1:]}, so the setting `accounts` cannot "
                f"be checked: set it to `{ANY}`."
            )
        if {normalize_account(name) for name in names}.isdisjoint(allowed or ()):
            raise SettingsError(
                f"{which} belongs to another account than the setting `accounts` names, so nothing is read. Set the "
                f"right key, or set `accounts` to {kind}; `--test` shows the key's owner."
            )


def check_state_account(before: Iterable[str], now: Iterable[str], allowed: Collection[str] | None) -> None:
    """Refuse the state of another account: one whose ids are neither the keys' nor in the setting `accounts`.

    `before` are the ids in the state, `now` those of the keys; empty if unknown.

    Raises:
        SettingsError: The state belongs to another account.
    """
    loaded, seen = set(map(normalize_account, before)), set(map(normalize_account, now))
    if loaded and seen and loaded.isdisjoint(seen | set(allowed or ())):
        raise SettingsError(
            "The key belongs to another account than the state, so nothing is read. Set the right key. To replace the "
            "other account's data by this one's, drop its tables and clear the state (`meltano state clear`, or run "
            f"without --state): {_PAGE}."
        )
