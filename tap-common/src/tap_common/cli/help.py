"""The output of `--help`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from tap_common.tap import SchedulingTap

_OPTIONS = {
    "version": "Print the version.",
    "about": "Print all settings, with their defaults.",
    "about_format": "Format of --about.",
    "config": "A JSON file of settings, or ENV; may be given several times.",
    "discover": "Print the catalog: all streams and their columns.",
    "test": "Check the key and the streams that it can read; --test=schema prints SCHEMA messages.",
    "catalog": "The catalog, with the selected streams and columns.",
    "state": "The state of an earlier run, as a target writes it, to sync changes since then.",
}
_COMMANDS = 42
"""Columns for the longest command."""
_CODES = [
    ("0", "Everything was synced; with --test, everything can be."),
    ("1", "Error; see the first line of level ERROR on stderr. Run again with the last state."),
    ("2", "Unknown option, or an option without its value."),
    ("130, 143", "Ended by SIGINT or SIGTERM. Run again with the last state."),
]


@dataclass(frozen=True)
class Page:
    """The parts of `--help` around the options."""

    about: str
    commands: Sequence[tuple[str, str]]
    """Commands of a typical workflow, with their purpose."""
    example: Sequence[str]
    """Lines for a shell."""
    settings: Sequence[tuple[str, str]]
    sources: str
    """Sentences about --config."""
    documentation: str

    def begin(self, formatter: click.HelpFormatter) -> None:
        """Write the part before the options."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self.about)
        with formatter.section("Typical workflow"):
            formatter.write_dl(self.commands, col_max=_COMMANDS)
        with formatter.section("Settings"):
            formatter.write_text(self.sources)
            formatter.write_paragraph()
            formatter.write_dl(self.settings)
        with formatter.section("Example, for bash or zsh"):
            for line in self.example:
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def end(self, formatter: click.HelpFormatter) -> None:
        """Write the part after the options."""
        with formatter.section("Exit codes"):
            formatter.write_dl(_CODES)
        with formatter.section("Documentation"):
            formatter.write_text(self.documentation)


def help_page(tap: type[SchedulingTap]) -> Page:
    """Return the page of a tap."""
    name, prefix = tap.name, tap.env_prefix()
    settings = tap.config_jsonschema["properties"]
    return Page(
        about=f"{str(tap.__doc__).strip().splitlines()[0]} It writes Singer messages to standard output, for a target "
        "such as target-duckdb, and its log to standard error.",
        commands=[
            (f"{name} --about", "List all settings."),
            (f"{name} --config FILE --test", "Check the key and the streams that it can read."),
            (f"{name} --discover > catalog.json", "List all streams and columns; needs no key."),
            (f"{name} --config FILE", "Sync; without --catalog, the streams that are selected by default."),
        ],
        example=[
            f"read -rs {prefix}API_KEY    # paste the key, and press Enter",
            f"export {prefix}API_KEY",
            f"{name} --config=ENV --test",
            f"{name} --config=ENV > messages.jsonl",
        ],
        settings=[(setting, settings[setting]["description"]) for setting in tap.key_settings],
        sources=f"--config FILE reads a JSON object; --config=ENV reads the environment ({prefix}API_KEY and so on). "
        "Both may be given, and several files: later files override earlier ones, the environment overrides all. "
        "Common settings:",
        documentation=_documentation(tap),
    )


def with_help(options: Sequence[click.Parameter]) -> list[click.Parameter]:
    """Return the SDK's options with this module's help texts; --catalog and --state are read before --test."""
    for option in options:
        if option.name in _OPTIONS:
            option.help = _OPTIONS[option.name]
        if option.name == "test":
            option.metavar = "[=schema]"
        if option.name in ("catalog", "state"):
            option.is_eager = True
    return list(options)


def _documentation(tap: type[SchedulingTap]) -> str:
    try:
        addresses = metadata(tap.package_name or tap.name).get_all("Project-URL") or []
    except PackageNotFoundError:
        addresses = []
    home = next((address.partition(", ")[2] for address in addresses if address.startswith("Repository,")), "")
    return f"{home} ({tap.name}/README.md)" if home else f"{tap.name}/README.md"
