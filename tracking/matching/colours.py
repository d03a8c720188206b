"""What people wear, compared and remembered: the tracker's side of `posebus.contract.appearance`.

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

EVIDENCE_PER_DISTANCE = 20.0
"""Logarithmic units by which the odds fall as the distance grows by 1, for bodies that are wholly seen."""

MOST_EVIDENCE = 3.0
"""Colours say no more than that: people dress alike, a keypoint may lie beside its body, and who comes out from behind
somebody still has some of the other's."""

HOPELESS_ODDS = -12.0
"""Pairs below this, by all that is known besides, are not compared: colours could not save them."""

_PARTS = len(PARTS)
_WEIGHTS = _PARTS * FEATURES


@compiled
def add_colours(odds: Float64Array, tracks: Float64Array, detections: Float64Array) -> None:
    """Complete log odds (T, D), in place, with what the colours of tracks (T, SIZE) and detections (D, SIZE) say."""
    for track in range(len(tracks)):
        for detection in range(len(detections)):
            if odds[track, detection] > HOPELESS_ODDS:
                odds[track, detection] += evidence(*distance(tracks[track], detections[detection]))


@compiled
def distance(first: Float64Array, second: Float64Array) -> tuple[float, float]:
    """How unlike two rows (SIZE,) are, and on how much of the body that rests, both in 0..1.

    0 for equal colours, 1 for colours with nothing in common. Parts count as much as both sides saw them (product of
    the weights), and the second result is the mean of these products; where it is 0 no part was seen on both sides and
    the distance, 1, means nothing.
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
def evidence(apart: float, shared: float) -> float:
    """How much more probable such a `distance` is for one person than for two: natural logarithm of the odds.

    Positive for one person, negative for two, 0 where nothing is known, within +-MOST_EVIDENCE. Logistic regression on
    pairs of rows 0.15 to 4 s apart in three recordings gave the distance of even odds and a slope of 30; the slope is
    lower because tracking did better so when half or a fifth was missing. Rows of successive frames repeat each other,
    so evidence must not be summed over them.
    """
    odds = shared * EVIDENCE_PER_DISTANCE * (SAME_PERSON_BELOW - apart)
    return min(max(odds, -MOST_EVIDENCE), MOST_EVIDENCE)


@compiled
def remember(kept: Float64Array, fresh: Float64Array, share: float) -> None:
    """Let `share`, 0 to 1, of the row `fresh` (SIZE,) into the memory `kept` (SIZE,), in place.

    What was seen badly is let in less, in the ratio of the weights, and a part keeps the greater of both: the legs
    behind a car remain as they were. For a memory that fades over T seconds the share is 1 - exp(-dt / T).
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
