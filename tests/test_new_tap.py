"""`make new-tap`: a bare tap, and with SANDBOX=1 a copy of the smallest one, are taps of their own at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tap_copy import SHARED
from worktree import copied, tracked

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
API_WORDS = {"scheduler", "is_scheduler", "test_organizer_and_scheduler_are_among_the_attendees"}
"""Old names that remain in a copy: the person who booked a meeting is its scheduler."""


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


def made(folder: Path, *arguments: str) -> set[str]:
    """The files that a new tap adds to a copy of the work tree."""
    before = tracked(folder)
    do(folder, BIN / "python", "tools/new_tap.py", *arguments)
    return tracked(folder) - before


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the work tree."""
    folder = copied(tmp_path_factory.mktemp("new") / "copy")
    do(folder, "git", "init", "-q")
    return folder


@pytest.fixture(scope="module")
def bare(copy: Path) -> set[str]:
    """The files of a bare tap, whose title is more than one word."""
    return made(copy, "tap-cal-com", "--title", "Büro & Cal.com 2.0 (EU)")


def test_a_bare_tap_is_a_handful_of_small_files(copy: Path, bare: set[str]) -> None:
    assert {name.removeprefix("tap-cal-com/") for name in bare} == {
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "src/tap_cal_com/__init__.py",
        "src/tap_cal_com/py.typed",
        "src/tap_cal_com/schemas/bookings.json",
        "src/tap_cal_com/streams.py",
        "src/tap_cal_com/tap.py",
        "tests/fake_cal_com.py",
        "tests/test_tap_cal_com.py",
    }
    assert sum(len((copy / name).read_text("utf-8").splitlines()) for name in bare if "LICENSE" not in name) < 260


def test_a_bare_tap_passes_its_own_tests_and_those_of_every_package(copy: Path, bare: set[str]) -> None:
    assert bare
    own = ["tap-cal-com", "tests/test_project.py", "-k", "cal-com or cal_com or pinned"]
    printed = do(copy, BIN / "python", "-m", "pytest", "-q", *own)
    do(copy, BIN / "ruff", "check", "tap-cal-com", "pyproject.toml")
    do(copy, BIN / "ruff", "format", "--check", "tap-cal-com")

    assert int(printed.rpartition(" passed")[0].rpartition("\n")[2].split()[-1]) > 20


def test_a_bare_tap_is_a_command(copy: Path, bare: set[str]) -> None:
    assert bare
    program = "import sys; from tap_cal_com.tap import TapCalCom; TapCalCom.cli(sys.argv[1:])"

    assert '"tap_stream_id":"bookings"' in do(copy, BIN / "python", "-c", program, "--discover")
    assert "Singer tap for Büro & Cal.com 2.0 (EU)." in do(copy, BIN / "python", "-c", program, "--help")
    assert "TAP_CAL_COM_API_KEY" in do(copy, BIN / "python", "-c", program, "--about")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([""], "no name"),
        (["zoom"], "is no name for a tap"),
        (["tap-Zoom"], "is no name for a tap"),
        (["tap-luma"], "taken"),
        (["tap-savvycal"], "SavvyCal has a tap, tap-scheduler"),
        (["tap-zoom", "--title", "Savvy Cal"], "SavvyCal has a tap, tap-scheduler"),
        (["tap-zoom", "--title", 'Zoom"'], "is no title"),
        (["tap-zoom", "--title", "…"], "is no title"),
        (["tap-zoom", "--title", "Zoom" * 11], "44 characters"),
        (["tap-clock", "--sandbox"], "taken"),
        (["tap-class", "--sandbox"], "taken"),
    ],
)
def test_a_name_that_is_none_or_is_taken_is_refused_in_one_sentence(
    copy: Path, bare: set[str], arguments: list[str], why: str
) -> None:
    assert bare
    before = {name: (copy / name).read_bytes() for name in tracked(copy)}
    told = do(copy, BIN / "python", "tools/new_tap.py", *arguments, expected=1)

    assert why in told
    assert len(told.splitlines()) == 1
    assert {name: (copy / name).read_bytes() for name in tracked(copy)} == before


