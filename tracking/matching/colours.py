"""Colours of clothes, compared and remembered: the tracker's side of `posebus.contract.appearance`.

The measure is Hellinger's distance of colour histograms, sqrt(1 - coefficient). Source: A. Bhattacharyya, "On a measure
of divergence between two multinomial populations", Sankhya 7, 1946; as a distance of colours: D. Comaniciu, V. Ramesh,
P. Meer, "Kernel-based object tracking", PAMI 25(5), 2003.

Rows are those of `posebus.contract.appearance`, (SIZE,): features of the parts one after the other, then a weight for
each part.
"""

from __future__ import annotations

import math

from posebus.arrays import Float64Array
from posebus.contract.appearance import FEATURES, PARTS
from tracking.compiled import compiled

SAME_PERSON_BELOW = 0.25
"""Distance at which one person and two are equally probable."""

LOG_ODDS_PER_DISTANCE = 20.0
"""Natural log odds that are lost per distance of 1, for bodies that are wholly visible."""

MAX_LOG_ODDS = 3.0
"""Bound of the evidence by colours: people dress alike, a keypoint may lie beside its body, and a person who comes out
from behind another still has some of the other's colours."""

HOPELESS_ODDS = -12.0
"""Pairs whose other log odds are below this are not compared: colours could not save them."""

_PARTS = len(PARTS)
_WEIGHTS = _PARTS * FEATURES


@compiled
def add_colours(odds: Float64Array, tracks: Float64Array, detections: Float64Array) -> None:
    """Add the evidence of colours to log odds (T, D), in place.

    `tracks` (T, SIZE) and `detections` (D, SIZE) are rows of colours.
    """
    for track in range(len(tracks)):
        for detection in range(len(detections)):
            if odds[track, detection] > HOPELESS_ODDS:
                odds[track, detection] += colour_log_odds(*distance(tracks[track], detections[detection]))


@compiled
def distance(first: Float64Array, second: Float64Array) -> tuple[float, float]:
    """Distance of two rows (SIZE,), and the share of the body that it rests on, both in 0..1.

    The distance is 0 for equal colours, 1 for colours with nothing in common. Each part weighs as much as both sides
    show it (product of the weights), and the second result is the mean of these products; where it is 0, no part is
    visible on both sides and the distance, 1, means nothing.
    """
    shared = alike = 0.0
    for part in range(_PARTS):
        weight = first[_WEIGHTS + part] * second[_WEIGHTS + part]
        if weight > 0.0:
            coefficient = 0.0
            for place in range(part * FEATURES, (part + 1) * FEATURES):
                coefficient += first[place] * second[place]
            shared += weight
            alike += weight * coefficient
    if shared <= 0.0:
        return 1.0, 0.0
    return math.sqrt(min(max(1.0 - alike / shared, 0.0), 1.0)), shared / _PARTS


@compiled
def colour_log_odds(apart: float, shared: float) -> float:
    """Natural log odds of one person against two, given a `distance` and the share of the body it rests on.

    Positive for one person, negative for two, 0 where nothing is known, within +-MAX_LOG_ODDS. Logistic regression on
    pairs of rows 0.15 to 4 s apart in three recordings gave the distance of even odds and a slope of 30; the slope is
    lower because tracking did better so when half or a fifth was missing. Rows of successive frames repeat each other,
    so evidence must not be summed over them.
    """
    odds = shared * LOG_ODDS_PER_DISTANCE * (SAME_PERSON_BELOW - apart)
    return min(max(odds, -MAX_LOG_ODDS), MAX_LOG_ODDS)


@compiled
def visible_share(row: Float64Array) -> float:
    """Share of the body, in 0..1, whose colours are known in a row (SIZE,)."""
    return float(row[_WEIGHTS:].sum() / _PARTS)


@compiled
def remember(kept: Float64Array, fresh: Float64Array, share: float) -> None:
    """Blend `share`, 0 to 1, of the row `fresh` (SIZE,) into the memory `kept` (SIZE,), in place.

    A part that is less visible is blended in less, in the ratio of the weights, and a part keeps the larger of both
    weights: legs that a car hides keep their colours. For a memory that fades over T seconds the share is
    1 - exp(-dt / T).
    """
    for part in range(_PARTS):
        known, seen = kept[_WEIGHTS + part], fresh[_WEIGHTS + part]
        if seen <= 0.0:
            continue
        part_share = share * seen / max(known, seen) if known > 0.0 else 1.0
        for place in range(part * FEATURES, (part + 1) * FEATURES):
            # Histograms are mixed, not their roots, so that a part's numbers keep their length of 1.
            kept[place] = math.sqrt((1.0 - part_share) * kept[place] ** 2 + part_share * fresh[place] ** 2)
        kept[_WEIGHTS + part] = max(known, seen)
