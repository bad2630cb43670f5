"""Copies of the work tree: with what git has of it, or would have."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def tracked(folder: Path) -> set[str]:
    """The files of a work tree that git has, or would have."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split("\0") if name and (folder / name).is_file()}


def copied(folder: Path) -> Path:
    """A copy of this work tree, in a folder that is not there yet."""
    for name in tracked(ROOT):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder
