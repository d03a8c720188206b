"""What shows that a detection is the person of a track: box, skeleton, colours, and the alternatives."""

from __future__ import annotations

from typing import NamedTuple


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
    """... behind another person, who may have hidden them, ..."""
    newcomers_at_border: float = 0.3
    """... and at its borders."""
    together_s: float = 0.2
    """One person vanishes and another appears within this time for one reason, such as that they pass each other."""
    margin: float = 3.0
    """Log odds by which a pair has to be better than any other: one in twenty would be wrong."""


CONTINUATION = Continuation()


APPEARANCE_MEMORY_S = 0.5
"""Time constant with which a track's colours follow those of its detections."""

APPEARANCE_SCORE = 0.5
"""Detections below this score do not update the colours: they often show half of another person."""
