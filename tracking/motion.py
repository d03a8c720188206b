"""How people in a picture move: the constants of the motion model, in body sizes and seconds.

Columns are box centre x, centre y, width, height. People keep their course for seconds and mostly move sideways; the
box's width swings with every step and its height with every joint that is hidden, and neither lasts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracking.kalman import Motion

Floats = npt.NDArray[np.float64]

MOTION = Motion(
    speed=(0.5, 0.25, 0.25, 0.15),
    persistence_s=(8.0, 4.0, 0.5, 0.5),
    jitter=(0.06, 0.06, 0.1, 0.1),
    drift=(0.03, 0.03, 0.03, 0.03),
)


def jitter_px(size_px: Floats) -> Floats:
    """Standard deviation (T, 4) of measured boxes of bodies of size (T,)."""
    return np.asarray(size_px[:, None] * np.array(MOTION.jitter))
