"""Somebody who has never used the project, and types what its documents say.

The home folder is empty, and the repository is at the address that the documents name: git is told to take it from a
repository that was made of the work tree. Of this machine's settings only those of its network are left, and uv's cache
of what PyPI has, without which every test would fetch 100 MB.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hub
from commands import BIN, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[3]
FORGOTTEN = (
    "COV_",
    "GIT_DIR",
    "GIT_INDEX",
    "GIT_WORK",
    "HOME",
    "MAKE",
    "MELTANO",
    "MFLAGS",
    "PATH",
    "PIP_FIND_LINKS",
    "PYTHON",
    "TAP_",
    "TARGET_",
    "UV_",
    "VIRTUAL_ENV",
    "XDG_",
)
"""Prefixes of this machine's variables that a newcomer does not have."""
KEPT = ("UV_SYSTEM_CERTS",)
"""Variables that are kept: those of the network."""
TOOLS = ("uv", "uvx", "meltano")
"""Programs that the documents expect besides python3, git and make."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody at a terminal.

    Attributes:
        folder: Where blocks begin.
        environment: The environment of every command.
    """

    folder: Path
    environment: Mapping[str, str]

    def types(self, script: str, timeout: float = 230) -> Outcome:
        """Return the result of a block of a document, which must succeed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return Outcome(done.returncode, done.stdout, done.stderr)

    def clone(self) -> Path:
        """The repository, with uv where `make` puts it: that `make` fetches it is tried with `make demo`."""
        self.types(f"git clone -q {hub.address()}")
        found = self.folder / hub.address().rpartition("/")[2]
        (found / ".tools" / "bin").mkdir(parents=True)
        (found / ".tools" / "bin" / "uv").symlink_to(BIN / "uv")
        return found


def published(folder: Path) -> Path:
    """A bare repository whose one commit is the work tree; the same tree is always the same commit."""
    moment = "2026-01-01T00:00:00Z"
    environment = os.environ | {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    own = ["git", "-c", "user.name=Nobody", "-c", "user.email=nobody@example.com", f"--git-dir={folder}"]
    for command in (
        ["init", "-q", "--bare", "--initial-branch=main"],
        [f"--work-tree={ROOT}", "add", "--all", "."],
        [f"--work-tree={ROOT}", "commit", "-q", "-m", "The work tree"],
    ):
        subprocess.run([*own, *command], cwd=ROOT, env=environment, check=True, capture_output=True)
    return folder


def newcomer(folder: Path, repository: Path) -> Newcomer:
    """Somebody new, in a folder that is there."""
    cache = subprocess.run([BIN / "uv", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    home, tools, start = folder / "home", folder / "tools", folder / "start"
    for made in (home, tools, start):
        made.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(BIN / tool)
    (home / ".gitconfig").write_text(f'[url "{repository.as_uri()}"]\n\tinsteadOf = {hub.address()}\n')
    kept = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(FORGOTTEN)}
    python = Path(sys.executable).resolve().parent
    own = {
        "HOME": str(home),
        "PATH": f"{home}/.local/bin:{tools}:{python}:/usr/bin:/bin",
        "UV_CACHE_DIR": cache,
        "UV_PYTHON_DOWNLOADS": "never",
        # Tests speak to PyPI at most.
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "true",
    }
    return Newcomer(start, kept | own)


def blocks(document: Path, heading: str) -> list[str]:
    """The commands of a section of a document, block by block."""
    section = document.read_text(encoding="utf-8").partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
