"""One version for all packages: `python tools/version.py` says which, and with a version sets it everywhere.

That is in each pyproject.toml, in what the packages require of each other, and above what the changelog calls
unreleased. `--tag v0.2.0` only says whether this tag is the one to release it by.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHANGELOG = ROOT / "CHANGELOG.md"
NEWEST = r"^## (?P<entry>.+)$"
STATED = r'(?m)^(?P<before>version = "|  "scheduling-[\w-]+==)[^"]+'


def present() -> str:
    """The version that the project has."""
    found = re.search(r'(?m)^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert found is not None  # noqa: S101 - a project has one
    return found[1]


def newest() -> str:
    """The changelog's newest entry: `Unreleased`, or a version with its date."""
    found = re.search(NEWEST, CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None  # noqa: S101 - a test sees to it
    return found["entry"]


def put(version: str) -> None:
    """Set the version in every file that states it; the changelog's unreleased entry becomes today's."""
    for path in [ROOT / "pyproject.toml", *ROOT.glob("*/pyproject.toml")]:
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(STATED, rf"\g<before>{version}", text), encoding="utf-8")
    text = CHANGELOG.read_text(encoding="utf-8")
    today = datetime.now(UTC).date().isoformat()
    CHANGELOG.write_text(re.sub(r"(?m)^## Unreleased$", f"## {version} ({today})", text), encoding="utf-8")


def main() -> str | None:
    """Carry out the command; return what is wrong, if something is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("version", nargs="?", help="such as 0.2.0")
    parser.add_argument("--tag", help="such as v0.2.0")
    given = parser.parse_args()
    if given.version and not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}((a|b|rc)\d+)?", given.version):
        return f"{given.version} is no version: three numbers, such as 0.2.0, or 0.2.0rc1 before it."
    if given.version:
        put(given.version)
    version = present()
    if given.tag is not None and given.tag != f"v{version}":
        return f"The tag is {given.tag}, and the version {version}: RELEASING.md says what comes before a tag."
    if given.tag and not newest().startswith(f"{version} ("):
        return f"CHANGELOG.md has no entry for {version}: its newest is {newest()}."
    print(version)  # noqa: T201 - a program's output
    return None


if __name__ == "__main__":
    sys.exit(main())
