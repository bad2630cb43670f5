"""The SDK's private names that the taps, tap-common and the loader touch: this list, and no other."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import singer_sdk

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SDK = Path(singer_sdk.__file__).parent

PRIVATE = {
    "singer_sdk.helpers._batch": "files of records: their messages and their configuration have no public module",
    "singer_sdk.helpers._flattening": "names of flattened columns have to be the SDK's",
    "singer_sdk.helpers._state": "the keys of progress markers",
    "singer_sdk.mapper:CustomStreamMap._eval": "a stream map that fails quotes the record",
    "singer_sdk.plugin_base:_ConfigInput": "type of the value of --config, which a callback returns",
    "singer_sdk.sinks:Sink._add_sdc_metadata_to_record": "values that a record has in these columns are kept",
    "singer_sdk.sinks:Sink._remove_sdc_metadata_from_record": "the same",
    "singer_sdk.sinks:Sink._remove_sdc_metadata_from_schema": "the same",
    "singer_sdk.sinks:Sink._get_context": "the batch that a record goes into is opened here and not per record",
    "singer_sdk.sinks:Sink._pending_batch": "the same",
    "singer_sdk.streams.core:Stream._increment_stream_state": "bookmarks never run backwards, nor past the run's start",
    "singer_sdk.streams.core:Stream._tap": "type of a stream's tap",
    "singer_sdk.streams.core:Stream._stream_version": "records carry a version that is activated after the last",
    "singer_sdk.streams.core:Stream._write_activate_version_message": "the same",
    "singer_sdk.streams.core:Stream._write_record_message": "a record that no step changes is written at once",
    "singer_sdk.streams.core:Stream._write_schema_message": "a child without a single parent has a table, too",
    "singer_sdk.target_base:Target._assert_sink_exists": "records before their SCHEMA get a sentence",
    "singer_sdk.target_base:Target._handle_max_record_age": "batches end by size, and at STATE messages of a tap",
    "singer_sdk.target_base:Target._max_record_age_in_minutes": "the same",
    "singer_sdk.target_base:Target._process_activate_version_message": "a version also of a stream without a record",
    "singer_sdk.target_base:Target._process_batch_message": "files of records are read line by line, and Parquet, too",
    "singer_sdk.target_base:Target._process_record_message": "the hot path of a load",
    "singer_sdk.target_base:Target._process_schema_message": "a schema is checked before a table is made of it",
    "singer_sdk.target_base:Target._process_state_message": "a STATE goes out when what it covers is committed",
    "singer_sdk.target_base:Target._write_state_message": "the same",
    "singer_sdk.plugin_base:PluginBase._config": "settings are completed with defaults in place",
    "singer_sdk.plugin_base:PluginBase._validate_config": "sentences about settings quote no value",
    "singer_sdk.plugin_base:PluginBase._handle_termination": "a run that is told to stop ends with an honest exit code",
}
"""Names, with the reason for touching each."""


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def defined(tree: ast.AST) -> Iterator[str]:
    """Yield the private names that a module of the SDK defines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
                yield name


def touched(tree: ast.AST) -> Iterator[str]:
    """Yield the private names that a module of ours uses, overrides or imports from the SDK."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) | ast.FunctionDef(name=name) if private(name):
                yield name
            case ast.ImportFrom(module=str(module), names=names) if module.startswith("singer_sdk"):
                yield from (f"{module}:{one.name}" for one in names if private(one.name))
                if any(private(part) for part in module.split(".")):
                    yield module


def sources() -> list[Path]:
    return sorted([*ROOT.glob("tap-*/src/**/*.py"), *ROOT.glob("target-duckdb/src/**/*.py")])


def test_every_private_name_of_the_sdk_that_is_touched_is_listed_with_its_reason() -> None:
    of_the_sdk = {
        name for path in SDK.rglob("*.py") for name in defined(ast.parse(path.read_text("utf-8"))) if private(name)
    }
    listed = {name.rpartition(".")[2] if ":" in name and "." in name.partition(":")[2] else name for name in PRIVATE}
    found: dict[str, str] = {}
    for path in sources():
        for name in touched(ast.parse(path.read_text("utf-8"))):
            if name in of_the_sdk or "singer_sdk" in name:
                found[name] = str(path.relative_to(ROOT))

    assert {name: path for name, path in found.items() if name not in listed} == {}
    assert {name for name in listed if name not in found and private(name.rpartition(":")[2])} == set()


@pytest.mark.parametrize("name", PRIVATE)
def test_each_of_them_is_where_it_was(name: str) -> None:
    module, _, inside = name.partition(":")
    found: object = import_module(module)
    for part in filter(None, inside.split(".")):
        annotated = part in getattr(found, "__annotations__", {})
        assigned = isinstance(found, type) and f"self.{part}" in inspect.getsource(found)
        assert hasattr(found, part) or annotated or assigned
        found = getattr(found, part, found)
