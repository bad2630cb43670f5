"""What `--help` says."""

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
    "about_format": "How --about prints them.",
    "config": "A JSON file of settings, or ENV; may be given several times.",
    "discover": "Print the catalog: all streams and their columns.",
    "test": "Say whether the key works and what it can read; --test=schema prints SCHEMA messages.",
    "catalog": "The catalog, with the streams and columns to read.",
    "state": "The state of an earlier run, as a target writes it: read what has changed.",
}
_COMMANDS = 42
"""Columns for the longest command."""
_CODES = [
    ("0", "Everything was read; or, of --test, would be."),
    ("1", "An error: the first line of level ERROR on standard error says which. Run again with the last state."),
    ("2", "An option that does not exist, or lacks its value."),
    ("130, 143", "Ended by SIGINT or SIGTERM. Run again with the last state."),
]


@dataclass(frozen=True)
class Page:
    """The parts of `--help` beside the options."""

    about: str
    commands: Sequence[tuple[str, str]]
    """In the order in which one needs them."""
    example: Sequence[str]
    """Lines for a shell, which work as they stand."""
    settings: Sequence[tuple[str, str]]
    sources: str
    """Where settings come from."""
    documentation: str

    def begin(self, formatter: click.HelpFormatter) -> None:
        """Write what stands before the options."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self.about)
        with formatter.section("Commands, in the order in which one needs them"):
            formatter.write_dl(self.commands, col_max=_COMMANDS)
        with formatter.section("Settings"):
            formatter.write_text(self.sources)
            formatter.write_paragraph()
            formatter.write_dl(self.settings)
        with formatter.section("Example, for bash or zsh"):
            for line in self.example:
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def end(self, formatter: click.HelpFormatter) -> None:
        """Write what stands after the options."""
        with formatter.section("Exit codes"):
            formatter.write_dl(_CODES)
        with formatter.section("Documentation"):
            formatter.write_text(self.documentation)


def page(tap: type[SchedulingTap]) -> Page:
    """The page of a tap."""
    name, prefix = tap.name, tap.env_prefix()
    settings = tap.config_jsonschema["properties"]
    return Page(
        about=f"{str(tap.__doc__).strip().splitlines()[0]} It writes rows as Singer messages to standard output, for a "
        "target such as target-duckdb, and its log to standard error.",
        commands=[
            (f"{name} --about", "All settings."),
            (f"{name} --config FILE --test", "Whether the key works, and what it can read."),
            (f"{name} --discover > catalog.json", "All streams and columns; needs no key."),
            (f"{name} --config FILE", "A run. Without --catalog, of the streams that are on by default."),
        ],
        example=[
            f"read -rs {prefix}API_KEY    # paste the key, and press Enter",
            f"export {prefix}API_KEY",
            f"{name} --config=ENV --test",
            f"{name} --config=ENV > messages.jsonl",
        ],
        settings=[(setting, settings[setting]["description"]) for setting in tap.key_settings],
        sources=f"--config FILE reads them from a JSON object, --config=ENV from the environment ({prefix}API_KEY and "
        "so on). Both may be given, and several files: a later file counts before an earlier one, the environment "
        "before all. Those that one needs:",
        documentation=_documentation(tap),
    )


def explained(options: Sequence[click.Parameter]) -> list[click.Parameter]:
    """The SDK's options, with help of ours, and files read before `--test` is."""
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
