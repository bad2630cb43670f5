"""`make new-tap`: the smallest tap, copied under another name, is a tap of its own at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from new_tap import SHARED
from worktree import copied, tracked

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
API_WORDS = {"scheduler", "is_scheduler", "test_organizer_and_scheduler_are_among_the_attendees"}
"""Old names that remain: the person who booked a meeting is its scheduler."""


def do(folder: Path, *command: object, expected: int = 0) -> str:
    """The output of a command in a folder, whose packages are imported from there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_", "VIRTUAL_ENV"))}
    sources = os.pathsep.join(map(str, folder.glob("*/src")))
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=kept | {"PYTHONPATH": sources},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the work tree."""
    folder = copied(tmp_path_factory.mktemp("new") / "copy")
    do(folder, "git", "init", "-q")
    return folder


@pytest.fixture(scope="module")
def new(copy: Path) -> set[str]:
    """Files that a new tap adds."""
    before = tracked(copy)
    told = do(copy, BIN / "python", "tools/new_tap.py", "tap-book-me", "--title", "BookMe")
    assert "tap-book-me is a copy of tap-scheduler that works" in told
    do(copy, BIN / "python", "tools/docs.py")
    return tracked(copy) - before


def test_a_new_tap_bears_no_trace_of_the_one_that_it_was_copied_from(copy: Path, new: set[str]) -> None:
    texts = [copy.joinpath(name).read_text(encoding="utf-8") for name in new]
    left = {word for text in texts for word in re.findall(r"[\w.-]*(?:scheduler|savvycal)[\w.-]*", text, re.IGNORECASE)}

    assert {
        "tap-book-me/src/tap_book_me/tap.py",
        "sandbox/BOOK_ME.md",
        "tests/support/apis/book_me_visibility.py",
    } <= new
    assert {word.strip(".") for word in left} <= API_WORDS
    assert not any(re.search("scheduler|savvycal", name) for name in new)
    # Whose host that is was not said: none is guessed.
    assert '"https://api.book-me.example"' in copy.joinpath("tap-book-me/src/tap_book_me/tap.py").read_text()


def test_a_new_tap_passes_the_tests_of_its_own_and_those_of_every_tap(copy: Path, new: set[str]) -> None:
    touched = [name for name in {*new, *SHARED} if name.endswith(".py")]
    do(copy, BIN / "ruff", "check", *touched)
    do(copy, BIN / "ruff", "format", "--check", *touched)
    do(copy, BIN / "python", "tools/docs.py", "--check")
    tests = ["tap-book-me", "tests/test_project.py"]
    those = "(book_me or book-me) and not (window or traps)"
    printed = do(copy, BIN / "python", "-m", "pytest", "-q", *tests, "-k", those)
    passed = re.search(r"(\d+) passed", printed)
    assert passed
    assert int(passed[1]) > 80


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("zoom", "no name for a tap"),
        ("tap-Zoom", "no name for a tap"),
        ("tap-luma", "taken"),
        ("tap-savvycal", "taken"),
        ("tap-clock", "taken"),
        ("tap-class", "taken"),
    ],
)
def test_a_name_that_is_none_or_is_taken_is_refused_in_one_sentence(copy: Path, name: str, why: str) -> None:
    before = tracked(copy)
    told = do(copy, BIN / "python", "tools/new_tap.py", name, expected=1)

    assert why in told
    assert len(told.splitlines()) == 1
    assert tracked(copy) == before


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_new_tap_installed_passes_every_test_of_taps(copy: Path, new: set[str]) -> None:
    uv = ROOT / ".tools" / "bin" / "uv"
    do(copy, uv, "lock")
    do(copy, uv, "sync", "-q", "--frozen", "--python", sys.executable)
    do(copy, copy / ".venv/bin/mypy")
    tests = ["tap-book-me", "tests", "sandbox", "--deselect=tests/test_meltano.py"]
    do(copy, copy / ".venv/bin/python", "-m", "pytest", "-q", "-n2", *tests, "-k", "book_me or book-me or test_server")
    assert new
