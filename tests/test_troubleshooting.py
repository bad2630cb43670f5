"""The page of errors: each was made once, and is made again here as it is printed."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from apis import APIS
from sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "guides" / "troubleshooting.md").read_text(encoding="utf-8")
IN_ENV, IN_CONFIG, AT_END = "# .env", "# meltano.yml, tap-calendly's config in", "# meltano.yml, at its end"


@dataclass(frozen=True)
class Example:
    """Files of a case, its command, and the lines that it prints."""

    where: str
    written: str
    command: str
    said: list[str]

    @classmethod
    def of(cls, block: str) -> Example:
        """Of a block of the page."""
        before, _, after = block.partition("$ ")
        where, _, written = before.partition("\n")
        command, *said = after.rstrip().splitlines()
        return cls(where, written, command, said)


EXAMPLES = [Example.of(block) for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A small sandbox, which is only read."""
    with Sandbox(scale="tiny") as served:
        for api in APIS:
            getattr(served, api.name).requests_per_minute = 60_000
        yield served


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is installed: of a new one Meltano would make a database each time."""
    folder = tmp_path_factory.mktemp("somebody") / "project"
    (folder / ".meltano").mkdir(parents=True)
    (folder / "output").mkdir()
    for name in (".venv", "constraints.txt", ".meltano/extractors", ".meltano/loaders"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture
def project(folder: Path, sandbox: Sandbox) -> Path:
    """The project as it came, with the sandbox that is running."""
    text = (ROOT / "meltano.yml").read_text(encoding="utf-8").replace("http://127.0.0.1:8787", sandbox.url)
    # Where plugins come from is part of what Meltano knows an installed one by.
    there = re.sub(r"(pip_url: .*)", lambda line: line[1].replace("${MELTANO_PROJECT_ROOT}", str(ROOT)), text)
    (folder / "meltano.yml").write_text(there, encoding="utf-8")
    (folder / ".env").write_text("", encoding="utf-8")
    return folder


def write(example: Example, project: Path) -> None:
    """Make the mistake."""
    file = project / "meltano.yml"
    if example.where == IN_ENV:
        (project / ".env").write_text(example.written, encoding="utf-8")
    elif example.where == AT_END:
        file.write_text(file.read_text(encoding="utf-8") + example.written, encoding="utf-8")
    elif example.where.startswith(IN_CONFIG):
        meltano: dict[str, Any] = YAML().load(file)
        extractors = meltano["environments"][0]["config"]["plugins"]["extractors"]
        [calendly] = [plugin for plugin in extractors if plugin["name"] == "tap-calendly"]
        calendly["config"] |= YAML().load(example.written)
        YAML().dump(meltano, file)
    else:
        assert not example.where, example


def meltano(project: Path, command: str) -> subprocess.CompletedProcess[str]:
    """A command of a newcomer's shell."""
    others = ("TAP_", "TARGET_", "MELTANO_", "REQUESTS_", "CURL_", "HTTP", "ALL_PROXY", "NO_PROXY")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(others)}
    ours = {"XDG_STATE_HOME": str(project.parent / "log"), "OLDPWD": str(project)}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=project,
        env=kept | ours | {"MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


FIRST = {
    "a key": ("TAP_CALENDLY_API_KEY=wrong", "does not accept the key"),
    "an answer": ("TAP_CALENDLY_MAX_RETRIES=1", "408 Request Timeout on /contacts"),
    "a stream map": ('TAP_CALENDLY_STREAM_MAPS={"contacts": {"x": "int(name)"}}', "`x` of stream `contacts` fails"),
    "the loader": ("TARGET_DUCKDB_FILEPATH=output", "output is a folder. Set filepath to a file."),
    "its setting": ("TARGET_DUCKDB_BATCH_SIZE_ROWS=0", "`batch_size_rows` is out of range (minimum 1)"),
}


@pytest.mark.parametrize(("written", "sentence"), FIRST.values(), ids=FIRST)
def test_the_first_line_of_level_error_says_what_is_wrong_through_meltano_too(
    project: Path, sandbox: Sandbox, written: str, sentence: str
) -> None:
    (project / ".env").write_text(written, encoding="utf-8")
    sandbox.faults.script("/contacts$", ["ok", "408"] if "RETRIES" in written else [])

    done = meltano(project, ".venv/bin/meltano run calendly-to-duckdb")

    sandbox.faults.clear()
    told = [line for line in (done.stdout + done.stderr).splitlines() if "[error " in line]
    assert done.returncode == 1
    assert sentence in told[0], told


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.said[0][:50])
def test_a_mistake_is_answered_as_the_page_says(example: Example, project: Path) -> None:
    write(example, project)
    done = meltano(project, example.command)

    told = done.stdout + done.stderr
    assert [line for line in example.said if line not in told] == [], told


def test_the_page_shows_what_it_says_that_it_shows() -> None:
    assert len(EXAMPLES) > 20
    assert all(example.said for example in EXAMPLES)
