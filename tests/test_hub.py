"""The definitions for Meltano Hub: in step with the plugins, as the Hub's schema wants them, and good for Meltano."""

from __future__ import annotations

import json
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from meltano.core.plugin.base import PluginDefinition, PluginType
from ruamel.yaml import YAML

import hub
from meltano_settings import PLUGINS, selection, settings
from newcomer import ROOT, blocks, newcomer, published
from tap_calendly.tap import TapCalendly
from tap_common.tap import SchedulingTap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What the Hub's JSON schemas, its linter and its scripts demanded on 1 August 2026.
pytestmark = pytest.mark.long

REQUIRED = {"name", "namespace", "variant", "quality"}
COMMON = REQUIRED | {
    "capabilities",
    "commands",
    "definition",
    "description",
    "docs",
    "domain_url",
    "executable",
    "hidden",
    "keywords",
    "label",
    "log_parser",
    "logo_url",
    "maintenance_status",
    "next_steps",
    "pip_url",
    "prereq",
    "python",
    "repo",
    "requires",
    "settings",
    "settings_group_validation",
    "settings_preamble",
    "supported_python_versions",
    "usage",
}
ALLOWED = {
    "extractors": COMMON | {"metadata", "schema", "select"},
    "loaders": COMMON | {"dialect", "target_schema"},
}
BOTH = {"about", "activate-version", "batch", "schema-flattening", "stream-maps", "structured-logging"}
CAPABILITIES = {
    "extractors": BOTH | {"catalog", "discover", "log-based", "properties", "state", "test"},
    "loaders": BOTH | {"datatype-failsafe", "hard-delete", "soft-delete", "target-schema", "validate-records"},
}
OF_A_SETTING: dict[str, type] = {
    "aliases": list,
    "description": str,
    "docs": str,
    "documentation": str,
    "env": str,
    "hidden": bool,
    "kind": str,
    "label": str,
    "name": str,
    "oauth": dict,
    "options": list,
    "placeholder": str,
    "sensitive": bool,
    "tooltip": str,
    "value": object,
    "value_post_processor": str,
    "value_processor": str,
}
KINDS: dict[str, type | tuple[type, ...]] = {
    "array": list,
    "boolean": bool,
    "date_iso8601": str,
    "decimal": (int, float),
    "email": str,
    "file": str,
    "hidden": str,
    "integer": int,
    "oauth": str,
    "object": dict,
    "options": str,
    "password": str,
    "string": (str, int, float),  # Meltano breaks off on a decimal in an environment variable
}
"""Kinds of settings, and what a value of each is."""
STATUS = {"active", "beta", "development", "inactive", "unknown"}
QUALITY = {"bronze", "gold", "silver", "unknown"}


@pytest.fixture(params=sorted(hub.pages()), ids=lambda path: path.parent.name)
def page(request: pytest.FixtureRequest) -> Path:
    """The file of each definition."""
    found: Path = request.param
    return found


@pytest.fixture
def definition(page: Path) -> dict[str, Any]:
    """Return the content of an archive."""
    return dict(YAML(typ="safe").load(page))


