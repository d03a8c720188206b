"""People whom the detector loses while they topple, and people whom it loses otherwise."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.rules.stick_figures import OTHERS, STANDING, turned
from unit.tracking.rules.stick_scenes import drawn

from posebus.messages import Event, Track, TrackFrame
from tracking.rules import Rules

SIZE_PX = (640, 480)
HEIGHT_PX = 200.0
STANDS_S, FALLS_S, LENGTH_S = 1.5, 0.8, 4.0


def degrees_at(at_s: float) -> float:
    """The tilt of a figure that begins to topple at STANDS_S and is on the ground FALLS_S later, faster and faster."""
    return 88.0 * min(max(at_s - STANDS_S, 0.0) / FALLS_S, 1.0) ** 2


def toppling(fps: float, lost_from: float, foot_px: tuple[float, float] = (320.0, 420.0)) -> list[TrackFrame]:
    """Frames of a figure that topples to its left, and of which nothing is detected from a tilt in degrees on."""
    frames: list[TrackFrame] = []
    last: Track | None = None
    for seq in range(int(LENGTH_S * fps)):
        at_s = seq / fps
        body = turned(STANDING, degrees_at(at_s), "roll")
        points = np.array(foot_px) + HEIGHT_PX * np.stack([body[:, 1], -body[:, 2]], axis=1)
        if degrees_at(at_s) < lost_from:
            box = np.concatenate([points.min(axis=0) - 6.0, points.max(axis=0) + 6.0]).astype(np.float32)
            joints = np.concatenate([points, np.full((17, 1), 0.9)], axis=1).astype(np.float32)
            last = Track(1, box, 0.9, joints, "confirmed", at_s)
        else:
            assert last is not None
            last = replace(last, state="lost", coasted=True)
        frames.append(TrackFrame("scene", 1, seq, round(at_s * 1e9), SIZE_PX, (last,)))
    return frames


def falls(frames: list[TrackFrame], size_px: tuple[int, int] = SIZE_PX) -> list[Event]:
    rules = Rules({"floor": {"kind": "fall"}}, "scene", size_px)
    found = [event for frame in frames for event in rules.update(frame)]
    assert not rules.problems
    return [event for event in found if event.type == "posebus.fall.detected"]


@pytest.mark.parametrize("fps", [10.0, 15.0, 30.0])
@pytest.mark.parametrize("lost_from", [45.0, 60.0])
def test_who_is_lost_halfway_to_the_ground_has_fallen(fps: float, lost_from: float) -> None:
    found = falls(toppling(fps, lost_from))
    assert len(found) == 1
    lost_s = STANDS_S + FALLS_S * (lost_from / 88.0) ** 0.5
    assert lost_s < found[0].data["captured_at_ns"] / 1e9 < lost_s + 0.5 + 2.0 / fps


@pytest.mark.parametrize("lost_from", [5.0, 12.0])
def test_who_is_lost_while_leaning_a_little_has_not(lost_from: float) -> None:
    assert falls(toppling(15.0, lost_from)) == []


def test_who_topples_out_of_the_picture_has_not() -> None:
    assert falls(toppling(15.0, 45.0, (590.0, 420.0))) == []
    assert len(falls(toppling(15.0, 45.0, (60.0, 420.0)))) == 1  # away from the border


def test_who_is_seen_upright_again_after_being_lost_ends_the_fall() -> None:
    frames = toppling(15.0, 45.0)
    stands = replace(frames[20].tracks[0], state="confirmed", coasted=False)
    last = frames[-1]
    for seq in range(1, 40):
        at_ns = last.captured_at_ns + round(seq / 15.0 * 1e9)
        frames.append(replace(last, seq=last.seq + seq, captured_at_ns=at_ns, tracks=(stands,)))
    rules = Rules({"floor": {"kind": "fall"}}, "scene", SIZE_PX)
    found = [event for frame in frames for event in rules.update(frame)]
    assert [event.type for event in found] == ["posebus.fall.detected", "posebus.fall.ended"]
    assert found[0].data["happening"] == found[1].data["happening"]
    assert "reason" not in found[1].data


@pytest.mark.parametrize("found_after_s", [0.2, 0.6])
def test_who_is_found_on_the_ground_with_another_number_has_fallen_once(found_after_s: float) -> None:
    frames = toppling(15.0, 60.0)
    lost = next(seq for seq, frame in enumerate(frames) if frame.tracks[0].coasted)
    lying = replace(toppling(15.0, 89.0)[-1].tracks[0], id=2)
    stands = replace(frames[20].tracks[0], id=2)
    for seq in range(lost + round(15 * found_after_s), len(frames)):
        frames[seq] = replace(frames[seq], tracks=(*frames[seq].tracks, lying))
    last = frames[-1]
    for seq in range(1, 40):
        at_ns = last.captured_at_ns + round(seq / 15.0 * 1e9)
        frames.append(replace(last, seq=last.seq + seq, captured_at_ns=at_ns, tracks=(last.tracks[0], stands)))
    rules = Rules({"floor": {"kind": "fall", "fallen_s": 1.0}}, "scene", SIZE_PX)
    found = [event for frame in frames for event in rules.update(frame)]
    assert [event.type.removeprefix("posebus.") for event in found] == [
        "fall.detected",
        "fallen.detected",
        "fall.ended",
    ]
    assert len({event.data["happening"] for event in found}) == 1


def test_a_state_taken_up_while_the_person_is_lost_gives_the_same_event() -> None:
    frames = toppling(15.0, 45.0)
    cut = next(seq for seq, frame in enumerate(frames) if frame.tracks[0].coasted) + 1
    first, second = (Rules({"floor": {"kind": "fall"}}, "scene", SIZE_PX) for _ in range(2))
    for frame in frames[:cut]:
        assert first.update(frame) == []
    second.load_state(json.loads(json.dumps(first.state_dict())))
    found = [event.id for frame in frames[cut:] for event in second.update(frame)]
    assert found[:1] == [falls(frames)[0].id]


@pytest.mark.parametrize("kind", OTHERS)
def test_who_is_lost_while_doing_something_else_has_not_fallen(kind: str, thorough: bool) -> None:
    for seed in range(200 if thorough else 8):
        scene = drawn(kind, seed)
        rng = np.random.default_rng([seed, 77])
        cut = int(rng.uniform(0.2, 0.95) * len(scene.frames))
        tracks = tuple(replace(one, state="lost", coasted=True) for one in scene.frames[cut - 1].tracks)
        frames = scene.frames[:cut] + [replace(frame, tracks=tracks) for frame in scene.frames[cut:]]
        assert falls(frames, scene.size_px) == [], seed
