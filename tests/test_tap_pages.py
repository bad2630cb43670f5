"""The pages of the taps: their relations are those of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api import runner_of
from relations import relations

if TYPE_CHECKING:
    from collections.abc import Callable

    from api import Api
    from harness import VirtualClock
    from sandbox import Sandbox


def value(row: dict[str, Any], path: str) -> Any:
    """Return what is at a path within a row."""
    found: Any = row
    for name in path.split("."):
        found = (found or {}).get(name)
    return found


def test_what_a_column_refers_to_is_there_but_for_what_was_deleted(
    api: Api, serve: Callable[..., Sandbox], clock: VirtualClock
) -> None:
    sandbox = serve(scale="test")
    getattr(sandbox, api.name).requests_per_minute = 1_000_000
    runner = runner_of(api, sandbox, clock)
    runner.select = lambda _name, _default: True
    runner.sync()
    rows = {stream: list(keyed.values()) for stream, keyed in runner.warehouse.rows.items()}

    assert len(relations(api)) >= 3
    for one in relations(api):
        references = [found for row in rows[one.stream] if (found := value(row, one.column)) is not None]
        known = {value(row, one.target_column) for row in rows[one.target]}
        assert sum(found in known for found in references) >= 0.8 * len(references), one
