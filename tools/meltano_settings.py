"""Keeps the settings and selections in meltano.yml equal to what the plugins say of themselves."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tap_bookings.tap import TapBookings
from tap_calendly.tap import TapCalendly
from tap_common.tap import SchedulingTap
from tap_luma.tap import TapLuma
from tap_scheduler.tap import TapScheduler
from target_duckdb.target import TargetDuckDB

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.plugin_base import PluginBase

MELTANO = Path(__file__).parent.parent / "meltano.yml"
TAPS: list[type[SchedulingTap]] = [TapCalendly, TapBookings, TapLuma, TapScheduler]
_PLUGINS: list[type[PluginBase]] = [*TAPS, TargetDuckDB]
PLUGINS = {plugin.name: plugin for plugin in _PLUGINS}
KINDS = {"integer": "integer", "number": "string", "boolean": "boolean", "object": "object", "array": "array"}
"""Meltano's kinds. It makes of a decimal in an environment variable what it cannot hand over as JSON."""


def settings(plugin: type[PluginBase]) -> list[dict[str, Any]]:
    """A plugin's settings, as Meltano wants them."""
    schema = plugin.config_jsonschema
    plugin.append_builtin_config(schema)
    return [setting(name, definition) for name, definition in leaves(schema["properties"])]


def leaves(properties: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each setting with its name; in the place of `batch_config` those within it, as `batch_config.storage.root`."""
    for name, definition in properties.items():
        if (above or name == "batch_config") and "properties" in definition:
            yield from leaves(definition["properties"], f"{above}{name}.")
        else:
            yield above + name, definition


def setting(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """One setting: kind, label, description, default, and whether it is a secret.

    A date is a string: Meltano would read "2024" as this day and month of 2024.
    """
    types = definition.get("type", "string")
    kind = next((KINDS[each] for each in ([types] if isinstance(types, str) else types) if each in KINDS), "string")
    found: dict[str, Any] = {"name": name, "kind": kind}
    if definition.get("secret"):
        found |= {"kind": "password" if kind == "string" else kind, "sensitive": True}
    elif options := [value for value in definition.get("enum", ()) if value is not None]:
        found |= {"kind": "options", "options": [{"label": value, "value": value} for value in options]}
    found["label"] = definition.get("title", name)
    if description := definition.get("description"):
        found["description"] = description
    if definition.get("default") is not None:
        found["value"] = definition["default"]
    return found


def selection(tap: type[SchedulingTap]) -> list[str]:
    """What is on by default: Meltano selects everything unless it is told otherwise."""
    return ["*.*", *(f"!{stream.name}.*" for stream in tap.stream_types if not stream.selected_by_default)]


def pages() -> dict[Path, str]:
    """meltano.yml with the plugins' capabilities and settings in it."""
    yaml = YAML()
    yaml.width = 4096
    yaml.preserve_quotes = True
    project = yaml.load(MELTANO)
    for plugin in [*project["plugins"]["extractors"], *project["plugins"]["loaders"]]:
        if plugin["name"] in PLUGINS:
            known = PLUGINS[plugin["name"]]
            plugin["capabilities"][:] = sorted(capability.value for capability in known.capabilities)
            plugin["settings"] = settings(known)
            if issubclass(known, SchedulingTap):
                plugin["select"] = selection(known)
    text = io.StringIO()
    yaml.dump(project, text)
    return {MELTANO: text.getvalue()}


def differing(pages: Mapping[Path, str]) -> list[Path]:
    """The pages that are not there, or are not their text."""
    return [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def kept(pages: Mapping[Path, str]) -> int:
    """Write the pages that differ from their text, or with `--check` only name them: 1 where one differs."""
    wrong = differing(pages)
    for path in wrong:
        if "--check" in sys.argv:
            print(f"{path} is not what `make docs` makes of it.")  # noqa: T201 - a program's output
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages[path], encoding="utf-8")
    return int("--check" in sys.argv and bool(wrong))
