"""A copy of the smallest tap that lives, tap-scheduler, for `make new-tap` with SANDBOX=1.

All that has the name of the old tap or of its API is copied under the new names: the package, the API in the sandbox,
the changes that a run sees, and their tests. Shared files that name the old tap name the new one too.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from new_tap import Tap

ROOT = Path(__file__).parent.parent
COPIED = (
    "tap-scheduler/**/*",
    "docs/taps/savvycal*.md",
    "sandbox/src/sandbox/savvycal/*",
    "sandbox/SAVVYCAL.md",
    "sandbox/tests/test_savvycal_*",
    "tests/support/*/savvycal_*",
    "tests/test_histories_savvycal.py",
)
FUNCTION = r"^(?:@.*\n)?def savvycal\(.*\n(?:(?: .*)?\n)+(?=\S)"
IMPORT = r"^from .*(?:savvycal|scheduler).*\n"
ENTRY = r'^ +"savvycal": (?:\((?:.*\n)+?    \)|.*),\n'
SHARED = {
    "pyproject.toml": {
        r"^.*scheduling-tap-scheduler.*\n": "",
        r'"tap[-_]scheduler"': ", ",
        r"tap-scheduler/src": ":",
    },
    ".env.example": {r"^(?:# SavvyCal.*\n)?.*TAP_SCHEDULER.*\n": ""},
    # An item of a list, with what stands below it.
    "meltano.yml": {r"^( *)- (?:name: )?(?:tap-|daily-|weekly-)?scheduler\b.*\n(?:\1 .*\n)*": ""},
    "sandbox/src/sandbox/server.py": {IMPORT: "", r"^.*SavvyCal\(.*\n": "", r"self\.savvycal(?=\))": ", "},
    "sandbox/src/sandbox/signals.py": {ENTRY: ""},
    "mkdocs.yml": {r"^ +- .*savvycal\.md\n": "", r"^ +- .*savvycal-api\.md\n": ""},
    "tests/support/apis/apis.py": {IMPORT: "", r"SAVVYCAL(?=\])": ", "},
    "tests/support/apis/bounds.py": {FUNCTION: "", ENTRY: ""},
    "tests/support/serving.py": {IMPORT: "", FUNCTION: ""},
    "tests/support/histories/misled.py": {ENTRY: ""},
    "tests/test_accounts.py": {ENTRY: ""},
    "tests/test_loaded.py": {ENTRY: ""},
    "tests/test_paging.py": {ENTRY: "", r'^ +\("savvycal", .*\n': ""},
    "tools/costs.json": {r'^ "savvycal": \{(?:.*\n)+? \}': ",\n"},
    "tools/costs.py": {IMPORT: "", ENTRY: "", r'"savvycal": \d+': ", "},
    "tools/demo.py": {r'"tap-scheduler": "savvycal"': ", "},
    "tools/meltano_settings.py": {IMPORT: "", r"TapScheduler(?=\])": ", "},
}
"""Places that name the old tap, as patterns, and the text between the old name and the new one."""
COPY = "> A copy: nothing on this page has been checked with {title} yet. Write it anew, and take this line away.\n\n"
NEXT = """
{name} is a copy of tap-scheduler that works, over a copy of its API in the sandbox. Make it {title}'s;
run its tests after each step. CONTRIBUTING.md says more.

1. docs/taps/{module}-api.md
   What the API's documentation says, and where it says so.
2. sandbox/src/sandbox/{module}, sandbox/tests/test_{module}_*.py, sandbox/{module_upper}.md
   The API as it answers, and what it refuses.
3. {name}/src/{package}, {name}/tests
   Settings, the envelope and cursor of all lists, streams, schemas.
4. tests/support/*/{module}_*.py, and `{module}` in tests/support/apis/bounds.py
   What happens at the source, what a run sees of it and what not, and how many requests it needs.
5. docs/taps/{module}.md, {name}/README.md, the tables of taps in README.md and docs, CHANGELOG.md, {name} in
   .env.example and meltano.yml, the questions in tools/demo.py
   What its users read.
"""


TEXT = r'("""[\s\S]*?"""|"[^"\n]*"|#.*)'
"""Strings and comments of Python, in which the vendor has its title; elsewhere it is part of a name."""


def renamed(text: str, tap: Tap, *, python: bool = True) -> str:
    """Return a text with the new names.

    The word `scheduler` alone stays: in SavvyCal it is the person who booked a meeting.
    """
    if python:
        parts = re.split(TEXT, re.sub(r'(?<=\[")SavvyCal(?="\])', tap.camel, text))
        parts[::2] = [part.replace("SavvyCal", tap.camel) for part in parts[::2]]
        text = "".join(parts)
    for old, new in (
        (r"savvycal\.com", f"{tap.kebab}.example"),
        (r"(?<=tap_)scheduler|(?<=test_)scheduler|savvycal", tap.module),
        (r"(?<=TAP_)SCHEDULER|SAVVYCAL", tap.module.upper()),
        (r"(?<=Tap)Scheduler", tap.camel),
        (r"SavvyCal", tap.title),
        (r"(?<=-)scheduler|scheduler(?=-)", tap.kebab),
    ):
        text = re.sub(old, new, text)
    return text


def faults(tap: Tap) -> Iterator[str]:
    """Yield a sentence if a file of the copy, or a line that all taps share, has one of its names already."""
    paths = [path for place in COPIED for path in ROOT.glob(renamed(place, tap))]
    shared = "\n".join((ROOT / path).read_text(encoding="utf-8") for path in SHARED)
    if keyword.iskeyword(tap.module) or paths or re.search(rf"\b({tap.name}|{tap.module})\b", shared):
        yield f"{tap.name} is taken: something here has this name, or {tap.module}."


def files(tap: Tap) -> dict[Path, str]:
    """Return the files that are the old tap's alone, and those that name every tap, with the new names.

    Raises:
        LookupError: A shared file does not name the old tap where it did.
    """
    found = {}
    for path in sorted({path for place in COPIED for path in ROOT.glob(place)}):
        if path.is_file() and "__pycache__" not in path.parts:
            text = renamed(path.read_text(encoding="utf-8"), tap, python=path.suffix == ".py")
            new = ROOT / renamed(str(path.relative_to(ROOT)), tap)
            found[new] = COPY.format(title=tap.title) * (new.suffix == ".md") + text
    for name, places in SHARED.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for place, between in places.items():
            ends = [(old.end(), old[0]) for old in re.finditer(place, text, re.MULTILINE)]
            if not ends:
                raise LookupError(f"{name} has nothing like {place}")
            for end, old in reversed(ends):
                text = text[:end] + between + renamed(old, tap, python=name.endswith(".py")) + text[end:]
        found[ROOT / name] = text
    return found
