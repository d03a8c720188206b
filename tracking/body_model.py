"""The tracker's one table of constants: what it assumes about people, cameras and detectors.

Times are seconds and lengths are in body sizes (the longer side of a person's box), so that the same values hold at any
frame rate and any resolution. What users may want to change is in `posebus.config.settings.TrackerSettings`.

The values were chosen on recordings and synthetic scenes together; where neither changed, the simpler value won.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posebus.arrays import Float64Array

MIN_SIDE_PX = 1.0
"""Smallest side of a predicted box, however long it has shrunk without a measurement."""


def body_sizes_px(centred: Float64Array) -> Float64Array:
    """Sizes (N,) of bodies with boxes (N, 4) of centre x, y, width, height: the longer side, a standing body's height.

    All distances of a body are measured in its size.
    """
    return np.maximum(np.maximum(centred[:, 2], centred[:, 3]), MIN_SIDE_PX)


class KalmanParameters(NamedTuple):
    """How bodies move, one value per column of the filter (`tracking.motion.kalman`).

    velocity_std: standard deviation of the velocity over all bodies, in body sizes per second.
    persistence_s: time over which a velocity decays.
    measurement_std: standard deviation of a measurement, in body sizes.
    drift: random walk of the position that no velocity explains, in body sizes per square root of a second.
    error_memory_s: time over which measurement errors are correlated. Neighbouring frames then repeat the same error,
    and must not make the filter surer than it should be.
    """

    velocity_std: tuple[float, ...]
    persistence_s: tuple[float, ...]
    measurement_std: tuple[float, ...]
    drift: tuple[float, ...]
    error_memory_s: tuple[float, ...]


MOTION = KalmanParameters(
    velocity_std=(0.6, 0.3, 0.05, 0.15),
    persistence_s=(6.0, 4.0, 0.5, 0.5),
    measurement_std=(0.04, 0.04, 0.06, 0.08),
    drift=(0.03, 0.03, 0.1, 0.03),
    error_memory_s=(0.0, 0.0, 0.4, 0.0),
)
"""Columns are box centre x, centre y, width, height. People keep their course for seconds and mostly move sideways. The
box's height changes with every joint that is hidden, but not for long. Its width swings with every step, so only a
change that outlasts a step counts."""


class Evidence(NamedTuple):
    """How strongly boxes and skeletons identify a person; lengths are one standard deviation, in body sizes."""

    position_std: float = 0.12
    """Distance of a detection from the predicted position."""
    height_log_std: float = 0.09
    """Logarithm of the ratio of detected and predicted height."""
    pose: float = 2.0
    """Weight of the skeletons' agreement when all joints are visible; below 17, as errors of joints are correlated."""
    pose_floor: float = 0.05
    """Probability that two skeletons of one person do not agree at all: a network may misplace all joints."""
    pose_tolerance: float = 1.5
    """Factor on the tolerance of COCO's joints: annotators look at one picture, limbs move between two."""
    mirrored: float = 0.95
    """Weight of a skeleton with left and right exchanged, as networks do on people seen small or from behind."""
    pose_range: float = 0.6
    """Joints are compared only within this distance, unless the boxes' log odds are above `pose_from_odds`."""
    pose_from_odds: float = -6.0
    """See `pose_range`."""
    pose_alone: float = 0.6
    """Skeletons that agree at least this much ..."""
    pose_alone_visible: float = 0.3
    """... on at least this share of the joints ..."""
    pose_alone_odds: float = -2.0
    """... raise the boxes' log odds to this value, if the track was updated recently, or ... When a table hides the
    legs, the box shrinks within a frame and no longer fits, but head and shoulders stay where they were."""
    pose_alone_std: float = 0.2
    """... the standard deviation of its position across is below this: a person who was missed for a moment may come
    back as an upper half. From 0.3 on, lost tracks jump over to their neighbours."""


EVIDENCE = Evidence()


