"""results.svg, from results.json: wall time of every program, one panel for each work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from side_by_side.environments import FOLDER
from side_by_side.figures import middle, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "benchmarks"  # else its ids differ each time
mpl.rcParams["font.size"] = 9

from matplotlib import pyplot as plt  # noqa: E402 - after its settings

OURS, PEERS, WRONG = "#1f6f5c", "#b9c4c9", "#d98c7a"
_IS_OURS = ("tap-calendly", "tap_common", "target-duckdb (ours)", "ours | ours")


def draw(works: list[Mapping[str, Any]]) -> None:
    """Write the chart."""
    columns = 2
    rows = -(-len(works) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(11, 2.3 * rows), layout="constrained", squeeze=False)
    for panel, work in zip(panels.flat, works, strict=False):
        entries = [entry for entry in work["entries"] if entry["runs"]]
        labels = [", ".join(filter(None, [entry["program"], entry["step"]])) for entry in entries]
        colours = [
            WRONG if wrong(entry) else OURS if entry["program"].startswith(_IS_OURS) else PEERS for entry in entries
        ]
        bars = panel.barh(labels, [middle(entry, "wall") for entry in entries], color=colours)
        panel.bar_label(bars, fmt="%.1f s", padding=3)
        panel.invert_yaxis()
        panel.margins(x=0.15)
        panel.set_title(f"{work['title']} ({work['size']:,})", fontsize=9, loc="left")
        panel.spines[["top", "right", "bottom"]].set_visible(False)
        panel.xaxis.set_visible(False)
    for panel in list(panels.flat)[len(works) :]:
        panel.set_visible(False)
    figure.savefig(FOLDER / "results.svg", metadata={"Date": None})


if __name__ == "__main__":
    draw(json.loads((FOLDER / "results.json").read_text())["works"])
