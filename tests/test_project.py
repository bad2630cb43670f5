"""Rules for every package: imports, versions, schemas, settings and documents."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

import docs
import hub
import meltano_settings
import personal_data
from api import runner_of
from apis import APIS
from commands import run
from tap_common.stream import APIStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from api import Api
    from harness import Runner, VirtualClock
    from sandbox import Sandbox
    from tap_common.tap import SchedulingTap

ROOT = Path(__file__).parent.parent


def sources(package: str) -> Iterator[Path]:
    yield from ROOT.glob(f"*/src/{package}/**/*.py")


def projects() -> list[dict[str, Any]]:
    paths = [ROOT / "pyproject.toml", *ROOT.glob("*/pyproject.toml")]
    return [tomllib.loads(path.read_text())["project"] for path in paths]


def taps() -> Iterator[type[SchedulingTap]]:
    """Every tap of the workspace, also one that `make new-tap` has made."""
    for project in projects():
        for name, place in project.get("scripts", {}).items():
            if name.startswith("tap-"):
                yield EntryPoint(name, place.removesuffix(".cli"), "console_scripts").load()


TAPS = sorted(taps(), key=lambda tap: tap.name)
PACKAGES = {"tap_common", "target_duckdb", "sandbox", *(tap.__module__.partition(".")[0] for tap in TAPS)}
MAY_IMPORT = {name: {"tap_common"} if name.startswith("tap_") and name != "tap_common" else set() for name in PACKAGES}


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_package_imports_another_but_the_common_one(package: str) -> None:
    others = PACKAGES - {package} - MAY_IMPORT[package]

    assert list(sources(package))
    assert {str(path): imported(path) & others for path in sources(package) if imported(path) & others} == {}


def test_all_versions_are_equal_and_pinned_to_each_other() -> None:
    versions = {project["version"] for project in projects()}
    pins = {
        requirement
        for project in projects()
        for requirement in project["dependencies"]
        if requirement.startswith("scheduling-") and "==" in requirement
    }

    assert len(versions) == 1
    assert {pin.partition("==")[2] for pin in pins} == versions


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_every_library_that_is_imported_is_declared(package: str) -> None:
    folder = next(ROOT.glob(f"*/src/{package}")).parent.parent
    declared = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[<>=~]", requirement)[0].replace("-", "_") for requirement in declared}
    libraries = {name for path in sources(package) for name in imported(path)} - sys.stdlib_module_names - PACKAGES

    assert libraries <= names


@pytest.fixture(scope="module", params=TAPS, ids=lambda tap: tap.name)
def streams(request: pytest.FixtureRequest) -> dict[str, APIStream]:
    """A tap's streams, without a key."""
    found: dict[str, APIStream] = request.param(config={}, validate_config=False).streams
    return found


def test_every_stream_declares_its_path_selector_paginator_and_keys(streams: dict[str, APIStream]) -> None:
    for stream in streams.values():
        assert stream.path.startswith("/") or not stream.makes_requests
        assert stream.records_jsonpath.startswith("$")
        assert stream.paginator_class
        assert stream.primary_keys
        assert not stream.is_sorted
        assert not stream.state_partitioning_keys
        assert type(stream).__doc__


def test_schemas_are_described_and_nullable_but_for_keys(streams: dict[str, APIStream]) -> None:
    for stream in streams.values():
        schema = stream.schema
        Draft202012Validator.check_schema(schema)
        assert schema["required"] == list(stream.primary_keys), stream.name
        assert stream.replication_key is None or stream.replication_key in schema["properties"]
        assert "_extra" in schema["properties"]
        assert not re.search(r'"(enum|pattern|additionalProperties)"', json.dumps(schema)), stream.name
        for name, definition in schema["properties"].items():
            where = f"{stream.name}.{name}"
            kinds = definition["type"] if isinstance(definition["type"], list) else [definition["type"]]
            assert definition["description"], where
            identity = name in stream.primary_keys or (name == "id" and "uri" in stream.primary_keys)
            assert ("null" not in kinds) == identity, where
            # Luma's `valid_…_at` of ticket types are dates, or whatever the API makes of them.
            moment = name.endswith("_at") and not (stream.name == "ticket_types" and name.startswith("valid_"))
            assert not moment or definition.get("format") == "date-time", where


