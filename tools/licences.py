"""Writes docs/reference/licences.md: what the packages need at run time, with the licence that each of it says it has.

What is needed differs between systems and Pythons; the page is that of `ENVIRONMENT`.
"""

from __future__ import annotations

import platform
import re
import sys
from contextlib import suppress
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parent.parent
PUBLISHED = [
    "scheduling-tap-common",
    "scheduling-tap-bookings",
    "scheduling-tap-calendly",
    "scheduling-tap-luma",
    "scheduling-tap-scheduler",
    "scheduling-target-duckdb",
]
ENVIRONMENT = "CPython 3.11, Linux x86_64"
ALLOWED = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "PSF-2.0", "Unlicense"}
"""Licences that what the published packages need may have: none asks for anything of who only uses it."""
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Public Domain": "public domain",
    "Python Software Foundation License": "PSF-2.0",
}
"""Licences of packages without a licence expression."""

PAGE = """# Licences of what runs

Made by `make docs` from what each package says of itself, as installed for {environment} from
`constraints.txt`. A test fails where something that the published packages need has a licence
other than {allowed}, and no choice of one.

## The taps and the loader

{published}

## Meltano, which runs them

What Meltano needs besides; the taps and the loader do not need it.

{meltano}
"""


def needed(roots: Iterable[str]) -> dict[str, Distribution]:
    """Some distributions and everything that they need here, by name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(str(canonicalize_name(root)), frozenset[str]()) for root in roots]
    while waiting:
        name, extras = one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        found[name] = distribution(name)
        for text in found[name].requires or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return dict(sorted(found.items()))


def licence(one: Distribution) -> str:
    """The licence that a distribution says it has, as an SPDX expression where it can be told; else "unknown"."""
    said = one.metadata.json
    for text in (said.get("license_expression"), said.get("license")):
        with suppress(InvalidLicenseExpression):
            return str(canonicalize_license_expression(str(text or "")))
    names = [name.rpartition(" :: ")[2] for name in said.get("classifier", ()) if name.startswith("License")]
    return " OR ".join(CLASSIFIERS.get(name, name) for name in names) or "unknown"


def allowed(expression: str) -> bool:
    """Return whether an expression can be met by licences of the list."""
    choices = re.split(r" OR ", expression.strip("()"))
    return any(set(choice.strip("()").split(" AND ")) <= ALLOWED for choice in choices)


def table(of: Mapping[str, Distribution]) -> str:
    """Distributions, with version and licence."""
    lines = [f"| {name} | {one.version} | {licence(one)} |" for name, one in of.items()]
    return "\n".join(["| package | version | licence |", "|---|---|---|", *lines])


def others(roots: Iterable[str]) -> dict[str, Distribution]:
    """Return the distributions that some packages need and this project does not publish."""
    return {name: one for name, one in needed(roots).items() if not name.startswith("scheduling-")}


def here() -> str:
    """Return the present environment in the form of `ENVIRONMENT`."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{platform.python_implementation()} {version}, {platform.system()} {platform.machine()}"


def pages() -> dict[Path, str]:
    """The page with its text: as it stands where this is another environment than the page's."""
    path = ROOT / "docs" / "reference" / "licences.md"
    if here() != ENVIRONMENT:
        return {path: path.read_text(encoding="utf-8")}
    published = others(PUBLISHED)
    meltano = {name: one for name, one in others(["meltano"]).items() if name not in published}
    names = ", ".join(sorted(ALLOWED))
    text = PAGE.format(environment=ENVIRONMENT, allowed=names, published=table(published), meltano=table(meltano))
    return {path: text}