@pytest.mark.long
@pytest.mark.parametrize("sandbox", [False, pytest.param(True, marks=pytest.mark.soak)])
@pytest.mark.timeout(1200)
def test_make_installs_a_new_tap_whose_tests_and_types_are_right(tmp_path: Path, *, sandbox: bool) -> None:
    folder = copied(tmp_path / "copy")
    (folder / ".tools").symlink_to(ROOT / ".tools")
    do(folder, "git", "init", "-q")
    command = ["make", f"PYTHON={sys.executable}", "new-tap", "NAME=tap-book-me", "TITLE=Book.me"]
    do(folder, *command, *["SANDBOX=1"] * sandbox)

    tests = ["tests", "sandbox", "-k", "(book_me or book-me or test_server) and not meltano and not schema_of_its_own"]
    everywhere = ["tests/test_project.py", "tests/test_release.py"]
    chosen = ["tap-book-me", *(tests if sandbox else everywhere)]
    do(folder, ".venv/bin/python", "-m", "pytest", "-q", "-n2", *chosen)
    do(folder, ".venv/bin/mypy")
    assert "Book.me" in do(folder, ".venv/bin/tap-book-me", "--help")


@pytest.mark.long
def test_a_bare_tap_is_an_extractor_once_it_is_named_where_contributing_says(tmp_path: Path) -> None:
    folder = copied(tmp_path / "copy")
    do(folder, "git", "init", "-q")
    made(folder, "tap-calcom", "--title", "Cal.com")
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    [entry] = re.findall(r"^```yaml\n(.*?)^```", contributing, re.DOTALL | re.MULTILINE)
    taps = "tools/meltano_settings.py"
    for name, place, added in (
        ("meltano.yml", "\nplugins:\n  extractors:\n", entry),
        (taps, "\nfrom tap_bookings.tap import TapBookings\n", "from tap_calcom.tap import TapCalcom\n"),
        (taps, "\nTAPS: list[type[SchedulingTap]] = [", "TapCalcom, "),
        (".env.example", "\nTAP_SCHEDULER_API_KEY=\n", "TAP_CALCOM_API_KEY=\n# TAP_CALCOM_START_DATE=2024-01-01\n"),
    ):
        text = (folder / name).read_text("utf-8")
        assert text.count(place) == 1
        (folder / name).write_text(text.replace(place, place + added), "utf-8")
    do(folder, BIN / "python", "tools/docs.py")
    rules = "calcom or in_step or example_of_an_environment or sdks_suite"
    do(folder, BIN / "python", "-m", "pytest", "-q", "tests/test_project.py", "-k", rules)

    [tap] = re.findall(
        r"^  - name: tap-calcom\n(?:    .*\n)+", (folder / "meltano.yml").read_text("utf-8"), re.MULTILINE
    )
    assert "capabilities:\n" in tap
    assert "- name: api_key\n" in tap
    assert "- bookings.*\n" in tap


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """A copy of the work tree, and the files that a tap with an API in the sandbox adds to it."""
    folder = copied(tmp_path_factory.mktemp("whole") / "copy")
    do(folder, "git", "init", "-q")
    new = made(folder, "tap-book-me", "--title", "Book.me", "--sandbox")
    do(folder, BIN / "python", "tools/docs.py")
    return folder, new


@pytest.mark.long
def test_a_copy_bears_no_trace_of_the_tap_that_it_was_copied_from(whole: tuple[Path, set[str]]) -> None:
    folder, new = whole
    texts = [folder.joinpath(name).read_text(encoding="utf-8") for name in new]
    left = {word for text in texts for word in re.findall(r"[\w.-]*(?:scheduler|savvycal)[\w.-]*", text, re.IGNORECASE)}

    assert {
        "tap-book-me/src/tap_book_me/tap.py",
        "sandbox/BOOK_ME.md",
        "tests/support/apis/book_me_visibility.py",
    } <= new
    assert {word.strip(".") for word in left} <= API_WORDS
    assert not any(re.search("scheduler|savvycal", name) for name in new)
    # No host was given, and none is guessed.
    assert '"https://api.book-me.example"' in folder.joinpath("tap-book-me/src/tap_book_me/tap.py").read_text("utf-8")
    assert 'api_name = "Book.me"' in folder.joinpath("tap-book-me/src/tap_book_me/tap.py").read_text("utf-8")


@pytest.mark.long
def test_a_copy_passes_the_tests_of_its_own_and_those_of_every_tap(whole: tuple[Path, set[str]]) -> None:
    folder, new = whole
    touched = [name for name in {*new, *SHARED} if name.endswith(".py")]
    do(folder, BIN / "ruff", "check", *touched)
    do(folder, BIN / "ruff", "format", "--check", *touched)
    do(folder, BIN / "python", "tools/docs.py", "--check")
    tests = ["tap-book-me", "tests/test_project.py", "-k", "(book_me or book-me) and not (window or traps)"]
    printed = do(folder, BIN / "python", "-m", "pytest", "-q", *tests)
    passed = re.search(r"(\d+) passed", printed)
    assert passed
    assert int(passed[1]) > 80