def test_every_mark_is_a_kind_that_the_page_of_personal_data_explains(streams: dict[str, APIStream]) -> None:
    kinds = {"x-personal": personal_data.PERSONAL, "x-secret": personal_data.SECRET}
    for stream in streams.values():
        for name, kind in re.findall(r'"(x-[^"]+)": "?([^",}]+)', json.dumps(stream.schema)):
            assert kind in kinds.get(name, ()), f"{stream.name}: {name} {kind}; tools/personal_data.py has the kinds"


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_a_tap_says_whether_its_start_date_bounds_a_stream_that_is_read_in_full(api: Api) -> None:
    streams = api.tap(config={}, validate_config=False).streams
    in_full = {name for name, stream in streams.items() if stream.replication_key is None}

    assert api.tap.starts_full_streams == bool(in_full & api.begins.keys())


def test_every_attribute_that_a_stream_sets_is_one_that_somebody_reads(streams: dict[str, APIStream]) -> None:
    for stream in streams.values():
        for kind in type(stream).__mro__[: type(stream).__mro__.index(APIStream)]:
            above = kind.__mro__[1:]
            known = {name for base in above for name in (*vars(base), *getattr(base, "__annotations__", ()))}
            own = {name: value for name, value in vars(kind).items() if not name.startswith(("__", "_abc"))}
            plain = {name for name, value in own.items() if isinstance(value, str | tuple | dict | bool | int)}
            assert plain <= known, kind


@pytest.mark.parametrize("plugin", meltano_settings.PLUGINS.values(), ids=lambda plugin: plugin.name)
def test_every_setting_has_a_title_and_a_description(plugin: Any) -> None:
    for name, setting in plugin.config_jsonschema["properties"].items():
        assert setting.get("title") or name.startswith(("stream_", "flattening_", "faker")), name
        assert setting.get("description") or name.startswith(("stream_", "flattening_", "faker", "batch_config")), name


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_settings_that_are_read_are_declared_and_those_declared_are_read(api: Api) -> None:
    package = api.tap.__module__.partition(".")[0]
    text = "\n".join(path.read_text(encoding="utf-8") for name in (package, "tap_common") for path in sources(name))
    read = set(re.findall(r'(?:config|_settings)(?:\.get\(|\[)"(\w+)"', text))
    declared = {
        name
        for name in api.tap.config_jsonschema["properties"]
        if not name.startswith(("stream_map", "flattening", "faker", "batch_config"))
    }

    # Only taps that read with several keys in one run have `api_keys`; the SDK declares the others.
    assert read - {"api_keys", "batch_config", "stream_maps", "stream_map_config"} <= declared
    # Names that are read otherwise stand in a list of their own.
    assert {name for name in declared - read if text.count(f'"{name}"') < 2} == set()


@pytest.mark.parametrize("plugin", meltano_settings.PLUGINS.values(), ids=lambda plugin: plugin.name)
def test_meltano_yml_has_every_setting_and_says_which_are_secret(plugin: Any) -> None:
    kinds = YAML(typ="safe").load(meltano_settings.MELTANO)["plugins"].values()
    [declared] = [one["settings"] for kind in kinds for one in kind if one["name"] == plugin.name]
    found = {setting["name"].partition(".")[0]: setting.get("sensitive", False) for setting in declared}

    properties = plugin.config_jsonschema["properties"]
    assert properties.keys() <= found.keys()
    assert {name for name, sensitive in found.items() if sensitive} == {
        name for name, setting in properties.items() if setting.get("secret")
    }


def test_the_example_of_an_environment_has_a_key_for_each_tap_and_names_settings_alone() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for tap in meltano_settings.TAPS:
        prefix = tap.name.upper().replace("-", "_")
        named = re.findall(rf"\b{prefix}_([A-Z_]+)=", text)
        assert {"API_KEY", "START_DATE"} <= set(named), tap.name
        assert {name.lower() for name in named} <= tap.config_jsonschema["properties"].keys(), tap.name


def test_every_tap_runs_the_sdks_suite_and_no_stream_is_let_off() -> None:
    for tap in TAPS:
        texts = [path.read_text(encoding="utf-8") for path in (ROOT / tap.name).glob("tests/*.py")]
        assert sum("get_tap_test_class(" in text for text in texts) == 1, tap.name
        assert not any("ignore_no_records" in text for text in texts), tap.name


