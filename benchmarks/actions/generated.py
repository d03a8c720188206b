"""Examples from scripted skeletons, as the tracker follows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from benchmarks.actions.augmented import augmented
from benchmarks.actions.examples import Examples, examples_of, joined, snapshots_of
from benchmarks.actions.variants import MORE, varied_scene
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

COPIES = 2
"""Of each scene to train on, changed by `augmented`."""

ROOM_SEEDS, MORE_SEEDS = 8, 40
"""Scenes before cameras in rooms to train on, of each kind of the catalogue and of each of `MORE`."""

EXERCISES = ("squat", "squats")
"""Kinds with people who are upright for moments of one action, which single frames to train on should not show."""


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


def judged(seeds: Sequence[int]) -> list[Examples]:
    """The examples of every kind of the catalogue with these seeds, one item for each scene."""
    found = []
    for kind in sorted(KINDS | VARIANTS):
        for seed in seeds:
            one, from_s = catalogue_scene(kind, seed)
            found.append(_examples(_shown(one, from_s), truth_of(one, from_s), single=True))
    return found


def learned(seeds: Sequence[int]) -> list[Examples]:
    """The examples to train on, one item for each scene and each of its changed copies.

    Scenes are those of the catalogue with these seeds, those of its kinds before cameras in rooms, and those of `MORE`.
    """
    scenes = enumerate(_scenes_to_learn(seeds))
    return [examples for place, (one, from_s) in scenes for examples in of_scene(one, from_s, place)]


def of_scene(one: SkeletonScene, from_s: float, place: int) -> list[Examples]:
    """The examples to train on of a scene that is shown from `from_s` on, and of its changed copies.

    Changes are drawn for its place among all scenes.
    """
    frames, truth = _shown(one, from_s), truth_of(one, from_s)
    moves = any(part.label in ("walk", "run") for part in one.truth)
    rngs = (np.random.default_rng([5, place, copy]) for copy in range(COPIES))
    copies = [frames, *(augmented(frames, rng, moves=moves) for rng in rngs)]
    return [_examples(shown, truth, single=one.kind not in EXERCISES) for shown in copies]


def room_scene(kind: str, seed: int) -> tuple[SkeletonScene, float]:
    """A scene before a camera in a room to train on, and from when on it is shown."""
    rng = np.random.default_rng([13, seed])
    one = varied_scene(kind, float(rng.choice(FPS)), seed, rng.uniform(0.5, 1.5), rng.uniform(0.5, 1.3))
    return one, _from_s(one, rng)


def catalogue_scene(kind: str, seed: int) -> tuple[SkeletonScene, float]:
    """A scene of the catalogue, and from when on it is shown."""
    rng = np.random.default_rng([7, seed])
    one = scene(kind, float(rng.choice(FPS)), seed, noise=rng.uniform(0.5, 1.5), missing=rng.uniform(0.5, 1.3))
    return one, _from_s(one, rng)


def _scenes_to_learn(seeds: Sequence[int]) -> Iterator[tuple[SkeletonScene, float]]:
    for kind in sorted(KINDS | VARIANTS):
        yield from (catalogue_scene(kind, seed) for seed in seeds)
    for kind in sorted(KINDS | VARIANTS | MORE):
        yield from (room_scene(kind, seed) for seed in range(MORE_SEEDS if kind in MORE else ROOM_SEEDS))


def _from_s(one: SkeletonScene, rng: np.random.Generator) -> float:
    """From when on a scene is shown: about a third of the people appear in the middle of what they do."""
    late = rng.random() < 0.35
    return float(rng.uniform(0.0, one.times_s[-1] * 0.8)) if late else 0.0


def _shown(one: SkeletonScene, from_s: float) -> list[TrackFrame]:
    return [_only_person(frame) for frame in tracked(one) if frame.captured_at_ns >= from_s * 1e9]


def _examples(shown: list[TrackFrame], truth: Callable[[float], str | None], *, single: bool) -> Examples:
    """The examples of a scene, and of single frames of it."""
    parts = [examples_of(shown, truth)]
    if single:
        parts.append(snapshots_of(shown[:: max(len(shown) // SNAPSHOTS, 1)], truth))
    return joined(parts)


def _only_person(frame: TrackFrame) -> TrackFrame:
    """The frame with at most one track, the one that is detected now."""
    tracks = sorted(frame.tracks, key=lambda track: (track.coasted, track.id))[:1]
    return TrackFrame(frame.camera, frame.epoch, frame.seq, frame.captured_at_ns, frame.size_px, tuple(tracks))
