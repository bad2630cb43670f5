from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .singer import INTEGER, record, run, schema, state

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["a\x1b[31m\nX", "s" * 10_000, "\u202e", "a' \"b", "a\0b"])
@pytest.mark.parametrize("value", [1, "no integer"])
def test_names_of_a_tap_act_on_no_terminal_forge_no_line_and_are_cut(tmp_path: Path, name: str, value: object) -> None:
    row: dict[str, Any] = {"id": 1, name: value, f"{name}3": 1}
    other = [record(f"{name}2", id=1)] if value == 1 else []
    messages = [schema(name, {"id": INTEGER, name: INTEGER}), record(name, None, **row)]
    done = run(tmp_path, [*messages, state(), *other])
    assert done.returncode == 1
    lines = done.stderr.split("\n")[:-1]
    assert all(line.isprintable() and line.count(" | ") >= 3 and len(line) < 1000 for line in lines)
