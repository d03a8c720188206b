"""Colours identify people where boxes and skeletons are ambiguous or misleading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from unit.tracking.scenes import dressed, in_state, person, plain, pose_frame, run, walk

from posebus.contract import appearance
from posebus.messages import PoseFrame, TrackFrame

RED, BLUE = 1, 4


def rows(result: TrackFrame) -> dict[int, int | None]:
    """Row in the frame of each identity."""
    return {track.id: track.pose_index for track in result.tracks}


def crossing(*, turn: bool) -> list[PoseFrame]:
    """Two people walk towards each other on one line; around the middle only one is detected for half a second.

    Then both turn round (`turn`) or both walk on: in either case there is one on the left and one on the right. The
    first person of each frame began on the left, wears red and passes behind; only the colours show which one it is.
    """
    frames = []
    for seq in range(130):
        time_s = seq / 25
        way = 250 - 100 * time_s
        left = 640 - (abs(way) if turn else way)
        boxes, colours = [person(left, 300), person(1280 - left, 300)], [RED, BLUE]
        if abs(way) < 25:
            boxes, colours = [person(640, 300)], [BLUE]
        frames.append(dressed(pose_frame(boxes, seq, time_s), colours))
    return frames


@pytest.mark.parametrize("turn", [True, False], ids=["turn round", "pass"])
def test_two_people_who_meet_keep_their_identities(turn: bool) -> None:
    results = run(crossing(turn=turn))
    assert rows(results[0]) == {1: 0, 2: 1}
    assert rows(results[-1]) == {1: 0, 2: 1}
    assert {track.id for result in results for track in result.tracks} == {1, 2}


def test_without_colours_one_of_the_two_scenes_goes_wrong() -> None:
    """The scene is ambiguous: boxes and skeletons alone give the same result for both."""
    last = []
    for turn in (True, False):
        bare = [replace(frame, appearance=None) for frame in crossing(turn=turn)]
        last.append(rows(run(bare)[-1]))
    assert last[0] != last[1] or {1: 0, 2: 1} not in last


def test_two_people_in_one_place_in_any_order_keep_their_identities() -> None:
    """In a tight embrace boxes and joints are nearly equal, and the network lists them in any order."""
    rng = np.random.default_rng(0)
    boxes = [person(600, 300), person(606, 300)]
    for seq, result in enumerate(run(frames := [embrace(rng, boxes, seq) for seq in range(60)])):
        assert frames[seq].appearance is not None
        first = 0 if frames[seq].appearance[0].tolist() == frames[0].appearance[0].tolist() else 1  # type: ignore[index]
        assert rows(result) == {1: first, 2: 1 - first}


def embrace(rng: np.random.Generator, boxes: list[np.ndarray], seq: int) -> PoseFrame:
    moved = [boxes[i] + rng.normal(0, 2, 4).astype(np.float32) for i in rng.permutation(2)]
    return dressed(pose_frame(moved, seq, seq / 25), [RED, BLUE] if seq == 0 or rng.random() < 0.5 else [BLUE, RED])


@pytest.mark.parametrize("order", [(RED, BLUE), (BLUE, RED)])
def test_lost_track_is_matched_with_the_person_in_the_same_colours(order: tuple[int, int]) -> None:
    """A person in red is gone for a second; then two people stand left and right of that place."""
    frames = [dressed(pose_frame([person(600, 300)], seq, seq / 20), [RED]) for seq in range(20)]
    frames += [dressed(pose_frame([], seq, seq / 20), []) for seq in range(20, 40)]
    both = [person(575, 300), person(625, 300)]
    frames += [dressed(pose_frame(both, seq, seq / 20), order) for seq in range(40, 45)]
    assert rows(run(frames)[-1]) == {1: order.index(RED), 2: order.index(BLUE)}


def test_person_in_other_colours_near_a_lost_track_is_a_new_track() -> None:
    """A third of a body aside after a second. In the very same place colours cannot prevent the match: a person who
    comes out from behind another still has some of the other's colours."""
    frames = [dressed(pose_frame([person(600, 300)], seq, seq / 20), [RED]) for seq in range(20)]
    frames += [dressed(pose_frame([], seq, seq / 20), []) for seq in range(20, 40)]
    same = [dressed(pose_frame([person(670, 300)], seq, seq / 20), [RED]) for seq in range(40, 45)]
    other = [dressed(frame, [BLUE]) for frame in same]
    assert in_state(run(frames + same)[-1], "confirmed") == [1]
    assert in_state(run(frames + other)[-1], "confirmed") == [2]


