"""Matching after a long interval without a frame: tracks that may have stayed in place, and those whose joints still
count.

After some seconds, the filter expects people who walk, and its deviation is wider than the picture: it hardly
distinguishes the chair on which a person sits from the next one. But many people stay: they sit, wait or stand and
talk. So the position of a person at rest is a mixture of two densities: that of staying and that of walking away.
"""

from __future__ import annotations

import math

import numpy as np

from posebus.arrays import BoolArray, Float64Array
from tracking import body_model as model
from tracking.motion.kalman import POSITION, VAR_POSITION, VELOCITY
from tracking.tracks import Tracks


def at_rest(tracks: Tracks, unmissed: BoolArray) -> BoolArray:
    """Mask (T,) of the tracks that were not missed yet and did not move when last seen; new tracks count as not
    moving."""
    slow = np.abs(tracks.filter_states[VELOCITY, :, :2]).max(axis=1) < model.STAYING.speed * tracks.body_px
    return np.asarray(unmissed & slow)


def placed(tracks: Tracks, recent: BoolArray) -> BoolArray:
    """Mask (T,) of the `recent` tracks whose position is certain enough that their joints can be compared one by one.

    Otherwise any skeleton nearby would agree with theirs.
    """
    std_px = np.sqrt(tracks.filter_states[VAR_POSITION, :, :2].max(axis=1))
    return np.asarray(recent & (std_px < model.BORDERS.hidden_position_std * tracks.body_px))


def add_stayed(odds: Float64Array, tracks: Tracks, centred: Float64Array, resting: BoolArray) -> None:
    """Raise log odds by boxes (T, D), in place, where a resting track may have stayed at its place.

    They are on the scale of `tracking.matching.likelihood.box_odds`: relative to a body seen a moment ago.

    Args:
        odds: (T, D) log odds by boxes.
        tracks: T tracks, predicted to this frame; those at rest are predicted where they were.
        centred: (D, 4) boxes of the detections.
        resting: (T,) mask of the tracks that may have stayed.
    """
    stay = model.STAYING
    position = tracks.filter_states[POSITION][resting][:, None, :]
    body_px = tracks.body_px[resting][:, None]
    gap2 = ((centred[None, :, :2] - position[:, :, :2]) ** 2).sum(axis=2) / (stay.position_std * body_px) ** 2
    ratio = np.log(np.maximum(position[:, :, 3], 1.0) / centred[None, :, 3]) / stay.height_log_std
    widened = 4.0 * math.log(stay.position_std / model.EVIDENCE.position_std)
    stayed = math.log(stay.share) - 0.5 * (gap2 + ratio**2 + widened)
    odds[resting] = np.maximum(odds[resting], stayed)
