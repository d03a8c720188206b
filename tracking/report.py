"""What the tracker knows after a frame, as the contract's TrackFrame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posebus.messages import PoseFrame, Track, TrackFrame, TrackState
from posebus.settings import TrackerSettings
from tracking.boxes import to_corners
from tracking.track import Tracks

SMOOTHING = 0.4
"""Share of the filter in the box of who is seen: the detection's alone trembles, the filter's alone lags; against
ground truth both lie farther off than what is between them."""

STATE_NAMES = tuple(str(state) for state in TrackState)


def report(frame: PoseFrame, tracks: Tracks, rows: npt.NDArray[np.intp], settings: TrackerSettings) -> TrackFrame:
    """`tracks` (T,) in `frame`; `rows` (T,) is the person of the frame each was seen as, -1 for unseen.

    Who is seen has the detection's own keypoints and a box between the detection's and the filter's. Who is not has
    the predicted box and the last skeleton carried along with it, score and confidences fading with time.
    """
    unseen = rows < 0
    boxes = to_corners(tracks.position).astype(np.float32)
    boxes[~unseen] += (1.0 - SMOOTHING) * (frame.boxes_xyxy_px[rows[~unseen]] - boxes[~unseen])
    elapsed_s = np.maximum(frame.captured_at_ns - tracks.seen_ns, 0) / 1e9
    fading = np.where(unseen, np.clip(1.0 - elapsed_s / settings.lost_s, 0.0, 1.0), 1.0)
    skeletons = tracks.placed_joints() if unseen.any() else tracks.joints
    skeletons = skeletons * np.array([1.0, 1.0, 0.0]) + skeletons * np.array([0.0, 0.0, 1.0]) * fading[:, None, None]
    skeletons = skeletons.astype(np.float32)
    ages_s = (frame.captured_at_ns - tracks.born_ns) / 1e9
    reported = []
    for place, row in enumerate(rows.tolist()):
        keypoints = skeletons[place].copy() if skeletons.shape[1] else None
        if row >= 0:
            keypoints = None if frame.keypoints_px is None else np.array(frame.keypoints_px[row], np.float32, order="C")
        reported.append(
            Track(
                id=int(tracks.ids[place]),
                box_xyxy_px=boxes[place].copy(),
                score=float(tracks.score[place] * fading[place]),
                keypoints_px=keypoints,
                state=STATE_NAMES[tracks.state[place]],
                age_s=float(ages_s[place]),
            )
        )
    return TrackFrame(frame.camera, frame.epoch, frame.seq, frame.captured_at_ns, frame.size_px, tuple(reported))