class Staying(NamedTuple):
    """People who stay at their place through a long interval between two inferred frames, in which others walk away."""

    after_s: float = 0.4
    """An interval is long from here on: people may then have moved by a quarter of their size."""
    share: float = 0.25
    """Of people at rest, the share that stays, at least: in streets it is less, in rooms most people sit."""
    speed: float = 0.1
    """People are at rest below this speed, in body sizes per second along either axis."""
    position_std: float = 0.2
    """How far the box's centre of a person who stays moves, in body sizes (one standard deviation): it leans and turns,
    and its arms and legs are hidden in turn."""
    height_log_std: float = 0.12
    """The same of the logarithm of its height."""


STAYING = Staying()


class Gates(NamedTuple):
    """Gates of the assignment, as log odds: how improbable a pair may be."""

    pair: float = 4.0
    """For any pair: a missed person together with a new one at the same place is less probable. Tracks that come back
    need no other gate, since the odds account for how uncertain their position is by then."""
    doubt_penalty: float = 0.5
    """What a low-score detection must have on top."""
    tentative_penalty: float = 0.5
    """What a tentative track must have on top."""


GATES = Gates()


class Continuation(NamedTuple):
    """How people move who leave the filter's gate (`tracking.matching.continuation`); lengths are in body sizes."""

    fast: float = 3.7
    """Factor on the filter's deviations: the speed of new people deviates by 2.2 a second; runners do 1.8 to 4.7."""
    max_speed: float = 7.0
    """Largest speed of a person, per second: 12 m/s, a fast cyclist, ..."""
    place_reach: float = 0.25
    """... plus this jump of the box, where more or less of a person is suddenly visible."""
    place_std: float = 0.1
    """Deviation of the box's centre for the same reason."""
    size_log_std: float = 0.15
    """Deviation of the logarithm of the body's size from frame to frame, ..."""
    size_log_speed_std: float = 2.0
    """... and per second: a person who falls or crouches becomes half as high in a third of a second."""
    runs: float = 0.1
    """Prior probability of such a motion for a new person, whose speed is not known yet, ..."""
    jumps: float = 0.02
    """... and for a known person, in each frame, at least."""
    turns_per_s: float = 0.3
    """How often people turn round, start or stop, ..."""
    turn_s: float = 0.33
    """... which takes this long until it has carried a person who walks (1.6 a second) half a body away."""
    missed: float = 0.1
    """Probability that a person is not detected although nothing hides the person, ..."""
    missed_again: float = 0.5
    """... for a person who was not detected in the frame before either, ..."""
    alone: float = 1.5
    """... and who is continued only if no other known person is this near, ..."""
    missed_explained: float = 0.9
    """... and where the person leaves the picture or is hidden by another one."""
    newcomers: float = 0.003
    """New people per second and square of a body's size in the middle of the picture, ..."""
    newcomers_behind: float = 0.03
    """... behind another person, ..."""
    newcomers_at_border: float = 0.3
    """... and at its borders."""
    together_s: float = 0.2
    """One person vanishes and another appears within this time for one reason, such as that they pass each other."""
    margin: float = 3.0
    """Log odds by which a pair has to be better than any other: one in twenty would be wrong."""


CONTINUATION = Continuation()


class OneBody(NamedTuple):
    """When two detections of one frame show one body.

    The thresholds lie between two measured distributions, which overlap. Of second detections of one person by
    yolo11n-pose (TUD-Stadtmitte at four sizes, COCO's and ultralytics' pictures), about half of those with shared
    joints have an OKS of 0.67 to 0.99. The rest (down to 0.04) are parts of bodies, clutter, and a few whose joints
    disagree: the joints do not find these. Of 159 pairs of two people whose boxes overlap in TUD-Stadtmitte, one is
    above 0.65 (0.93, probably a wrong annotation). Of 1,400 pairs in 20 synthetic scenes, 31 are above 0.5, 4 above
    0.65 and 2 above 0.7, for one frame each.
    """

    contained: float = 0.6
    """Share of the smaller box that must lie in the other one."""
    certain: float = 0.7
    """OKS of the joints that both detections see from which on they certainly show one body. The tolerance is COCO's,
    that of annotators of one picture, and so tighter than `Evidence.pose_tolerance`."""
    possible: float = 0.5
    """OKS from which on they possibly show one body."""
    shared_joints: float = 0.25
    """The joints are compared only if both detections have more than this share of all joints."""
    side: float = 0.03
    """Boxes that agree in three sides this well, in body sizes, are possibly a body and a part of it, certainly if too
    few joints can be compared. Boxes of two people almost never agree so well: their heads and feet are at different
    heights."""
    iou: float = 0.6
    """A detection whose IoU with a matched one is at least this starts no track, even if the joints disagree."""
    colours_against: float = -1.0
    """Detections whose colours have log odds below this show two people, even if boxes and joints agree. In
    TUD-Stadtmitte the distances of colours are 0.07 to 0.37 within pairs of one body, and 0.44 to 0.66 in nine of ten
    others."""
    held: float = 0.9
    """A box is the whole body and another a part of it if it holds this share of the part's box, ..."""
    whole: float = 1.25
    """... is this many times as long, ..."""
    whole_score: float = 0.7
    """... and its score is at least this many times the part's."""


