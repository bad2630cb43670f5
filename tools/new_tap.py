"""A new tap: `python tools/new_tap.py tap-calcom --title Cal.com`.

It is a bare one, made from `templates/`: one stream, and a fake of the API to run it against. With `--sandbox` it is a
copy of tap-scheduler instead, with its API in the sandbox and all that the tests of every tap need: `tap_copy.py`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined

import tap_copy

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
TEMPLATES = Path(__file__).parent / "templates"
LONGEST_TITLE = 40
"""Characters: the lines that it stands in end before the 120th."""
PROJECT = {
    r'^  "scheduling-tap-scheduler",\n': '  "scheduling-{name}",\n',
    r"^scheduling-tap-scheduler = .*\n": "scheduling-{name} = {{ workspace = true }}\n",
    r"tap-scheduler/src": ":{name}/src:{name}/tests",
    r'"tap-scheduler"': ', "{name}"',
    r'"tap_scheduler"': ', "{package}"',
    r'^pythonpath = .*"benchmarks"': ', "{name}/tests"',
}
"""Places in pyproject.toml, as patterns, and the text that a new tap adds after each."""
NEXT = """
{name} is a tap for {title} with one stream, `bookings`, and a fake of the API. Make them {title}'s, in this order:

1. {name}/tests/fake_{module}.py
   Answers as {title} documents them: paths, pages, records.
2. {name}/tests/test_{package}.py
   Streams and records that the tap writes. Now its tests fail.
3. {name}/src/{package}/streams.py, schemas/
   The page's places, a class and a schema for each stream.
4. {name}/src/{package}/tap.py
   The API's address and rate limit, its key, the first request. Now they pass.
5. {name}/README.md, pyproject.toml
   Its streams, the origin of the key, the vendor's address.

.venv/bin/python -m pytest -q {name}
CONTRIBUTING.md says more.
"""


@dataclass(frozen=True)
class Tap:
    """The names of a new tap."""

    name: str
    """Name of the command, the folder and the plugin, such as tap-cal-com."""
    title: str
    """The vendor's name of the API."""

    @property
    def kebab(self) -> str:
        """The name without `tap-`, such as cal-com."""
        return self.name.removeprefix("tap-")

    @property
    def module(self) -> str:
        """The same in names of modules: cal_com."""
        return self.kebab.replace("-", "_")

    @property
    def package(self) -> str:
        """Name of the Python package: tap_cal_com."""
        return f"tap_{self.module}"

    @property
    def camel(self) -> str:
        """Beginning of the names of classes: CalCom."""
        return "".join(map(str.capitalize, self.kebab.split("-")))

    @property
    def words(self) -> dict[str, str]:
        """Values for the templates."""
        names = ("name", "title", "kebab", "module", "package", "camel")
        return {name: getattr(self, name) for name in names} | {
            "upper": self.package.upper(),
            "module_upper": self.module.upper(),
        }

    def faults(self) -> Iterator[str]:
        """Yield a sentence for each reason why no tap can have these names."""
        if self.name in {"", "tap-"}:
            yield "The tap has no name: make new-tap NAME=tap-zoom."
        if not re.fullmatch(r"tap(-[a-z][a-z0-9]*)+", self.name):
            yield f"{self.name!r} is no name for a tap: `tap-` and words of lower-case letters, such as tap-zoom."
        if not plain(self.title) or not self.title.isprintable() or re.search(r'["\\<>|`{}]', self.title):
            yield f"{self.title!r} is no title: the API's name in one line, without quotes, backslashes or brackets."
        if len(self.title) > LONGEST_TITLE:
            yield f"The title has {len(self.title)} characters: {LONGEST_TITLE} are the most."
        if (ROOT / self.name).exists():
            yield f"{self.name} is taken: there is a folder of this name."
        for path in ROOT.glob("tap-*/src/*/tap.py"):
            for vendor in re.findall(r'^    api_name = "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE):
                if plain(vendor) in {plain(self.title), plain(self.kebab)}:
                    yield f"{self.name} is taken: {vendor} has a tap, {path.parents[2].name}."


def plain(name: str) -> str:
    """Return the letters and digits of a name, in lower case."""
    return re.sub(r"[\W_]", "", name).casefold()


def rendered(tap: Tap) -> dict[Path, str]:
    """Return the files of a bare tap."""
    jinja = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701 - not HTML
    root = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    words = tap.words | {
        "version": root["project"]["version"],
        "repository": root["tool"]["scheduling-taps"]["repository"],
    }
    files = {ROOT / tap.name / "LICENSE": (ROOT / "LICENSE").read_text(encoding="utf-8")}
    for path in sorted(TEMPLATES.rglob("*.jinja")):
        place = jinja.from_string(str(path.relative_to(TEMPLATES).with_suffix(""))).render(words)
        files[ROOT / tap.name / place] = jinja.from_string(path.read_text(encoding="utf-8")).render(words)
    return files


def registered(tap: Tap) -> dict[Path, str]:
    """Return pyproject.toml with the tap in it: its package, tests and types.

    Raises:
        LookupError: A place is not where it was.
    """
    path = ROOT / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    for place, added in PROJECT.items():
        extra = added.format(**tap.words)
        text, times = re.subn(place, lambda found, extra=extra: found[0] + extra, text, flags=re.MULTILINE)  # type: ignore[misc]  # bound as it stands
        if not times:
            raise LookupError(f"{path.name} has nothing like {place}")
    return {path: text}


def tidy(files: list[Path]) -> None:
    """Sort the imports and break the lines of Python files: names are of any length."""
    ruff = Path(sys.executable).parent / "ruff"
    python = [str(path) for path in files if path.suffix == ".py"]
    for command in (["check", "--fix", "--select=I"], ["format"]):
        subprocess.run([ruff, *command, "-q", *python], cwd=ROOT, check=True)  # noqa: S603 - our own program


def main() -> str | None:
    """Make a tap; return the sentence about names that it cannot have."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", help="such as tap-zoom")
    parser.add_argument("--title", help="the vendor's name of the API, such as Cal.com; by default made from the name")
    parser.add_argument("--sandbox", action="store_true", help="copy tap-scheduler and its API in the sandbox")
    given = parser.parse_args()
    tap = Tap(given.name, given.title or " ".join(map(str.capitalize, given.name.split("-")[1:])))
    if fault := next(chain(tap.faults(), tap_copy.faults(tap) if given.sandbox else ()), None):
        return fault
    # All of it is there before anything is written.
    files = tap_copy.files(tap) if given.sandbox else rendered(tap) | registered(tap)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    tidy(list(files))
    print((tap_copy.NEXT if given.sandbox else NEXT).format(**tap.words))  # noqa: T201 - a program's output
    return None


if __name__ == "__main__":
    sys.exit(main())
