"""Boxes of absurd sizes are legal in the contract, and must not stop a tracker."""

from __future__ import annotations

import random

import numpy as np
import pytest

from posebus.contract.codec import decode_poses
from posebus.messages import PoseFrame
from tests.fuzz.test_stages import wild_poses
from tracking import PoseTracker


@pytest.mark.parametrize("seed", [96, 260, 375])  # each stopped it once, with NaN odds
def test_pairs_with_nan_odds_are_never_matched(seed: int) -> None:
    rng = random.Random(seed)
    bodies = [decode_poses(wild_poses(rng))[0] for _ in range(100)]
    frames = sorted((body for body in bodies if isinstance(body, PoseFrame)), key=lambda one: (one.epoch, one.seq))
    tracker = PoseTracker()
    for frame in frames:
        for track in tracker.update(frame).tracks:
            assert np.isfinite(track.box_xyxy_px).all()
            assert np.isfinite(track.score)
