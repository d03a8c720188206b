"""Facts about COCO's person keypoints: names, flags, mirror pairs and the spread of annotators, in COCO-17's order.

Names and order are those of the COCO keypoint annotations; the sigmas are pycocotools' `Params.kpt_oks_sigmas`.
"""

from __future__ import annotations

COCO_KEYPOINT_NAMES = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
"""Names of the rows of `keypoints_px`."""

HIDDEN, VISIBLE = 1, 2
"""COCO's visibility flags of keypoints; 0 is not known."""

COCO_SIGMAS = (
    *(0.026, 0.025, 0.025, 0.035, 0.035),  # nose, eyes, ears
    *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062),  # shoulders, elbows, wrists
    *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),  # hips, knees, ankles
)
"""Standard deviation of human annotators for each keypoint, relative to the square root of the person's area."""

COCO_MIRROR = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""For each keypoint the index of the same joint on the other side of the body."""