ONE_BODY = OneBody()
"""`OneBody(contained=2.0)` finds no doubles at all."""


class Merging(NamedTuple):
    """When two tracks are merged, because both were detected as one body."""

    after_s: float = 1.5
    """They must be one body for this long: people who walk in each other's shadow part sooner, ..."""
    share: float = 0.8
    """... in at least this share of the frames in which both are detected, ..."""
    frames: int = 3
    """... and in at least this many of them."""
    watched_s: float = 4.0
    """If that did not happen within this time, it is measured anew."""


MERGING = Merging()


class Borders(NamedTuple):
    """People at the border of the picture and behind others; lengths in body sizes."""

    near: float = 0.05
    """A box within this distance of the border of the picture reaches it."""
    leaving_speed: float = 0.1
    """Speed towards the border, in body sizes per second, above which a person at the border is leaving."""
    cut_measurement_std: float = 0.01
    """Standard deviation of a measured width or height that the border cuts: the box ends exactly there."""
    sliver: float = 0.12
    """Largest width, in heights of the box, of a sliver at a side of the picture: a third of a narrow body."""
    hidden_share: float = 0.25
    """Share of a predicted box that another person must cover to explain why the track was not detected."""
    hidden_position_std: float = 0.25
    """A hidden person is reported while the standard deviation of its position is below this."""
    entering_s: float = 0.6
    """For this long a person who is cut by the border counts as entering ..."""
    entering_speed: float = 1.5
    """... and may grow or move on at this speed, in body sizes per second (one standard deviation)."""


BORDERS = Borders()


class Succession(NamedTuple):
    """When a new track may be the person of a missed track nearby; lengths in body sizes."""

    reach: float = 0.4
    """How far apart they may be without time to move: half of it may be hidden at once, cameras shake, boxes err ..."""
    speed: float = 4.0
    """... and by how much farther per second since the last detection: a person of 1.7 m runs at 6.8 m/s ..."""
    farthest: float = 1.0
    """... up to this: farther away, most new people are others."""
    size_ratio: float = 1.5
    """Largest ratio of their sizes."""


SUCCESSION = Succession()

APPEARANCE_MEMORY_S = 0.5
"""Time constant with which a track's colours follow those of its detections."""

APPEARANCE_SCORE = 0.5
"""Detections below this score do not update the colours: they often show half of another person."""


class SecondThoughts(NamedTuple):
    """Candidate swaps: pairs of tracks whose identities may have been exchanged, and when that is decided; odds are
    natural log odds."""

    confusing: float = 1.5
    """Log odds that the assignment may lose by an exchange if the two may have been confused."""
    reach: float = 0.5
    reach_deviations: float = 3.0
    """A new track may be a missing person within this distance of its predicted position, in body sizes, and within so
    many standard deviations."""
    seen_s: float = 0.4
    """For so long a person's colours must be seen after the parting; longer where a part of the body is hidden."""
    apart_s: float = 2.0
    """A decision comes within this time after the parting, or not at all."""
    together_s: float = 10.0
    """A candidate swap is dropped after this time: the appearance from before is too old by then."""
    alike: float = 1.0
    """An exchange needs at least these log odds between the appearance of each after the parting and that of the other
    before it."""
    margin: float = 1.5
    """Log odds from which on an exchange is made; below their negative the candidate is dropped."""


DOUBTS = SecondThoughts()
