"""results.svg, from results.json: wall time of every program, one panel for each work.

Green are ours, red those whose result is wrong or lacks changes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from side_by_side.environments import FOLDER
from side_by_side.figures import middle, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "benchmarks"  # else its ids differ each time
mpl.rcParams["font.size"] = 9

from matplotlib import pyplot as plt  # noqa: E402 - after its settings

OURS, PEERS, WRONG = "#1f6f5c", "#b9c4c9", "#d98c7a"
_IS_OURS = ("tap-calendly", "tap_common", "target-duckdb (ours)", "ours | ours")


def draw(works: Sequence[Mapping[str, Any]]) -> None:
    """Write the chart."""
    rows = -(-len(works) // 2)
    figure, panels = plt.subplots(rows, 2, figsize=(12, 2.2 * rows), layout="constrained", squeeze=False)
    for panel, work in zip(panels.flat, works, strict=False):
        _bars(panel, work)
    for panel in list(panels.flat)[len(works) :]:
        panel.set_visible(False)
    figure.savefig(FOLDER / "results.svg", metadata={"Date": None})


def _bars(panel: Any, work: Mapping[str, Any]) -> None:
    """Wall time of each program; where runs follow each other, the requests of the last."""
    step = work["steps"][-1]
    measure, unit = ("requests", "%.0f requests") if step else ("wall", "%.1f s")
    entries = [entry for entry in work["entries"] if entry["runs"] and entry["step"] == step]
    colours = [
        WRONG if _fails(entry) else OURS if entry["program"].startswith(_IS_OURS) else PEERS for entry in entries
    ]
    bars = panel.barh([entry["program"] for entry in entries], [middle(entry, measure) for entry in entries])
    for bar, colour in zip(bars, colours, strict=True):
        bar.set_color(colour)
    panel.bar_label(bars, fmt=unit, padding=3)
    panel.invert_yaxis()
    panel.margins(x=0.18)
    panel.set_title(f"{work['title']} ({work['size']:,})", fontsize=8, loc="left")
    panel.spines[["top", "right", "bottom"]].set_visible(False)
    panel.xaxis.set_visible(False)


def _fails(entry: Mapping[str, Any]) -> bool:
    """True if the result is wrong, or changes were not seen."""
    return bool(wrong(entry)) or any(run.get("missed") for run in entry["runs"])


if __name__ == "__main__":
    draw(json.loads((FOLDER / "results.json").read_text())["works"])