def mappings(value: object) -> Iterator[dict[str, Any]]:
    """Every mapping in a value, itself included."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from mappings(item)


def test_the_definitions_are_in_step_with_the_plugins_and_nothing_else_is_there() -> None:
    pages = hub.pages()

    assert {path.parent.name for path in pages} == PLUGINS.keys()
    assert {path: path.read_text(encoding="utf-8") for path in (ROOT / "hub").rglob("*") if path.is_file()} == pages


def test_a_definition_has_the_keys_that_the_hub_knows_in_order(page: Path, definition: dict[str, Any]) -> None:
    folder = page.parents[1].name

    assert REQUIRED <= definition.keys() <= ALLOWED[folder]
    assert "logo_url" not in definition, "logos are somebody's trademarks"
    for mapping in mappings(definition):
        assert list(mapping) == sorted(mapping)
    assert set(definition["capabilities"]) <= CAPABILITIES[folder]
    assert definition["maintenance_status"] in STATUS
    assert definition["quality"] in QUALITY
    assert all(re.fullmatch(r"3\.\d+", version) for version in definition["supported_python_versions"])
    assert definition["domain_url"].startswith("https://")


def test_a_definition_is_written_as_the_hub_s_linter_wants_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert not text.startswith("---")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    # Blocks throughout; items of a list stand below their key, not further in.
    assert not re.search(r"^[^'\"]*: [{\[].", text, flags=re.MULTILINE)
    assert not re.search(r"^( *)\w+:\n\1 +- ", text, flags=re.MULTILINE)


def test_names_are_those_of_the_folder_the_file_and_the_module(page: Path, definition: dict[str, Any]) -> None:
    assert definition["name"] == definition["executable"] == page.parent.name
    assert definition["namespace"] == definition["name"].replace("-", "_")
    # The Hub looks for the maintainer under the variant in small letters.
    assert definition["variant"] == page.stem == definition["variant"].lower()


def test_everything_comes_from_the_one_address(definition: dict[str, Any]) -> None:
    parts = [part.partition("#subdirectory=") for part in definition["pip_url"].split()]
    expected = ["tap-common"] if issubclass(PLUGINS[definition["name"]], SchedulingTap) else []

    assert definition["repo"] == hub.address()
    assert {source for source, _, _ in parts} == {f"git+{hub.address()}"}
    assert [folder for _, _, folder in parts] == [*expected, definition["name"]]


def test_settings_are_the_plugin_s_with_kinds_and_types_that_the_hub_knows(definition: dict[str, Any]) -> None:
    found = definition["settings"]

    assert [setting["name"] for setting in found] == [one["name"] for one in settings(PLUGINS[definition["name"]])]
    for setting in found:
        assert setting.keys() <= OF_A_SETTING.keys(), setting["name"]
        assert all(isinstance(value, OF_A_SETTING[key]) for key, value in setting.items()), setting["name"]
        assert setting["kind"] in KINDS, setting["name"]
        assert "value" not in setting or isinstance(setting["value"], KINDS[setting["kind"]]), setting["name"]
        assert (setting["kind"] == "password") <= setting.get("sensitive", False)
        for option in setting.get("options", ()):
            assert {key: type(value) for key, value in option.items()} == {"label": str, "value": str}
    named = {setting["name"] for setting in found}
    assert all(set(group) <= named for group in definition["settings_group_validation"])


def test_what_is_secret_in_the_plugin_is_sensitive(definition: dict[str, Any]) -> None:
    schema = PLUGINS[definition["name"]].config_jsonschema["properties"]
    secret = {name for name, setting in schema.items() if setting.get("secret")}

    assert {one["name"] for one in definition["settings"] if one.get("sensitive")} == secret


def test_meltano_reads_a_definition_whole(page: Path, definition: dict[str, Any]) -> None:
    read = PluginDefinition.parse({"plugin_type": PluginType(page.parents[1].name), **definition})
    [variant] = read.variants

    assert read.extras.get("select") == definition.get("select")
    assert [setting.name for setting in variant.settings] == [one["name"] for one in definition["settings"]]
    assert {setting.name for setting in variant.settings if setting.is_redacted} == {
        one["name"] for one in definition["settings"] if one.get("sensitive")
    }
    assert [setting.value for setting in variant.settings] == [one.get("value") for one in definition["settings"]]


def test_the_page_s_commands_add_the_plugin_with_its_settings_and_selection_and_a_url_does_too(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    somebody = newcomer(tmp_path_factory.mktemp("a newcomer"), published(tmp_path_factory.mktemp("published")))
    somebody.clone()
    [block] = blocks(ROOT / "docs" / "contributing" / "hub.md", "## Without the Hub")
    listed = somebody.types(block).out
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=ROOT / "hub")) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}/loaders/target-duckdb/{hub.VARIANT}.yml"
        somebody.types(f"cd my-project; meltano add --no-install --from-ref {url} target-duckdb")
        server.shutdown()
    plugins = YAML(typ="safe").load(somebody.folder / "my-project" / "meltano.yml")["plugins"]
    [added], [loader] = plugins["extractors"], plugins["loaders"]
    [path] = [path for path in hub.pages() if path.parent.name == "tap-calendly"]
    definition = YAML(typ="safe").load(path)

    assert {key: added[key] for key in ("name", "variant", "pip_url", "namespace")} == {
        key: definition[key] for key in ("name", "variant", "pip_url", "namespace")
    }
    assert [one["name"] for one in added["settings"]] == [one["name"] for one in definition["settings"]]
    assert "TAP_CALENDLY_API_KEY" in listed
    assert loader["variant"] == hub.VARIANT
    assert added["select"] == definition["select"] == selection(TapCalendly)


def test_the_page_names_the_address_that_is_set() -> None:
    page = (ROOT / "docs" / "contributing" / "hub.md").read_text(encoding="utf-8")

    assert page.count("//git.example.com") == page.count(hub.address()) > 0
    assert json.dumps(selection(TapCalendly)) in page
