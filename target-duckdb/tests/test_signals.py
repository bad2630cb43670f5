"""A signal at any point of a load: whole batches, and no state ahead of them."""

from __future__ import annotations

import io
import json
import signal
import sys
from contextlib import redirect_stdout
from typing import IO, TYPE_CHECKING

import pytest

from target_duckdb.target import TargetDuckDB

from .singer import INTEGER, TEXT, load, query, record, schema, state, text_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

ROWS, BATCH = 24, 5
pytestmark = pytest.mark.long

MESSAGES = [schema("t", {"id": INTEGER, "name": TEXT})]
for number in range(ROWS):
    MESSAGES.append(record("t", id=number, name=f"n{number}"))
    if number % 8 == 7:
        MESSAGES.append(state({"rows": number + 1}))
LINES = text_of(MESSAGES).splitlines(keepends=True)


def interrupted(file: Path, out: IO[str], moment: int) -> int:
    """Load, with a signal at the call or return that has this number; returns how many there were."""
    target = TargetDuckDB(config={"filepath": str(file), "batch_size_rows": BATCH})
    seen = 0

    def profile(frame: FrameType, *_: object) -> None:
        nonlocal seen
        # The locks of imports and of logging would stay taken in this process, which does not end.
        if frame.f_code.co_filename.startswith("<frozen") or frame.f_globals.get("__name__") == "logging":
            return
        seen += 1
        if seen == moment:
            sys.setprofile(None)
            target._handle_termination(signal.SIGTERM, None)

    with redirect_stdout(out):
        sys.setprofile(profile)
        try:
            target.load(LINES)  # type: ignore[arg-type]  # lines are enough
        finally:
            sys.setprofile(None)
            target.warehouse.close()
    return seen


# What Python calls when an object goes cannot raise: such a signal takes effect a little later.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_at_any_moment_leaves_whole_batches_and_no_state_ahead_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_duckdb.target._STATE_EVERY", 0)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(signal, "setitimer", lambda *_: None)
    moments = min(interrupted(tmp_path / f"{name}.duckdb", io.StringIO(), 0) for name in ("first", "second"))
    whole = {5, 8, 13, 16, 21, 24}
    left = set()

    for moment in range(1, moments - moments // 50, moments // 50):
        file, out = tmp_path / f"{moment}.duckdb", io.StringIO()
        with pytest.raises(SystemExit) as ended:
            interrupted(file, out, moment)
        assert ended.value.code == 128 + signal.SIGTERM
        tables = query(file, "SELECT table_name FROM duckdb_tables()") if file.exists() else []
        rows = len(query(file, "FROM t")) if tables else 0
        states = [json.loads(line)["rows"] for line in out.getvalue().splitlines()]
        assert rows in whole | {0}
        assert max(states, default=0) <= rows
        left.add(rows)
        load(file, MESSAGES)
        assert query(file, "SELECT id, name FROM t ORDER BY id") == [(one, f"n{one}") for one in range(ROWS)]

    assert whole <= left
