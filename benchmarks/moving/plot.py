"""A plot of the results: the share of takes of each group of scenes in which a tracker kept all identities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.moving.table import Outcome, line_of, names_in
from benchmarks.tracking.plot import STYLES

EMPTY = "#f4f4f4"
ROW_INCH, COLUMN_INCH = 0.34, 0.92


def draw(path: Path, outcomes: list[Outcome]) -> None:
    """Write a PNG: a row for each tracker, a column for each group, darker where more takes were perfect."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    groups, trackers = names_in(outcomes, "group"), names_in(outcomes, "tracker")
    shares = np.array([[_share(outcomes, group, tracker) for group in groups] for tracker in trackers])
    size = (2.8 + COLUMN_INCH * len(groups), 1.3 + ROW_INCH * len(trackers))
    figure, panel = plt.subplots(figsize=size, dpi=130, layout="constrained")
    shades = mpl.colors.LinearSegmentedColormap.from_list("share", ["#ffffff", "#9ecae1", "#08519c"])
    panel.imshow(np.ma.masked_invalid(shares), cmap=shades.with_extremes(bad=EMPTY), vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        text = "-" if np.isnan(share) else f"{100 * share:.0f}"
        panel.text(column, row, text, ha="center", va="center", color="white" if share > 0.6 else "#222222")
    _label(panel, groups, trackers)
    panel.set_title("takes in which everybody kept one number, %", fontsize=12, pad=26)
    figure.savefig(path)
    plt.close(figure)


def _label(panel: Any, groups: list[str], trackers: list[str]) -> None:
    panel.set_xticks(range(len(groups)), groups)
    panel.set_yticks(range(len(trackers)), trackers)
    panel.xaxis.tick_top()
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    panel.set_xticks(np.arange(len(groups)) - 0.5, minor=True)
    panel.set_yticks(np.arange(len(trackers)) - 0.5, minor=True)
    panel.grid(which="minor", color="white", linewidth=2)
    panel.tick_params(which="minor", length=0)
    for label in panel.get_yticklabels():
        family = label.get_text().partition("-")[0].partition("+")[0]
        label.set_color(STYLES[family][0])
        label.set_fontweight("bold" if family == "posebus" else "normal")


def _share(outcomes: list[Outcome], group: str, tracker: str) -> float:
    found = [each for each in outcomes if (each.group, each.tracker) == (group, tracker)]
    return line_of(found).perfect if found else float("nan")
