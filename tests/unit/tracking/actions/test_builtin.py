"""The built-in classifier on scripted people that it was not trained on."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.skeletons.scene import scene
from tracking.actions.of_camera import CameraActions


def action_of(kind: str, label: str, seed: int, fps: float) -> str | None:
    """The most frequent action in the second half of the part of a scene that has this label."""
    one = scene(kind, fps, seed)
    part = next(part for part in one.truth if part.label == label)
    actions = CameraActions("builtin")
    found = [actions.update(frame) for frame in one.track_frames()]
    from_s = (part.start_s + part.end_s) / 2
    within = [
        track.action
        for frame in found
        for track in frame.tracks
        if from_s <= frame.captured_at_ns / 1e9 < part.end_s and not track.coasted
    ]
    return Counter(within).most_common(1)[0][0]


@pytest.mark.parametrize(
    ("kind", "label", "action"),
    [
        ("stand", "standing", "Standing"),
        ("walk", "walk", "Walking"),
        ("run", "run", "Running"),
        ("sit_chair", "sitting", "Sitting"),
        ("squat", "squatting", "Squatting"),
        ("fall_left", "fallen", "Fallen"),
    ],
)
def test_most_people_are_named_rightly_whatever_the_rate(kind: str, label: str, action: str) -> None:
    having = (seed for seed in range(30_000, 30_100) if any(one.label == label for one in scene(kind, 5, seed).truth))
    found = [action_of(kind, label, seed, fps) for seed, fps in zip(having, (5.0, 10.0, 15.0, 30.0), strict=False)]
    assert found.count(action) >= 3, found
