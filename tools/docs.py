"""Everything that is generated: `python tools/docs.py` writes it, with `--check` it only names what differs.

A generator is a module with `pages() -> dict[Path, str]`: each file with the whole text that it should have. Several
may write parts of one file, each between markers of its own: they come one after the other, and read what is there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import hub
import licences
import meltano_settings
import personal_data
import reference
import tap_pages

if TYPE_CHECKING:
    from types import ModuleType

GENERATORS: tuple[ModuleType, ...] = (meltano_settings, tap_pages, reference, hub, personal_data, licences)


if __name__ == "__main__":
    sys.exit(max([meltano_settings.kept(generator.pages()) for generator in GENERATORS]))
