"""The skeleton of a person: joints in COCO's order, and proportions of a standing body in heights of the person.

Proportions are those of R. Drillis and R. Contini, "Body segment parameters", 1966 (as in D. Winter, "Biomechanics and
Motor Control of Human Movement", 2009).
"""

from __future__ import annotations

from posebus.coco import COCO_KEYPOINT_NAMES

SEEN_CONFIDENCE = 0.3
"""A network places joints that are hidden with less."""
JOINTS = len(COCO_KEYPOINT_NAMES)
FACE = 5
"""The first joints are those of the face."""
SHOULDER, ELBOW, WRIST, HIP, KNEE, ANKLE = (
    COCO_KEYPOINT_NAMES.index(f"left_{joint}") for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
"""Joints of the left side; those of the right side follow each of them."""

TRUNK, THIGH, SHANK = 0.288, 0.245, 0.246
"""Shoulder to hip, hip to knee, knee to ankle."""
SHOULDER_HEIGHT, HIP_HEIGHT, HEAD_HEIGHT, ANKLE_HEIGHT = 0.818, 0.530, 0.93, 0.039
"""How high they are above the floor."""
