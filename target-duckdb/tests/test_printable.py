from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_common import printable as of_the_taps
from target_duckdb import printable as of_the_loader

from .singer import INTEGER, record, run, schema, state

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("longest", [100, 5])
@pytest.mark.parametrize(
    "text", ["", "plain", "\x1b[31mred", "a\nb\r\t\0", "\u202eright", "\ud800", "x" * 10_000, "'\"`\\", "é€😀", 5, None]
)
def test_taps_and_loader_print_text_from_outside_alike(text: object, longest: int) -> None:
    assert of_the_loader.printable(text, longest) == of_the_taps.printable(text, longest)


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
