"""Boxes and skeletons that tremble less than detections and hardly lag behind.

A joint's offset from its body is averaged over time while it stays where it was, and followed at once when it moves by
more than detections tremble: the gain grows with the innovation. This is the idea of the One-Euro filter (G. Casiez, N.
Roussel, D. Vogel, "1 Euro filter", CHI 2012), whose cutoff grows with the speed, without a memory of the speed. The
body's own movement is left to the Kalman filter and costs no lag here.
"""

from __future__ import annotations

from posebus.arrays import Float64Array
from tracking.compiled import compiled

BOX_SHARE = (0.4, 0.8, 1.0, 0.8)
"""Share of the filter in the reported centre x, y, width and height of a matched track; the rest is the detection's.
Sideways the detection alone trembles and the filter alone lags, and both lie farther from ground truth than a value
between them. The width is all the filter's, which averages over the swing of the limbs."""

MEMORY_S = 0.12
"""Time over which a joint at rest is averaged."""

TREMBLE = 0.02
"""Distance of a detected joint from its true position, in body sizes (one standard deviation)."""

SEEN_CONFIDENCE = 0.5
"""A joint of at least this confidence is visible; one below is the network's guess and updates the memory less."""

LEAST_CONFIDENCE = 0.01
"""Lowest confidence of a joint that was detected once."""


@compiled
def follow_joints(kept: Float64Array, measured: Float64Array, body_px: float, dt_s: float) -> None:
    """Update the smoothed joints of one body, in place.

    The confidence becomes the measured one, but never falls to 0 for a joint that was detected once.

    Args:
        kept: (K, 3) offsets from the box centre in pixels, and confidences; all 0 where never detected.
        measured: (K, 3) the same as detected.
        body_px: size of the body.
        dt_s: seconds since `kept` was updated.
    """
    patient = dt_s / (dt_s + MEMORY_S)
    tremble2 = (TREMBLE * body_px) ** 2
    for joint in range(len(kept)):
        move_x, move_y = measured[joint, 0] - kept[joint, 0], measured[joint, 1] - kept[joint, 1]
        distance2 = move_x * move_x + move_y * move_y
        gain = patient + (1.0 - patient) * distance2 / (distance2 + 4.0 * tremble2)
        # A guessed joint is trusted little; one without a history is adopted at once.
        gain *= min(measured[joint, 2] / SEEN_CONFIDENCE, 1.0)
        if kept[joint, 2] <= 0.0:
            gain = 1.0
        kept[joint, 0] += gain * move_x
        kept[joint, 1] += gain * move_y
        kept[joint, 2] = max(measured[joint, 2], min(kept[joint, 2], LEAST_CONFIDENCE))
