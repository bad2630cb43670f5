"""Whose data may come into which schema.

Meltano hands an extractor that inherits whatever it does not set itself, keys too, and tells no plugin which those are.
So an account is named together with the schema that it is for: what is inherited names another schema, and allows
nothing.
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
"""Stands for whatever account the keys belong to."""

_EXTRACTOR = "MELTANO_EXTRACTOR_NAME"
_SCHEMA = "MELTANO_EXTRACT__LOAD_SCHEMA"
_PAGE = "docs/guides/several-accounts.md"


def accounts_setting(kind: str) -> th.Property[Any]:
    """Return the setting `accounts`; `kind` is by what an account of the API is known."""
    return setting(
        "accounts",
        th.ObjectType(additional_properties=th.StringType(nullable=False), nullable=False),
        "Accounts",
        f"Account that each schema is for, as `{{schema: account}}`: {kind}; several are separated by commas; `{ANY}` "
        "is any. A key of another account ends the run before anything is written. In Meltano, an extractor with a "
        f"schema of its own needs it: {_PAGE}.",
    )


def named(config: Mapping[str, Any], environment: Mapping[str, str], tap: str, kind: str) -> frozenset[str] | None:
    """Return the names of the accounts that may be read, in the form of `plain`; None for any.

    Without Meltano there is no schema: all that the setting names may be read.

    Raises:
        SettingsError: The schema is not the tap's own, and the setting does not name an account for it; or it is left
            empty.
    """
    accounts: Mapping[str, str] = config.get("accounts") or {}
    extractor, schema = environment.get(_EXTRACTOR), environment.get(_SCHEMA, "")
    texts = [text for name, text in accounts.items() if extractor is None or name == schema]
    names = frozenset(plain(name) for text in texts for name in text.split(",") if name.strip())
    if names:
        return None if ANY in names else names
    if texts:
        raise SettingsError(f"Setting `accounts` names no account for its schema: set {kind}, or `{ANY}` for any.")
    if extractor in (None, tap) or schema == tap.replace("-", "_"):
        return None
    raise SettingsError(
        f"Extractor {quoted(extractor)} inherits what it does not set, keys too, and does not say whose data its "
        f"schema {quoted(schema)} is for. Set `accounts` to {{{quoted(schema)}: …}}, with {kind} (`--test` says whose "
        f"key it is), or with `{ANY}` for any: {_PAGE}."
    )


def inheriting(environment: Mapping[str, str], tap: str) -> str | None:
    """Return the name of Meltano's extractor, where it is one that inherits from the tap's own; else None."""
    extractor = environment.get(_EXTRACTOR)
    return extractor if extractor != tap else None


def plain(name: str) -> str:
    """Return the name of an account in the one form that is compared: of a URI the id at its end."""
    return name.strip().rstrip("/").rpartition("/")[2].casefold()


def check_keys_accounts(allowed: Collection[str] | None, owners: Mapping[str, Collection[str]], kind: str) -> None:
    """Refuse keys of accounts that the setting does not name; `owners` are the names that each key's account has.

    Raises:
        SettingsError: With the key that is not meant.
    """
    for which, names in owners.items() if allowed is not None else ():
        if not names:
            raise SettingsError(
                f"{which} belongs to an account of which the API does not tell {kind}, so that the setting `accounts` "
                f"cannot be checked: name `{ANY}` there."
            )
        if {plain(name) for name in names}.isdisjoint(allowed or ()):
            raise SettingsError(
                f"{which} belongs to another account than the setting `accounts` names, so nothing is read. Set the "
                f"right key, or name {kind} there; `--test` says whose key it is."
            )


def check_state_account(before: Iterable[str], now: Iterable[str], allowed: Collection[str] | None) -> None:
    """Refuse to go on from the state of another account: one that has no id in common with the keys'.

    `before` and `now` are empty where it is not known. An id that the setting names is one of the same account.

    Raises:
        SettingsError: The state is another account's.
    """
    loaded, seen = set(map(plain, before)), set(map(plain, now))
    if loaded and seen and loaded.isdisjoint(seen | set(allowed or ())):
        raise SettingsError(
            "The key belongs to another account than the one whose rows the state is about, so nothing is read. Set "
            "the right key. To load this account in the other one's place, drop its tables and forget the state "
            f"(`meltano state clear`, or run without --state): {_PAGE}."
        )
