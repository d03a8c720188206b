"""The tracker's one place of constants: what it assumes about people, cameras and detectors.

Times are seconds and lengths are in body sizes (the longer side of a person's box), so that the same values hold at any
frame rate and any resolution. What users may want to change is in `posebus.config.settings.TrackerSettings`.

The values were chosen on recordings and synthetic scenes together (benchmarks/scenes); where neither changed, the
simpler value won.
"""

from __future__ import annotations

from tracking.body_model.evidence import (
    APPEARANCE_MEMORY_S,
    APPEARANCE_SCORE,
    CONTINUATION,
    EVIDENCE,
    GATES,
    STAYING,
    Continuation,
    Evidence,
    Gates,
    Staying,
)
from tracking.body_model.identities import (
    DOUBTS,
    MERGING,
    ONE_BODY,
    SUCCESSION,
    Merging,
    OneBody,
    SecondThoughts,
    Succession,
)
from tracking.body_model.motion import BORDERS, MOTION, Borders, KalmanParameters
from tracking.body_model.size import MIN_SIDE_PX, body_sizes_px

__all__ = [
    "APPEARANCE_MEMORY_S",
    "APPEARANCE_SCORE",
    "BORDERS",
    "CONTINUATION",
    "DOUBTS",
    "EVIDENCE",
    "GATES",
    "MERGING",
    "MIN_SIDE_PX",
    "MOTION",
    "ONE_BODY",
    "STAYING",
    "SUCCESSION",
    "Borders",
    "Continuation",
    "Evidence",
    "Gates",
    "KalmanParameters",
    "Merging",
    "OneBody",
    "SecondThoughts",
    "Staying",
    "Succession",
    "body_sizes_px",
]
