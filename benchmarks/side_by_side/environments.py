"""An environment for each peer, made once below `.bench/` from complete pins."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).parent.parent
ROOT = FOLDER.parent
HOME = ROOT / ".bench"
NAMES = ("bench", "template", "dlt", "airbyte", "msdk", "target")
_UV = ROOT / ".tools/bin/uv"


def python(name: str) -> str:
    """The interpreter of an environment."""
    return str(HOME / name / "bin/python")


def command(name: str, program: str) -> str:
    """A command that an environment has."""
    return str(HOME / name / "bin" / program)


def ours(program: str) -> str:
    """A command of the checkout's own environment."""
    return str(ROOT / ".venv/bin" / program)


def prepare() -> None:
    """Make the environments that are missing, or whose pins have changed."""
    for name in NAMES:
        pins = (FOLDER / "requirements" / f"{name}.txt").read_text()
        stamp = HOME / name / "pins.txt"
        if stamp.exists() and stamp.read_text() == pins:
            continue
        print(f"Installing .bench/{name}", file=sys.stderr)  # noqa: T201 - progress
        _uv("venv", "--quiet", "--clear", "--python", ours("python"), str(HOME / name))
        requirements = str(FOLDER / "requirements" / f"{name}.txt")
        _uv("pip", "install", "--quiet", "--compile-bytecode", "--python", python(name), "--requirement", requirements)
        stamp.write_text(pins)


def _uv(*arguments: str) -> None:
    subprocess.run([_UV, *arguments], check=True)  # noqa: S603 - our own


def machine() -> dict[str, str]:
    """Return the machine of the figures."""
    facts = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*: (.+)", facts)
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()) if facts else None
    return {
        "processor": f"{model[1] if model else platform.processor()}, {facts.count('processor') or 1} cores",
        "memory": f"{int(memory[1]) / 1024**2:.0f} GB" if memory else "unknown",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Return the compared packages, by environment, and what they stand on."""
    own = ("scheduling-tap-common", "scheduling-target-duckdb", "singer-sdk", "duckdb")
    found = {f"{package} (.venv)": version(package) for package in own}
    for name in NAMES:
        declared = (FOLDER / "requirements" / f"{name}.in").read_text()
        pinned = dict(
            re.findall(r"^([\w-]+)==(\S+)", (FOLDER / "requirements" / f"{name}.txt").read_text(), re.MULTILINE)
        )
        wanted = re.findall(r"^([\w-]+)", declared, re.MULTILINE)
        found |= {f"{package} (.bench/{name})": pinned[package] for package in wanted if package in pinned}
    return found
