"""Keeps the settings and selections in meltano.yml equal to what the plugins say of themselves.

The file is as Meltano writes it, so that its commands change only what they say.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from meltano.core.project import Project
from ruamel.yaml import YAML

from tap_bookings.tap import TapBookings
from tap_calendly.tap import TapCalendly
from tap_common.tap import SchedulingTap
from tap_luma.tap import TapLuma
from tap_scheduler.tap import TapScheduler
from target_duckdb.settings import ALIASES
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
    found = [setting(name, definition) for name, definition in leaves(schema["properties"])]
    aliases = ALIASES if plugin is TargetDuckDB else {}
    for one in found:
        if names := [alias for alias, meant in aliases.items() if meant == one["name"]]:
            one["aliases"] = names
    return found


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
    """Return the streams that are selected by default, as Meltano's select list.

    By name, and not all but some: where a pattern excludes a stream, no other pattern selects it, and so
    `meltano select` could not.
    """
    return [f"{stream.name}.*" for stream in tap.stream_types if stream.selected_by_default]


def as_meltano_writes(text: str, name: str = "meltano.yml") -> str:
    """A project's file as Meltano writes it whenever one of its commands changes something."""
    # Somebody's own settings of YAML are not the project's.
    with TemporaryDirectory() as folder, patch.dict(os.environ, MELTANO_DISABLE_USER_YAML_CONFIG="true"):
        Path(folder, "meltano.yml").write_text(f"include_paths: ['{name}']\n", encoding="utf-8")
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8")
        with Project(folder).meltano_update():
            pass
        return path.read_text(encoding="utf-8")


def pages() -> dict[Path, str]:
    """meltano.yml with the plugins' capabilities and settings in it."""
    yaml = YAML()
    yaml.width = 4096
    project = yaml.load(MELTANO)
    for plugin in [*project["plugins"]["extractors"], *project["plugins"]["loaders"]]:
        if plugin["name"] in PLUGINS:
            known = PLUGINS[plugin["name"]]
            plugin.setdefault("capabilities", [])[:] = sorted(capability.value for capability in known.capabilities)
            plugin["settings"] = settings(known)
            if issubclass(known, SchedulingTap):
                plugin["select"] = selection(known)
    # `meltano select` adds to the `select` of the environment that is named, which takes the place of the extractor's.
    for environment in project["environments"]:
        for plugin in environment["config"]["plugins"]["extractors"]:
            if "select" in plugin:
                plugin["select"] = selection(next(tap for tap in TAPS if tap.name == plugin["name"]))
    text = io.StringIO()
    yaml.dump(project, text)
    return {MELTANO: as_meltano_writes(text.getvalue())}


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
