"""Settings from environment variables: the real ones alone.

The SDK would have those of a `.env` file, somewhere above its own folder, count before them. Meltano reads its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from target_duckdb.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def from_environment(schema: Mapping[str, Any], prefix: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment has; a variable without text sets nothing.

    Raises:
        LoadError: A text is none of its setting's type; it is not quoted.
    """
    found: dict[str, Any] = {}
    for name, setting in schema["properties"].items():
        variable = prefix + name.upper()
        if text := environment.get(variable):
            try:
                found[name] = _value(text, setting["type"])
            except ValueError as expected:
                raise LoadError(f"The environment variable {variable} does not hold {expected}.") from None
    return found


def _value(text: str, types: list[str]) -> Any:
    """What a text stands for; ValueError with what it should have been."""
    if "string" in types:
        return text
    if "boolean" in types:
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        raise ValueError("true or false")
    kind, what = (int, "a whole number") if "integer" in types else (dict, "a JSON object")
    try:
        return msgspec.json.decode(text, type=kind)
    except ValueError:
        raise ValueError(what) from None
