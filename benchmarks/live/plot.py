"""A plot of live loads: the age of frames when their tracks are published, and the engine's part of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

ENGINE, BESIDE = "#b8c4d0", "#c1272d"


def main() -> None:
    """Draw the figures that `benchmarks.live --json` wrote."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path, help="file of benchmarks.live --json")
    parser.add_argument("picture", type=Path, help="PNG to write")
    arguments = parser.parse_args()
    draw(json.loads(arguments.figures.read_text()), arguments.picture)


def draw(figures: dict[str, Any], path: Path) -> None:
    """Write a PNG with two panels: ages at each load, and frames a second offered and tracked."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rows = figures["rows"]
    places = range(len(rows))
    names = [f"{row['load']:.0%}" for row in rows]
    figure, (ages, rates) = plt.subplots(1, 2, figsize=(12, 4.6), dpi=130, layout="constrained")
    engine = [row["inference_ms"][0] for row in rows]
    beside = [row["age_ms"][0] - row["inference_ms"][0] for row in rows]
    ages.bar(places, engine, 0.5, color=ENGINE, label="in the engine, median")
    ages.bar(places, beside, 0.5, bottom=engine, color=BESIDE, label="everything else, median")
    for place, row in zip(places, rows, strict=True):
        ages.plot([place - 0.3, place + 0.3], [row["age_ms"][2]] * 2, color="black", linewidth=1.5)
        ages.annotate(
            f"{row['age_ms'][2]:.0f}", (place, row["age_ms"][2]), (0, 3), textcoords="offset points", ha="center"
        )
    ages.plot([], [], color="black", linewidth=1.5, label="99 % of frames are younger")
    ages.set_ylabel("ms from capture to tracks published")
    ages.set_ylim(0, 1.2 * max(row["age_ms"][2] for row in rows))
    rates.bar(
        [place - 0.2 for place in places], [row["offered_fps"] for row in rows], 0.4, color=ENGINE, label="offered"
    )
    rates.bar([place + 0.2 for place in places], [row["done_fps"] for row in rows], 0.4, color=BESIDE, label="done")
    rates.axhline(figures["capacity_fps"], color="black", linewidth=1, linestyle="--", label="capacity")
    rates.set_ylabel("frames a second, all cameras")
    for panel in (ages, rates):
        panel.set_xticks(list(places), names)
        panel.set_xlabel("load, as a part of the capacity")
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(frameon=False, loc="upper left")
    figure.suptitle(figures["title"])
    figure.savefig(path)
    plt.close(figure)


if __name__ == "__main__":
    main()
