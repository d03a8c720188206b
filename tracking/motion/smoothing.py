"""Boxes and skeletons that tremble less than detections do and hardly lag behind.

A joint's offset from its body is averaged over time as long as it stays where it was, and followed at once where it
moves by more than detections tremble: the gain grows with the surprise. It is the idea of the One-Euro filter (G.
Casiez, N. Roussel, D. Vogel, "1 Euro filter", CHI 2012), whose cutoff grows with the speed, without the memory of a
speed. The body's own movement is the Kalman filter's and costs no lag here.
"""

from __future__ import annotations

from posebus.arrays import Float64Array
from tracking.compiled import compiled

BOX_SHARE = (0.4, 0.8, 1.0, 0.8)
"""Share of the filter in centre x, y, width and height of who is seen. Sideways the detection's alone trembles and the
filter's alone lags, and against ground truth both lie farther off than what is between them. The width is all the
filter's, which averages over the swing of the limbs."""

MEMORY_S = 0.12
"""Time over which a joint that rests is averaged."""

TREMBLE = 0.02
"""How far a detected joint lies from where it is, in body sizes (one standard deviation)."""

SEEN_CONFIDENCE = 0.5
"""A joint of this confidence is seen; a fainter one is a guess at what is hidden, and lets the memory speak."""

LEAST_CONFIDENCE = 0.01
"""What is left to a joint that was seen once."""


@compiled
def follow_joints(kept: Float64Array, measured: Float64Array, size_px: float, dt_s: float) -> None:
    """Let, in place, the smoothed joints of one body follow the new ones.

    kept: (K, 3) offsets from the box centre in pixels, and confidences, all 0 where never seen; measured: (K, 3) the
    same as detected; size_px: size of the body; dt_s: seconds since `kept`. The confidence becomes the measured one,
    but a joint once seen is never quite forgotten.
    """
    patient = dt_s / (dt_s + MEMORY_S)
    tremble2 = (TREMBLE * size_px) ** 2
    for joint in range(len(kept)):
        move_x, move_y = measured[joint, 0] - kept[joint, 0], measured[joint, 1] - kept[joint, 1]
        distance2 = move_x * move_x + move_y * move_y
        gain = patient + (1.0 - patient) * distance2 / (distance2 + 4.0 * tremble2)
        # Of a joint that is guessed at, little is believed; one that was not seen before is believed at once.
        gain *= min(measured[joint, 2] / SEEN_CONFIDENCE, 1.0)
        if kept[joint, 2] <= 0.0:
            gain = 1.0
        kept[joint, 0] += gain * move_x
        kept[joint, 1] += gain * move_y
        kept[joint, 2] = max(measured[joint, 2], min(kept[joint, 2], LEAST_CONFIDENCE))