def test_change_of_light_starts_no_new_track() -> None:
    """A person at the predicted position a frame later keeps the identity in any colours."""
    frames = [
        dressed(f, [RED, RED] if f.seq < 25 else [BLUE, BLUE]) for f in walk([i / 25 for i in range(75)], lanes=2)
    ]
    assert all(in_state(result, "confirmed") == [1, 2] for result in run(frames))


def test_memory_follows_a_change_of_clothes() -> None:
    """A person who took off a coat two seconds ago is found again without it."""
    frames = [dressed(pose_frame([person(600, 300)], s, s / 20), [RED if s < 20 else BLUE]) for s in range(60)]
    frames += [dressed(pose_frame([], s, s / 20), []) for s in range(60, 80)]
    both = [person(575, 300), person(625, 300)]
    frames += [dressed(pose_frame(both, s, s / 20), [RED, BLUE]) for s in range(80, 85)]
    assert rows(run(frames)[-1]) == {1: 1, 2: 0}


def test_low_score_detections_do_not_update_the_memory() -> None:
    """A person half hidden behind one in blue, with a low score, shows the other one's colours."""
    frames = [dressed(pose_frame([person(600, 300)], s, s / 20), [RED]) for s in range(20)]
    frames += [dressed(pose_frame([person(600, 300)], s, s / 20, scores=[0.4]), [BLUE]) for s in range(20, 60)]
    frames += [dressed(pose_frame([], s, s / 20), []) for s in range(60, 80)]
    both = [person(575, 300), person(625, 300)]
    frames += [dressed(pose_frame(both, s, s / 20), [RED, BLUE]) for s in range(80, 85)]
    assert rows(run(frames)[-1]) == {1: 0, 2: 1}


@pytest.mark.parametrize("length", [0, 16, appearance.SIZE + 1, 512])
def test_colours_of_another_layout_are_ignored(length: int) -> None:
    """As from a worker of another version: the result is the one without colours."""
    frames = [replace(frame, appearance=None) for frame in crossing(turn=True)]
    rng = np.random.default_rng(0)
    other = [replace(f, appearance=rng.random((len(f.scores), length), np.float32)) for f in frames]
    assert [plain(result) for result in run(other)] == [plain(result) for result in run(frames)]


def test_nan_colours_are_ignored() -> None:
    """One row is NaN in every third frame: the other frames identify both people."""
    frames = crossing(turn=True)
    for frame in frames[::3]:
        assert frame.appearance is not None
        frame.appearance[0, ::7] = np.nan
    results = run(frames)
    assert rows(results[-1]) == {1: 0, 2: 1}
    for track in (track for result in results for track in result.tracks):
        assert np.isfinite(track.box_xyxy_px).all()


def test_colours_may_be_missing_for_a_while() -> None:
    """A worker without colours takes over for a while; the tracks keep their memory."""
    frames = crossing(turn=True)
    for seq in [*range(20, 30), *range(40, 66), *range(90, 100)]:
        frames[seq] = replace(frames[seq], appearance=None)
    results = run(frames)
    assert rows(results[-1]) == {1: 0, 2: 1}


def test_hidden_part_of_a_body_is_remembered() -> None:
    """The legs are behind a table for two seconds; the memory keeps them."""
    halves = []
    for legs in (RED, BLUE):
        frame = dressed(pose_frame([person(600, 300)], 0, 0.0), [RED])
        features, weights = (part.copy() for part in appearance.split(frame.appearance))  # type: ignore[arg-type]
        features[:, 2:] = appearance.split(dressed(frame, [legs]).appearance)[0][:, 2:]  # type: ignore[arg-type]
        halves.append(appearance.joined(features, weights))
    hidden = halves[0].copy()
    appearance.split(hidden)[0][:, 2:] = 0.0
    appearance.split(hidden)[1][:, 2:] = 0.0
    frames = []
    for seq in range(85):
        box = [person(600, 300)]
        if seq < 60:
            frames.append(replace(pose_frame(box, seq, seq / 20), appearance=halves[0] if seq < 20 else hidden))
        elif seq < 80:
            frames.append(dressed(pose_frame([], seq, seq / 20), []))
        else:
            both = pose_frame([person(625, 300), person(575, 300)], seq, seq / 20)
            frames.append(replace(both, appearance=np.concatenate(halves[::-1])))
    assert rows(run(frames)[-1]) == {1: 1, 2: 0}
