"""What is assumed of people, cameras and detectors: the one table of the tracker's constants.

Times are seconds and lengths are in body sizes (the longer side of a person's box), so that the same values serve any
frame rate and any resolution. What users may want to change is in `posebus.config.settings.TrackerSettings`.

Chosen on recordings and made-up scenes together (benchmarks/scenes/scene.py); where neither changed, the simpler won.
"""

from __future__ import annotations

from typing import NamedTuple

from tracking.motion.kalman import Motion

MOTION = Motion(
    speed=(0.6, 0.3, 0.05, 0.15),
    persistence_s=(6.0, 4.0, 0.5, 0.5),
    jitter=(0.04, 0.04, 0.06, 0.08),
    drift=(0.03, 0.03, 0.1, 0.03),
    together_s=(0.0, 0.0, 0.4, 0.0),
)
"""Columns are box centre x, centre y, width, height. People keep their course for seconds and mostly move sideways;
the box's height changes with every joint that is hidden, and that does not last. Its width swings with every step, so
that only what stays for longer than a step counts as width."""


class Evidence(NamedTuple):
    """How much box and skeleton say of who somebody is; lengths are one standard deviation."""

    reach: float = 0.12
    """How far from its predicted place a body is still believed at a glance."""
    size_ratio: float = 0.09
    """How far, as a logarithm, the height may be from the predicted one."""
    pose: float = 2.0
    """Weight of the skeletons' agreement where all joints are seen; below 17, as their errors go together."""
    pose_floor: float = 0.05
    """Chance that skeletons do not agree at all although they are one person's: a network may misplace all joints."""
    pose_tolerance: float = 1.5
    """Times the tolerance of COCO's joints: annotators look at one picture, limbs move between two."""
    mirrored: float = 0.95
    """Worth of a skeleton whose left and right are exchanged, as networks do on people seen small or from behind."""
    pose_reach: float = 0.6
    """Bodies farther apart, and less probable by their boxes than `pose_from_odds`, are not compared by joints."""
    pose_from_odds: float = -6.0
    """See `pose_reach`."""
    pose_alone: float = 0.6
    """Skeletons that agree this much ..."""
    pose_alone_visible: float = 0.3
    """... on at least this part of the joints ..."""
    pose_alone_odds: float = -2.0
    """... leave a pair in sight no less probable than this, whatever the boxes say: when a table hides the legs, the
    box shrinks within a frame to something unlike it, but head and shoulders stay where they were."""


EVIDENCE = Evidence()


class Gates(NamedTuple):
    """How improbable a pair may be, as log odds to spare."""

    pair: float = 4.0
    """Any pair: that somebody was missed and another one came just here is less probable. It is the same for who comes
    back, as the odds know how unsure his place is by then."""
    doubt_penalty: float = 0.5
    """What a doubtful detection must have more."""
    tentative_penalty: float = 0.5
    """What a track that is not yet believed must have more."""


GATES = Gates()

DOUBLE_IOU = 0.6
"""A detection that overlaps a tracked one this much is that person's double, not a new person."""


class Borders(NamedTuple):
    """Where people go out of sight; lengths in body sizes."""

    near: float = 0.05
    """How near to the border of the picture a box reaches it."""
    leaving_speed: float = 0.1
    """Body sizes per second towards the border from which on somebody at the border is leaving."""
    cut_jitter: float = 0.01
    """Standard deviation of a measured width or height where the border cuts the body: the box ends there."""
    sliver: float = 0.12
    """Widest box at a side of the picture, in heights of it, of who is all but out: a third of a narrow body."""
    hidden_share: float = 0.25
    """Part of a predicted box from which on somebody in front of it explains why nobody was seen there."""
    hidden_sure: float = 0.25
    """A hidden person is reported while the standard deviation of its place is below this."""
    entering_s: float = 0.6
    """So long somebody who is cut by the border counts as coming in ..."""
    entering_speed: float = 1.5
    """... and is expected to grow or move on by so many body sizes a second (one standard deviation)."""


BORDERS = Borders()

APPEARANCE_MEMORY_S = 0.5
"""How fast the remembered colours follow those seen."""

APPEARANCE_SCORE = 0.5
"""Doubtful detections are often half somebody else: their colours are not remembered."""
