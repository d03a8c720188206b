"""The figures of a classifier as text: confusion matrices, recall and precision."""

from __future__ import annotations

import numpy as np

from benchmarks.actions.examples import LABELS, Examples
from tracking.actions.builtin import Network

NAMES = tuple(label or "(other)" for label in LABELS)


def confusion(network: Network, examples: Examples) -> np.ndarray:
    """How many examples of each label (rows) were taken for each label (columns)."""
    found = network.probabilities(examples.values).argmax(axis=1)
    counts = np.zeros((len(LABELS), len(LABELS)), int)
    np.add.at(counts, (examples.labels, found), 1)
    return counts


def table(counts: np.ndarray) -> str:
    """A confusion matrix as a table in Markdown, with recall and precision in percent."""
    present = counts.sum(axis=1) > 0
    lines = [
        "| true \\ found | " + " | ".join(NAMES) + " | recall |",
        "|---|" + "---:|" * (len(NAMES) + 1),
    ]
    for row in np.flatnonzero(present):
        recall = 100 * counts[row, row] / counts[row].sum()
        lines.append(f"| {NAMES[row]} | " + " | ".join(str(count) for count in counts[row]) + f" | {recall:.1f} |")
    columns = counts.sum(axis=0)
    shares = [f"{100 * counts[at, at] / columns[at]:.1f}" if columns[at] else "-" for at in range(len(NAMES))]
    lines.append("| precision | " + " | ".join(shares) + " | |")
    return "\n".join(lines)


def summary(counts: np.ndarray) -> str:
    """Accuracy, and the mean recall of the labels, in percent."""
    totals = counts.sum(axis=1)
    recalls = np.diag(counts)[totals > 0] / totals[totals > 0]
    return (
        f"{counts.sum()} answers, {100 * np.trace(counts) / counts.sum():.1f} % right, "
        f"mean recall {100 * recalls.mean():.1f} %"
    )
