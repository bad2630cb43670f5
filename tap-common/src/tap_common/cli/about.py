"""The output of `--about`."""

from __future__ import annotations

import json
from textwrap import fill, indent
from typing import TYPE_CHECKING, Any

from singer_sdk.about import AboutFormatter
from typing_extensions import override

from tap_common.cli.environment import variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.about import AboutInfo

SETTINGS = "settings"
"""Name of the format, for the SDK."""
_WIDTH = 80


class Settings(AboutFormatter, format_name=SETTINGS):
    """Every setting with its type, default, environment variable and description, which the SDK's text lacks."""

    @override
    def format_about(self, about_info: AboutInfo) -> str:
        """Return the text, for a terminal."""
        about = str(about_info.description).strip().splitlines()[0]
        can = ", ".join(capability.value for capability in about_info.capabilities)
        parts = [
            f"{about_info.name} {about_info.version}, Meltano SDK {about_info.sdk_version}",
            fill(about, _WIDTH),
            fill(f"Capabilities: {can}", _WIDTH, break_on_hyphens=False),
            "Settings, each with its environment variable:",
        ]
        for name, setting in about_info.settings["properties"].items():
            title = f"{name} ({'; '.join(_traits(setting))})\n  {variable(about_info.env_var_prefix, name)}"
            parts.append(f"{title}\n{indent(fill(setting['description'], _WIDTH - 2, break_on_hyphens=False), '  ')}")
        return "\n\n".join(parts)


def _traits(setting: Mapping[str, Any]) -> Iterator[str]:
    yield from (kind for kind in setting["type"] if kind != "null")
    if setting.get("secret"):
        yield "secret"
    if "enum" in setting:
        yield f"one of {', '.join(choice for choice in setting['enum'] if choice is not None)}"
    if (default := setting.get("default")) is not None:
        yield f"default {default if isinstance(default, str) else json.dumps(default)}"
