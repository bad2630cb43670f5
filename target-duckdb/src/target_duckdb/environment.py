"""Settings from environment variables, without a `.env` file.

The SDK would let a `.env` file, somewhere above its own folder, override the environment. Meltano reads its own.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from target_duckdb.errors import LoadError
from target_duckdb.printable import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import NoReturn

_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_KINDS: Mapping[str, tuple[type, str]] = {
    "integer": (int, "a whole number"),
    "number": (float, "a number"),
    "array": (list, 'a JSON array, such as ["a", "b"]'),
    "object": (dict, 'a JSON object, such as {"a": "b"}'),
}
_OF_THE_SDK = ("loglevel",)
"""Names of variables that the SDK reads by itself."""


def variable(prefix: str, setting: str) -> str:
    """Return the environment variable of a setting."""
    return prefix + setting.upper().replace("-", "_")


def from_environment(
    schema: Mapping[str, Any], prefix: str, environment: Mapping[str, str], aliases: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the settings that the environment has; a variable without text sets nothing.

    Args:
        schema: JSON schema of the settings.
        prefix: Beginning of the variables' names.
        environment: The environment.
        aliases: Other names of settings.

    Raises:
        LoadError: With a sentence for each variable that is not of its setting's type, or contradicts an alias.
    """
    found: dict[str, Any] = {}
    origins: dict[str, str] = {}
    wrong: list[str] = []
    for alias, name in ({name: name for name in schema["properties"]} | dict(aliases or {})).items():
        source = variable(prefix, alias)
        if not (text := environment.get(source)):
            continue
        try:
            value = _parsed(text, schema["properties"][name]["type"])
        except ValueError as expected:
            wrong.append(f"The environment variable `{source}` is not {expected}.")
            continue
        if found.setdefault(name, value) != value:
            wrong.append(f"The environment variables `{origins[name]}` and `{source}` set the same: remove one.")
        origins.setdefault(name, source)
    if wrong:
        raise LoadError(" ".join(wrong))
    return found


def unknown_variables(
    environment: Mapping[str, str], prefix: str, settings: Collection[str], config: Mapping[str, Any]
) -> Iterator[str]:
    """Yield a sentence for each environment variable that has the loader's prefix and is not of a setting.

    A name that goes on with another underscore is Meltano's, and one that ends with a setting may be that of a plugin
    with a longer name. A variable whose text is the value of a setting may be where that comes from, as
    `$TARGET_DUCKDB_HOME` in `meltano.yml`.
    """
    known = [variable(prefix, name) for name in settings]
    ends = tuple(f"_{name.upper()}" for name in (*settings, *_OF_THE_SDK))
    values = {"", *(value for value in config.values() if isinstance(value, str))}
    for name, text in environment.items():
        rest = name.removeprefix(prefix)
        if name.upper() in known and name not in known:
            yield f"The environment variable {quoted(name)} is not a known setting; did you mean `{name.upper()}`?"
        if name in known or rest == name or text in values or (rest[:1] == "_" and prefix + rest[1:] not in known):
            continue
        if close := get_close_matches(name, known, 1, 0.9):
            yield f"The environment variable {quoted(name)} is not a known setting; did you mean `{close[0]}`?"
        elif not f"_{rest}".endswith(ends):
            yield f"The environment variable {quoted(name)} is not a known setting."


def refuse_constant(name: str) -> NoReturn:
    """Raise the ValueError of NaN or Infinity in JSON."""
    raise ValueError(name)


def _parsed(text: str, types: str | list[str]) -> Any:
    """Return the value of a text.

    Raises:
        ValueError: The text is of none of the types; the message names the type expected.
    """
    if "string" in types:
        return text
    if "boolean" in types:
        if (word := text.strip().lower()) in _WORDS:
            return _WORDS[word]
        raise ValueError("true or false")
    for name, (kind, expected) in _KINDS.items():
        if name in types:
            try:
                return msgspec.json.decode(text, type=kind)
            except (ValueError, RecursionError):
                raise ValueError(expected) from None
    return text
