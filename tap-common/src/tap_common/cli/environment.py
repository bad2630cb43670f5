"""Settings from environment variables: the real ones alone.

The SDK would have those of a `.env` file, somewhere above its own folder, count before them. Meltano reads its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_common.cli.given import DEEPEST
from tap_common.errors import SettingsError
from tap_common.http.json import is_deep

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_KINDS: Mapping[str, tuple[type, str]] = {
    "integer": (int, "a whole number"),
    "number": (float, "a number"),
    "array": (list, 'a JSON array, such as ["a", "b"]'),
    "object": (dict, 'a JSON object, such as {"a": "b"}'),
}


def variable(prefix: str, setting: str) -> str:
    """The environment variable of a setting."""
    return prefix + setting.upper().replace("-", "_")


def from_environment(schema: Mapping[str, Any], prefix: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment has; a variable without text sets nothing.

    Raises:
        SettingsError: With a sentence for each variable whose text is none of its setting's type.
    """
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for name, setting in schema["properties"].items():
        if text := environment.get(variable(prefix, name)):
            try:
                found[name] = _parsed(text, setting["type"])
            except ValueError as expected:
                wrong.append(f"The environment variable `{variable(prefix, name)}` does not hold {expected}.")
    if wrong:
        raise SettingsError(" ".join(wrong))
    return found


def _parsed(text: str, types: str | list[str]) -> Any:
    """What a text stands for.

    Raises:
        ValueError: Nothing of such a type; its own text says what would.
    """
    if "boolean" in types:
        if (word := text.strip().lower()) in _WORDS:
            return _WORDS[word]
        raise ValueError("true or false")
    for name, (kind, what) in _KINDS.items():
        if name in types:
            try:
                value: Any = msgspec.json.decode(text, type=kind)
            except (ValueError, RecursionError):
                raise ValueError(what) from None
            if is_deep(value, DEEPEST):
                raise ValueError(f"{what}, of at most {DEEPEST} levels")
            return value
    return text
