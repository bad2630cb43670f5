"""A new tap, from the smallest one that lives: `python tools/new_tap.py tap-zoom`, with `--title` for the API's name.

What bears the names of the old tap or of its API is copied under the new ones: the package, the API in the sandbox, the
list of what is seen, and their tests. Where files that all taps share say an old name, they say the new one too.
"""

from __future__ import annotations

import argparse
import keyword
import re
import subprocess
import sys
from pathlib import Path

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
    "mkdocs.yml": {r"^ +- .*savvycal\.md\n": "", r"^ +- .*savvycal-api\.md\n": ""},
    "tests/support/apis/apis.py": {IMPORT: "", r"SAVVYCAL(?=\])": ", "},
    "tests/support/apis/bounds.py": {FUNCTION: "", ENTRY: ""},
    "tests/support/serving.py": {IMPORT: "", FUNCTION: ""},
    "tests/test_loaded.py": {ENTRY: ""},
    "tools/costs.json": {r'^ "savvycal": \{(?:.*\n)+? \}': ",\n"},
    "tools/costs.py": {IMPORT: "", ENTRY: "", r'"savvycal": \d+': ", "},
    "tools/demo.py": {r'"tap-scheduler": "savvycal"': ", "},
    "tools/meltano_settings.py": {IMPORT: "", r"TapScheduler(?=\])": ", "},
}
"""Patterns of text that is repeated for the new tap, with the text between the two."""
COPY = "> A copy: nothing on this page has been checked with {title} yet. Write it anew, and take this line away.\n\n"
NEXT = """{name} is a copy of tap-scheduler that works, over a copy of its API in the sandbox. Make it {title}'s;
run its tests after each step. CONTRIBUTING.md says more.

1. docs/taps/{module}-api.md
   What the API's documentation says, and where it says so.
2. sandbox/src/sandbox/{module}, sandbox/tests/test_{module}_*.py, sandbox/{upper}.md
   The API as it answers, and what it refuses.
3. {name}/src/{package}, {name}/tests
   Settings, the envelope and cursor of all lists, streams, schemas.
4. tests/support/*/{module}_*.py, and `{module}` in tests/support/apis/bounds.py
   What happens at the source, what a run sees of it and what not, and how many requests it needs.
5. docs/taps/{module}.md, {name}/README.md, the tables of taps in README.md and docs, CHANGELOG.md, {name} in
   .env.example and meltano.yml, the questions in tools/demo.py
   What its users read.
"""


class Names:
    """The old names and what takes their place: of the tap, and of its API.

    Who books a meeting is its scheduler, for SavvyCal: the word alone stays.
    """

    def __init__(self, name: str, title: str) -> None:
        kebab = name.removeprefix("tap-")
        self.name, self.title, self.module = name, title, kebab.replace("-", "_")
        camel = "".join(map(str.capitalize, kebab.split("-")))
        self.places = [
            (r"savvycal\.com", f"{kebab}.example"),
            (r"(?<=tap_)scheduler|(?<=test_)scheduler|savvycal", self.module),
            (r"(?<=TAP_)SCHEDULER|SAVVYCAL", self.module.upper()),
            (r"(?<=Tap)Scheduler", camel),
            (r"SavvyCal", title),
            (r"(?<=-)scheduler|scheduler(?=-)", kebab),
        ]

    def renamed(self, text: str) -> str:
        """The text with the new names."""
        for old, new in self.places:
            text = re.sub(old, new, text)
        return text

    def taken(self) -> bool:
        """Return whether one of the names is taken by a file or a shared line."""
        if keyword.iskeyword(self.module) or any(any(ROOT.glob(self.renamed(one))) for one in COPIED):
            return True
        shared = "\n".join((ROOT / path).read_text(encoding="utf-8") for path in SHARED)
        return bool(re.search(rf"\b({self.name}|{self.module}|{self.title})\b", shared))


def copy(names: Names) -> list[Path]:
    """Copy what is the old tap's alone; the files that were written."""
    written = []
    for place in COPIED:
        for path in sorted(ROOT.glob(place)):
            if path.is_file() and "__pycache__" not in path.parts:
                text = names.renamed(path.read_text(encoding="utf-8"))
                new = ROOT / names.renamed(str(path.relative_to(ROOT)))
                new.parent.mkdir(parents=True, exist_ok=True)
                new.write_text(COPY.format(title=names.title) * (new.suffix == ".md") + text, encoding="utf-8")
                written.append(new)
    return written


def shared(names: Names) -> dict[Path, str]:
    """The files in which all taps are named, with the new names.

    Raises:
        LookupError: A place is not where it was.
    """
    found = {}
    for path, places in SHARED.items():
        text = (ROOT / path).read_text(encoding="utf-8")
        for place, between in places.items():
            parts = [(old.end(), between + names.renamed(old[0])) for old in re.finditer(place, text, re.MULTILINE)]
            if not parts:
                raise LookupError(f"{path} has nothing like {place}")
            for end, new in reversed(parts):
                text = text[:end] + new + text[end:]
        found[ROOT / path] = text
    return found


def main() -> str | None:
    """Make a tap; what is wrong with its name, if something is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", help="such as tap-zoom")
    parser.add_argument("--title", help="what the API is called, in one word: `Zoom`, if it is not said")
    given = parser.parse_args()
    if not re.fullmatch(r"tap(-[a-z][a-z0-9]*)+", given.name):
        return f"{given.name} is no name for a tap: `tap-` and words of small letters, such as tap-zoom."
    title = given.title or "".join(map(str.capitalize, given.name.split("-")[1:]))
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", title):
        return f"{title} is no title: one word that begins with a capital, such as Zoom."
    names = Names(given.name, title)
    if names.taken():
        return f"{given.name} is taken: something here has this name, or {names.module}, or {title}."
    files = shared(names)  # before anything is written
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    written = [str(path) for path in [*copy(names), *files] if path.suffix == ".py"]
    for tidy in (["check", "--fix", "--select=I"], ["format"]):
        subprocess.run([Path(sys.executable).parent / "ruff", *tidy, "-q", *written], cwd=ROOT, check=True)  # noqa: S603 - our own program
    package = given.name.replace("-", "_")
    told = NEXT.format(name=given.name, title=title, module=names.module, upper=names.module.upper(), package=package)
    print(told)  # noqa: T201 - a program's output
    return None


if __name__ == "__main__":
    sys.exit(main())
