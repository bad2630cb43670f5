"""The layout of the sandbox: no circle of imports, no API that needs another, no long file."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import sandbox

PACKAGE = Path(sandbox.__file__).parent
APIS = ("calendly", "luma", "oncehub", "savvycal")
LONGEST = 400
"""Lines of a file."""


def module_name(path: Path) -> str:
    """Return the dotted name of a module."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def imports_of(path: Path) -> set[str]:
    """Return the modules of the sandbox that a module imports, in functions and for type checkers too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                found |= {full if (full := f"{module}.{one.name}") in MODULES else module for one in names}
            case ast.Import(names=names):
                found |= {one.name for one in names}
    return found & MODULES.keys()


GRAPH = {name: imports_of(path) for name, path in MODULES.items()}


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


@pytest.mark.parametrize("api", APIS)
def test_an_api_imports_no_other_api_and_no_server(api: str) -> None:
    foreign = {f"sandbox.{name}" for name in (*APIS, "server", "simulation", "gate", "control") if name != api}
    imported = {other for name, others in GRAPH.items() if name.startswith(f"sandbox.{api}") for other in others}

    assert {name for name in imported if ".".join(name.split(".")[:2]) in foreign} == set()


def test_the_world_knows_no_api() -> None:
    imported = {other for name, others in GRAPH.items() if name.startswith("sandbox.world") for other in others}

    assert {name for name in imported if not name.startswith("sandbox.world")} == set()


def test_no_file_is_longer_than_one_reads_at_a_time() -> None:
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}

    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
