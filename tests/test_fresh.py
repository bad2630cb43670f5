"""The demo on a fresh machine, run as the pages print it, in a copy of the project with an empty home."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psutil
import pytest

from api import settings
from calendly_api import CALENDLY
from commands import BIN, run
from newcomer import FORGOTTEN
from worktree import copied

if TYPE_CHECKING:
    from api import Api
    from sandbox import Sandbox

pytestmark = pytest.mark.one_api

ROOT = Path(__file__).parent.parent
START = ROOT / "docs" / "start"


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of a document."""
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def shape(line: str) -> str:
    """A line of output without its figures and its drawing."""
    return " ".join(re.sub(r"[\d,.:]*\d", "#", re.sub(r"[^\w\s.,:%-]+", " ", line)).split())


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the project, in a path with a space, and the environment of somebody who has never used it."""
    folder = copied(tmp_path_factory.mktemp("fresh") / "a copy")
    home = folder.parent / "home"
    home.mkdir()
    # Somebody's own settings, which are none of the demo's business.
    (folder / ".env").write_text(
        f"MELTANO_ENVIRONMENT=prod\nTARGET_DUCKDB_FILEPATH={home}/mine.duckdb\nTAP_CALENDLY_START_DATE=2026-05-31\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FORGOTTEN)}
    python = Path(sys.executable).resolve()
    found = {"HOME": str(home), "PATH": f"{python.parent}:/usr/bin:/bin", "PYTHON": python.name}
    return folder, kept | found


def test_the_demo_prints_what_the_pages_show(fresh: tuple[Path, dict[str, str]]) -> None:
    folder, environment = fresh
    [readme] = [block for block in blocks(ROOT / "README.md", "console") if "make demo" in block]
    first, second = blocks(START / "demo.md", "text")
    for block in (first + readme.partition("\n")[2], second):
        done = subprocess.run(
            ["make", "demo"], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        printed = {shape(line) for line in done.stdout.splitlines()}
        assert {shape(line) for line in block.splitlines()} - printed == set()
    assert not list(folder.parent.joinpath("home").glob("*.duckdb"))
    with duckdb.connect(folder / "output" / "demo.duckdb", read_only=True) as warehouse:
        for query in blocks(START / "first-account.md", "sql"):
            assert len(warehouse.execute(query).fetchall()) > 10


def test_ctrl_c_ends_the_demo_and_leaves_no_process_behind(fresh: tuple[Path, dict[str, str]]) -> None:
    folder, environment = fresh
    # A job in the background of a script ignores Ctrl-C, and so would all that it starts.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    demo = subprocess.Popen(
        ["make", "demo"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    signal.signal(signal.SIGINT, handler)
    assert demo.stdout is not None
    session: list[psutil.Process] = []
    try:
        next(line for line in demo.stdout if "meltano run" in line)
        session = [process for process in psutil.process_iter() if os.getsid(process.pid) == demo.pid]
        os.killpg(demo.pid, signal.SIGINT)
        demo.wait(timeout=20)
        _, alive = psutil.wait_procs(session, timeout=10)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(demo.pid, signal.SIGKILL)
        demo.stdout.close()

    assert len(session) > 2
    assert demo.returncode != 0
    assert alive == []


def test_make_alone_lists_every_target_that_a_page_names(fresh: tuple[Path, dict[str, str]]) -> None:
    folder, environment = fresh
    listed = subprocess.run(["make"], cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout

    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "RELEASING.md", *(ROOT / "docs").rglob("*.md")]
    named = {
        target for page in pages for target in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert {target for target in named if f"make {target} " not in listed} == set()


@pytest.mark.long
def test_the_commands_in_the_readme_of_a_tap_run_as_printed(api: Api, sandbox: Sandbox, tmp_path: Path) -> None:
    getattr(sandbox, api.name).requests_per_minute = 60_000
    (tmp_path / "config.json").write_text(json.dumps(settings(api, sandbox) | {"requests_per_minute": 60_000}))
    (tmp_path / "state.json").write_text("{}")

    for block in blocks(ROOT / api.tap.name / "README.md", "sh"):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_the_test_of_a_key_ends_with_the_line_that_the_readme_shows(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.calendly.requests_per_minute = 60_000
    (tmp_path / "config.json").write_text(json.dumps(settings(CALENDLY, sandbox)))

    *_, last = run("tap-calendly", "--config", str(tmp_path / "config.json"), "--test").out.splitlines()
    [block] = [one for one in blocks(ROOT / "README.md", "console") if "--test\n" in one]
    assert f"--test\n{last}\n" in block
