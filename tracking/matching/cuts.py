"""Whether an announced cut is one: people at their predicted positions are evidence against it.

Ingest finds cuts in the picture, and an object that suddenly fills the view can look like one. A wrong cut would give
all people new numbers.
"""

from __future__ import annotations

import numpy as np

from posebus.config.settings import TrackerSettings
from tracking.detections import UsableDetections
from tracking.matching.association import gains_of, matched
from tracking.matching.likelihood import log_odds
from tracking.matching.sight import sight_of
from tracking.tracks import CONFIRMED, Tracks

AGREES = 0.0
"""Log odds from which on a detection agrees with a track: those of a box exactly where it was predicted. A person in
another view hardly has them by chance: the box and the joints would have to agree to a tenth of the body's size."""

STAY_SHARE = 0.5
"""Share of the people just seen that must agree."""


def people_stay(
    tracks: Tracks, detections: UsableDetections, last_ns: int, now_ns: int, settings: TrackerSettings
) -> bool:
    """Whether enough of the people of the last frame, captured at `last_ns`, are where the `tracks` predict them."""
    if not len(tracks) or not len(detections):
        return False
    if detections.joints is not None:
        tracks.expect_joints(detections.joints.shape[1])
    sight = sight_of(tracks, last_ns, now_ns, settings)
    odds = log_odds(tracks, detections, sight.placed, sight.resting)
    matches = matched(gains_of(odds, tracks, detections, sight.recent, settings))
    people = sight.before & (tracks.state == CONFIRMED)
    rows = np.flatnonzero(people & (matches >= 0))
    agreeing = np.count_nonzero(odds[rows, matches[rows]] > AGREES)
    return bool(agreeing and agreeing >= STAY_SHARE * np.count_nonzero(people))
