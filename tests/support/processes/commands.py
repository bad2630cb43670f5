"""Running the taps as a user does: as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Outcome:
    """Result of a command."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines of level ERROR, without time and logger."""
        return [line.rpartition(" | ")[2] for line in self.err.splitlines() if "| ERROR " in line]


def run(
    command: str,
    *arguments: str,
    level: str = "INFO",
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """A command of this project, with its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TAP_", "TARGET_"))}
    done = subprocess.run(
        [BIN / command, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**kept, **(environment or {}), "LOGLEVEL": level},
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def run_tap(
    folder: Path,
    tap: str,
    config: Mapping[str, Any],
    *arguments: str,
    state: object = None,
    level: str = "INFO",
) -> Outcome:
    """A tap with a config file, and a state file where there is one."""
    (folder / "config.json").write_text(json.dumps(config))
    if state is not None:
        (folder / "state.json").write_text(state if isinstance(state, str) else json.dumps(state))
        arguments = (f"--state={folder / 'state.json'}", *arguments)
    return run(tap, f"--config={folder / 'config.json'}", *arguments, level=level)
