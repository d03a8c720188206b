"""Examples from scripted skeletons, as the tracker follows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.actions.examples import Examples, examples_of, joined, snapshots_of
from benchmarks.skeletons.kinds import KINDS, VARIANTS
from benchmarks.skeletons.scene import SkeletonScene, scene
from posebus.messages import TrackFrame
from tracking.actions.base import FALLEN, LYING, OTHER
from tracking.tracker import PoseTracker

ACTIONS = {
    "walk": "Walking",
    "run": "Running",
    "standing": "Standing",
    "hands_up": "Standing",
    "bend": "Standing",
    "other": "Standing",
    "sitting": "Sitting",
    "squatting": "Squatting",
    "kneeling": "Squatting",
    "fallen": FALLEN,
    "lying": LYING,
    "push_up": OTHER,
}
"""The action of a part of a script. Those that are missing are on the way between two, and have none."""

SETTLED_S = 0.8
"""The time after a change within which no answer is expected: the window still shows what was before."""

SNAPSHOTS = 12
"""Single frames of each scene, as a person who just appeared shows them."""

FPS = (5.0, 7.5, 10.0, 12.5, 15.0, 25.0, 30.0)


def truth_of(one: SkeletonScene, from_s: float) -> Callable[[float], str | None]:
    """The action at a time of a scene that is shown from `from_s` on; None where it is not known.

    A person who is on the ground from the first frame on counts as fallen: nothing shows how it came there.
    """

    def truth(time_s: float) -> str | None:
        label = one.label_at(time_s)
        if label != one.label_at(max(time_s - SETTLED_S, 0.0)) or time_s - from_s < 0.1:
            return None
        found = ACTIONS.get(label)
        return FALLEN if found == LYING and one.label_at(from_s) == label else found

    return truth


def tracked(one: SkeletonScene) -> list[TrackFrame]:
    """The scene as the tracker reports it."""
    tracker = PoseTracker()
    return [tracker.update(frame) for frame in one.pose_frames()]


def of_scene(one: SkeletonScene, from_s: float = 0.0) -> Examples:
    """The examples of a scene from a time on."""
    frames = [frame for frame in tracked(one) if frame.captured_at_ns >= from_s * 1e9]
    shown = [_only_person(frame) for frame in frames]
    truth = truth_of(one, from_s)
    return joined([examples_of(shown, truth), snapshots_of(shown[:: max(len(shown) // SNAPSHOTS, 1)], truth)])


def generated(seeds: Sequence[int]) -> list[Examples]:
    """The examples of every kind of scene with these seeds, one item for each scene."""
    found = []
    for kind in sorted(KINDS | VARIANTS):
        for seed in seeds:
            rng = np.random.default_rng([7, seed])
            one = scene(kind, float(rng.choice(FPS)), seed, noise=rng.uniform(0.5, 1.5), missing=rng.uniform(0.5, 1.3))
            late = rng.random() < 0.35
            found.append(of_scene(one, float(rng.uniform(0.0, one.times_s[-1] * 0.8)) if late else 0.0))
    return found


def _only_person(frame: TrackFrame) -> TrackFrame:
    """The frame with at most one track, the one that is detected now."""
    tracks = sorted(frame.tracks, key=lambda track: (track.coasted, track.id))[:1]
    return TrackFrame(frame.camera, frame.epoch, frame.seq, frame.captured_at_ns, frame.size_px, tuple(tracks))
