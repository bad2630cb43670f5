"""The layout of tap_common: which room may import which; and how long a file of tap_common or the loader may be."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tap-common" / "src" / "tap_common"
LOADER = ROOT / "target-duckdb" / "src" / "target_duckdb"
BASE = {"errors", "printable"}
ALLOWED = {
    "http": BASE,
    "state": {*BASE, "sdk", "settings", "http"},
    "output": {*BASE, "sdk", "http", "state"},
    "cli": {*BASE, "settings", "http", "state", "output"},
}
LONGEST = 400
"""Lines of a file."""


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the modules of tap_common that run when a module is imported: all but those for type checkers."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.ImportFrom(module=str(module)) if module.startswith("tap_common"):
                yield module
        yield from imported(child)


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_those_below_it(room: str) -> None:
    found = {
        (path.name, module.split(".")[1])
        for path in (PACKAGE / room).glob("*.py")
        for module in imported(ast.parse(path.read_text("utf-8")))
    }

    assert {(name, other) for name, other in found if other not in {room, *ALLOWED[room]}} == set()


def test_every_module_of_tap_common_is_in_a_room_or_is_one_of_the_few_beside_them() -> None:
    beside = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}

    assert {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(ALLOWED)
    readme = (ROOT / "tap-common" / "README.md").read_text("utf-8")
    assert {name for name in (*beside, *ALLOWED) if f"`{name}`" not in readme} == set()


def test_no_file_is_longer_than_one_reads_at_a_time() -> None:
    files = [*PACKAGE.rglob("*.py"), *LOADER.rglob("*.py")]
    lines = {path.name: len(path.read_text("utf-8").splitlines()) for path in files}

    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
