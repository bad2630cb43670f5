"""Keeps the tables in the READMEs, each between its markers, equal to what the taps say of themselves."""

from __future__ import annotations

import re
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING

from meltano_settings import TAPS

if TYPE_CHECKING:
    from tap_common.tap import SchedulingTap

ROOT = Path(__file__).parent.parent


def streams(tap: type[SchedulingTap]) -> str:
    """A table of a tap's streams."""
    lines = ["| stream | what | read | key | on |", "|---|---|---|---|---|"]
    for stream in tap(config={}, validate_config=False).streams.values():
        what = (getdoc(type(stream)) or "").partition("\n")[0].rstrip(".")
        read = f"incremental, `{stream.replication_key}`" if stream.replication_key else "in full"
        keys = ", ".join(f"`{key}`" for key in stream.primary_keys)
        lines.append(f"| `{stream.name}` | {what} | {read} | {keys} | {'yes' if stream.selected_by_default else ''} |")
    return "\n".join(lines)


def settings(tap: type[SchedulingTap]) -> str:
    """A table of a tap's own settings, without the SDK's."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, setting in tap.config_jsonschema["properties"].items():
        if name.startswith(("stream_map", "flattening", "batch_config", "faker")):
            continue
        default = setting.get("default")
        shown = "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        secret = " (secret)" if setting.get("secret") else ""
        lines.append(f"| `{name}`{secret} | {shown} | {setting['description']} |")
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    """Each README with its tables in it."""
    written = {}
    for path in [ROOT / "README.md", *(ROOT / tap.name / "README.md" for tap in TAPS)]:
        text = path.read_text(encoding="utf-8")
        for tap in TAPS:
            for kind, table in (("streams", streams), ("settings", settings)):
                marker = f"<!-- {kind} of {tap.name} -->"
                text = re.sub(
                    f"{marker}\n.*?<!-- end -->",
                    lambda _, marker=marker, table=table, tap=tap: f"{marker}\n{table(tap)}\n<!-- end -->",  # type: ignore[misc]  # bound as it stands
                    text,
                    flags=re.DOTALL,
                )
        written[path] = text
    return written
