"""Settings from environment variables: the real ones alone.

The SDK would have those of a `.env` file, somewhere above its own folder, count before them. Meltano reads its own.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from target_duckdb.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import NoReturn

_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_OF_THE_SDK = ("loglevel",)
"""Names of variables that the SDK reads by itself."""


def from_environment(
    schema: Mapping[str, Any], prefix: str, environment: Mapping[str, str], aliases: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the settings that the environment has, under their own names; a variable without text sets nothing.

    Raises:
        LoadError: A text is none of its setting's type, or a setting has two; no text is quoted.
    """
    found: dict[str, tuple[str, Any]] = {}
    wrong: list[str] = []
    for name, setting in ({name: name for name in schema["properties"]} | dict(aliases or {})).items():
        variable = prefix + name.upper()
        if not (text := environment.get(variable)):
            continue
        try:
            value = _parsed(text, schema["properties"][setting]["type"])
        except ValueError as expected:
            wrong.append(f"The environment variable {variable} does not hold {expected}.")
            continue
        first, known = found.setdefault(setting, (variable, value))
        if known != value:
            wrong.append(f"The environment variables {first} and {variable} are one setting: leave one of them out.")
    if wrong:
        raise LoadError(" ".join(wrong))
    return {setting: value for setting, (_, value) in found.items()}


def without_effect(
    environment: Mapping[str, str], prefix: str, settings: Collection[str], config: Mapping[str, Any]
) -> Iterator[str]:
    """Return a sentence for each environment variable of the loader's name that is no setting's.

    What goes on with another underscore is Meltano's, and what ends in a setting may be that of a plugin whose name is
    longer. A text that is the value of a setting may have come to it by way of the variable, as `$TARGET_DUCKDB_HOME`.
    """
    known = [prefix + name.upper() for name in settings]
    ends = tuple(f"_{name.upper()}" for name in (*settings, *_OF_THE_SDK))
    values = {"", *(value for value in config.values() if isinstance(value, str))}
    for name, text in environment.items():
        rest = name.removeprefix(prefix)
        if name in known or rest == name or text in values or (rest[:1] == "_" and prefix + rest[1:] not in known):
            continue
        if close := get_close_matches(name, known, 1, 0.9):
            yield f"The environment variable `{name}` sets nothing; did you mean `{close[0]}`?"
        elif not f"_{rest}".endswith(ends):
            yield f"The environment variable `{name}` sets nothing."


def no_number(name: str) -> NoReturn:
    """Raise the ValueError of NaN or Infinity in JSON."""
    raise ValueError(name)


def _parsed(text: str, types: list[str]) -> Any:
    """What a text stands for; ValueError with what it should have been."""
    if "string" in types:
        return text
    if "boolean" in types:
        if (word := text.strip().lower()) in _WORDS:
            return _WORDS[word]
        raise ValueError("true or false")
    kind, what = (int, "a whole number") if "integer" in types else (dict, "a JSON object")
    try:
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError):
        raise ValueError(what) from None
