"""How much of one body's box others cover; boxes are rows of centre x, y, width, height."""

from __future__ import annotations

from posebus.arrays import BoolArray, Float64Array
from tracking.body_model import MIN_SIDE_PX
from tracking.compiled import compiled


@compiled
def covered_share(box: Float64Array, others: Float64Array, counts: BoolArray) -> float:
    """Largest share of `box` (4,) that lies inside one of the boxes `others` (N, 4) of the mask `counts` (N,)."""
    largest = 0.0
    for other in range(len(others)):
        if not counts[other]:
            continue
        shared = 1.0
        for axis in range(2):
            half_a, half_b = box[axis + 2] / 2.0, others[other, axis + 2] / 2.0
            low = max(box[axis] - half_a, others[other, axis] - half_b)
            high = min(box[axis] + half_a, others[other, axis] + half_b)
            shared *= max(high - low, 0.0)
        area = max(box[2], MIN_SIDE_PX) * max(box[3], MIN_SIDE_PX)
        largest = max(largest, shared / area)
    return largest