def test_every_incremental_stream_asks_and_writes_less_once_it_has_a_state(
    api: Api, serve: Callable[..., Sandbox], clock: VirtualClock
) -> None:
    sandbox = serve(scale="test")
    getattr(sandbox, api.name).requests_per_minute = 1_000_000
    runner = runner_of(api, sandbox, clock)
    runner.select = lambda _name, _default: True
    requested: list[dict[str, int]] = []
    written: list[dict[str, int]] = []
    for _ in range(2):
        tap = runner.sync(page_size=10)
        streams = [
            stream for stream in tap.streams.values() if isinstance(stream, APIStream) and stream.replication_key
        ]
        requested.append({stream.name: stream.request_counter.value for stream in streams})
        written.append({name: runner.warehouse.written[name] for name in requested[0]})
        sandbox.advance(days=1)

    first, later = requested
    assert {name for name in first if written[1][name] >= written[0][name]} == set()
    # Calendly has no changed-since filter: all meetings are listed, and known ones are not written again.
    assert {name for name, count in first.items() if count and later[name] >= count} <= {"scheduled_events"}


def test_what_is_written_satisfies_the_schema(api: Api, sandbox: Sandbox, runner: Runner) -> None:
    runner.select = lambda _name, _default: True
    tap = runner.sync()

    for stream in tap.streams.values():
        validator = Draft202012Validator(stream.schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        for row in runner.warehouse.rows[stream.name].values():
            assert [error.message for error in validator.iter_errors(row)] == [], stream.name
            assert row.keys() <= stream.schema["properties"].keys()
            assert stream.schema["properties"].keys() - row.keys() <= api.left_out


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_importing_a_package_changes_nothing_global(package: str) -> None:
    program = f"""
import logging, signal, sys, requests, singer_sdk, warnings
def world():
    root = logging.getLogger()
    return (root.level, root.handlers[:], sys.excepthook, signal.getsignal(signal.SIGTERM), requests.Session.send,
            sys.stdout, warnings.filters[:])
before = world()
import importlib, pkgutil, {package}
for module in pkgutil.walk_packages({package}.__path__, "{package}."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(before == world())
"""
    assert run("python", "-c", program).out == "True\n"


@pytest.mark.parametrize("generator", docs.GENERATORS, ids=lambda module: module.__name__)
def test_what_make_docs_writes_is_in_step(generator: ModuleType) -> None:
    assert meltano_settings.differing(generator.pages()) == []


DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("docs/*/*.md")]


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "mkdocs.yml"], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_in_a_document_leads_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    inside = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    # The site has no files of the repository but its own: it links to the others where the repository is.
    others = re.findall(rf"{re.escape(hub.address())}/(?:blob|tree)/main/([^)#\s]+)", text)

    assert [target for target in inside if not (path.parent / target).exists()] == []
    assert [target for target in others if not (ROOT / target).exists()] == []
    assert text.count("//git.example.com") == text.count(hub.address())


@pytest.mark.parametrize("pattern", ["*.yml", "tools/*.py", "*/src/**/*.py"])
def test_every_page_that_a_comment_or_a_message_names_exists(pattern: str) -> None:
    for path in ROOT.glob(pattern):
        named = re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8"))
        assert [page for page in named if not (ROOT / page).exists()] == [], path


def test_the_site_has_every_page_once() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    pages = [str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")]

    assert sorted(re.findall(r": ([\w/.-]+\.md)$", navigation, re.MULTILINE)) == sorted(pages)


def test_the_example_of_a_stream_is_what_the_files_have() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = re.findall(r"(?:^`(\S+)`\n\n)?^```(?:python|json|text)\n(.*?)```", text, flags=re.DOTALL | re.MULTILINE)
    named = [path for path, _ in shown if path]

    assert len(shown) > len(named) > 4
    for place, (path, code) in enumerate(shown):
        nearest = path or next(above for above, _ in reversed(shown[:place]) if above)
        assert code in (ROOT / nearest).read_text(encoding="utf-8"), nearest


def test_the_constraints_of_the_plugins_are_those_of_the_lock() -> None:
    locked = {
        (package["name"], package["version"])
        for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
        if "version" in package
    }
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    pins = {tuple(line.partition(" ;")[0].strip().split("==")) for line in lines}

    assert len(pins) > 30
    assert pins <= locked
