"""Writes hub/, the definitions for Meltano Hub, from what the plugins say of themselves, and from meltano.yml."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from meltano_settings import MELTANO, PLUGINS, selection, settings
from tap_common.tap import SchedulingTap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.plugin_base import PluginBase

ROOT = Path(__file__).parent.parent
VARIANT = "scheduling-taps"
"""The repository's own name: the Hub's variants are mostly named after an account, which can change hands."""
PREAMBLE = (
    "Dates are text (`2024-01-31`, or a time in ISO 8601, in UTC where it has no offset): of the kind `date_iso8601` "
    "Meltano would read `2024` as this day and month of 2024."
)


def address() -> str:
    """The repository's address: the one place where it is set."""
    root = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(root["tool"]["scheduling-taps"]["repository"])


def definition(plugin: type[PluginBase], declared: Mapping[str, Any]) -> dict[str, Any]:
    """The Hub's definition of a plugin, of which meltano.yml has a declaration.

    What meltano.yml configures is the value of the setting here. A tap is installed together with tap-common, by the
    same address: pip would look for it on PyPI.
    """
    folders = ["tap-common", plugin.name] if issubclass(plugin, SchedulingTap) else [plugin.name]
    project = tomllib.loads((ROOT / plugin.name / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    values = {name: {"value": value} for name, value in declared.get("config", {}).items()}
    found = {
        "name": plugin.name,
        "variant": VARIANT,
        "repo": address(),
        "pip_url": " ".join(f"git+{address()}#subdirectory={folder}" for folder in folders),
        **{key: declared[key] for key in ("label", "description", "namespace", "executable")},
        "capabilities": sorted(capability.value for capability in plugin.capabilities),
        "settings": [setting | values.get(setting["name"], {}) for setting in settings(plugin)],
        "settings_group_validation": declared["settings_group_validation"],
        "domain_url": project["urls"]["Vendor"],
        "keywords": sorted({*project["keywords"], "meltano_sdk"} - {"meltano", "singer", "singer-sdk"}),
        "supported_python_versions": [
            version for name in project["classifiers"] if "." in (version := name.rpartition(" :: ")[2])
        ],
        "maintenance_status": "beta",
        "quality": "unknown",
    }
    if issubclass(plugin, SchedulingTap):
        found |= {"select": selection(plugin), "settings_preamble": PREAMBLE}
    return found


def ordered(value: Any) -> Any:
    """The same with the keys of every mapping in order, as the Hub wants them."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    return [ordered(item) for item in value] if isinstance(value, list) else value


def pages() -> dict[Path, str]:
    """Each definition with its text."""
    yaml = YAML()
    yaml.width = 4096
    found = {}
    for folder, declared in YAML(typ="safe").load(MELTANO)["plugins"].items():
        for one in declared:
            if one["name"] in PLUGINS:
                text = io.StringIO()
                yaml.dump(ordered(definition(PLUGINS[one["name"]], one)), text)
                found[ROOT / "hub" / folder / one["name"] / f"{VARIANT}.yml"] = text.getvalue()
    return found
