"""A plot of the comparison: accuracy over time a frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.tracking.scores import BOUND, Scores

STYLES = {
    "posebus": ("#c1272d", "*"),
    "ultralytics": ("#0072b2", "o"),
    "roboflow": ("#7b4fa3", "s"),
    "boxmot": ("#2a8a57", "^"),
    "norfair": ("#b8720a", "D"),
}
"""Colour and marker of each family; markers differ too, for readers who do not distinguish the colours."""
PANELS = ("HOTA", "IDF1")
LABEL_HEIGHT_PT = 10.5
LABEL_OFFSET_PT = 8.0
CHARACTER_PT = 5.6


class Area(NamedTuple):
    """A rectangle in points (1/72 inch) of the picture."""

    left: float
    right: float
    low: float
    high: float

    def covers(self, other: Area) -> bool:
        """Whether the two rectangles overlap."""
        return self.left < other.right and other.left < self.right and self.low < other.high and other.low < self.high


def draw(path: Path, title: str, lines: dict[str, Scores]) -> None:
    """Write a PNG: HOTA and IDF1 of each tracker over its seconds an update (log), the bound as a line."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    figure, panels = plt.subplots(1, len(PANELS), figsize=(13, 6.4), dpi=130, layout="constrained")
    for panel, metric in zip(panels, PANELS, strict=True):
        _panel(panel, metric, lines)
    marks = [
        Line2D([], [], color=colour, marker=marker, linestyle="", markersize=12 if marker == "*" else 7, label=family)
        for family, (colour, marker) in STYLES.items()
        if any(_family(name) == family for name in lines)
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), frameon=False)
    figure.suptitle(title, fontsize=13)
    figure.savefig(path)
    plt.close(figure)


def _panel(panel: Any, metric: str, lines: dict[str, Scores]) -> None:
    from matplotlib.ticker import EngFormatter

    spots = {name: (line["us_per_frame"] / 1e6, line[metric]) for name, line in lines.items() if "us_per_frame" in line}
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter(EngFormatter(unit="s"))
    panel.set_xlabel("time of an update (log)")
    panel.set_ylabel(metric)
    panel.grid(which="major", color="#dddddd", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    for name, (cost_s, height) in spots.items():
        colour, marker = STYLES[_family(name)]
        size, layer = (190, 4) if marker == "*" else (52, 3)
        panel.scatter(cost_s, height, s=size, c=colour, marker=marker, edgecolors="white", zorder=layer)
    costs = [cost_s for cost_s, _ in spots.values()]
    panel.set_xlim(min(costs) / 2, max(costs) * 3)
    heights = [line[metric] for line in lines.values()]
    margin = 0.06 * (max(heights) - min(heights)) + 0.003
    panel.set_ylim(min(heights) - margin, max(heights) + 1.6 * margin)
    if BOUND in lines:
        level = lines[BOUND][metric]
        panel.axhline(level, color="#444444", linestyle="--", linewidth=1)
        panel.annotate(
            f"bound of these detections {level:.3f}",
            (0.995, level),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            fontsize=8.5,
            color="#444444",
        )
    _label(panel, spots)


def _label(panel: Any, spots: dict[str, tuple[float, float]]) -> None:
    """Write names beside their points.

    Labels that would cover each other are moved apart and connected to their points by thin lines.
    """
    panel.figure.draw_without_rendering()
    scale = 72 / panel.figure.dpi
    places = {name: tuple(panel.transData.transform(spot) * scale) for name, spot in spots.items()}
    frame = panel.get_window_extent()
    inside = Area(frame.x0 * scale, frame.x1 * scale, frame.y0 * scale, frame.y1 * scale)
    occupied = [Area(x - 4, x + 4, y - 4, y + 4) for x, y in places.values()]
    # Our labels first, so that they stay beside their points; then from the top.
    for name in sorted(places, key=lambda one: (_family(one) != "posebus", -places[one][1])):
        text = name.partition("-")[2] or name
        side, shift_pt, area = _free_place(places[name], len(text) * CHARACTER_PT, occupied, inside)
        occupied.append(area)
        colour = STYLES[_family(name)][0]
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
        panel.annotate(
            text,
            spots[name],
            xytext=(side * LABEL_OFFSET_PT, shift_pt),
            textcoords="offset points",
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=9,
            fontweight="bold" if _family(name) == "posebus" else "normal",
            color=colour,
            arrowprops={**line, "relpos": (0.0 if side > 0 else 1.0, 0.5)} if abs(shift_pt) > LABEL_HEIGHT_PT else None,
        )


def _free_place(
    spot: tuple[float, ...], width_pt: float, occupied: list[Area], inside: Area
) -> tuple[int, float, Area]:
    """Side (1 right, -1 left), upward shift and area of the nearest free label; beside the point if none is free."""
    x, y = spot
    tries = [(side, sign * step * LABEL_HEIGHT_PT / 4) for step in range(60) for side in (1, -1) for sign in (1, -1)]
    areas = []
    for side, shift_pt in sorted(tries, key=lambda one: abs(one[1]) + (LABEL_HEIGHT_PT if one[0] < 0 else 0)):
        left = x + LABEL_OFFSET_PT if side > 0 else x - LABEL_OFFSET_PT - width_pt
        middle = y + shift_pt
        area = Area(left, left + width_pt, middle - LABEL_HEIGHT_PT / 2, middle + LABEL_HEIGHT_PT / 2)
        areas.append((side, shift_pt, area))
        fits = inside.left < area.left and area.right < inside.right and inside.low < area.low
        if fits and not any(area.covers(other) for other in occupied):
            return areas[-1]
    return areas[0]


def _family(name: str) -> str:
    return name.partition("-")[0].partition("+")[0]
