"""Output of the tests themselves."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from commands import BIN

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
TESTS = """
from pathlib import Path

def test_that_fails():
    raise AssertionError

def test_that_ends_when_the_failure_was_seen():
    with Path({pipe!r}).open() as pipe:
        assert pipe.readline()
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_failure_is_printed_when_it_happens_and_not_only_at_the_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "test_two.py").write_text(TESTS.format(pipe=str(pipe)), encoding="utf-8")
    command = [str(BIN / "python"), "-m", "pytest", "-q", "-n", "1", f"--config-file={ROOT / 'pyproject.toml'}"]
    command += [f"--rootdir={tmp_path}", "-o", "timeout=60", str(tmp_path / "test_two.py")]
    with (
        pipe.open("r+b", buffering=0) as told,
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdout is not None
        shown: list[str] = []
        for line in process.stdout:
            shown.append(line)
            if "AssertionError" in line:
                told.write(b"seen\n")

    assert "1 failed, 1 passed" in shown[-1], "".join(shown)
