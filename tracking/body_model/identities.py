"""When tracks are one person: doubles of one body, successors of a missed track, and swaps of two people."""

from __future__ import annotations

from typing import NamedTuple


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
