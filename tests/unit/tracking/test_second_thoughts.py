"""Identities that were confused while people were together are corrected when their colours are seen again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from unit.tracking.scenes import (
    BLUE,
    FPS,
    MEET_S,
    RED,
    dressed,
    person,
    plain,
    pose_frame,
    run,
    run_with_handovers,
    turned_round,
)

from posebus.errors import MalformedMessage
from posebus.messages import PoseFrame, Renaming, TrackFrame
from posebus.subscribing.renaming import with_final_ids
from tracking import PoseTracker, body_model
from tracking.second_thoughts.doubts import no_doubts
from tracking.second_thoughts.opening import MAX_WITNESSES, opened


def lost_and_new(colour: int) -> list[PoseFrame]:
    """A person in red is not detected for 0.6 s and then, too far away to be matched, a person without visible colours;
    0.4 s later they are seen. Another person in red stands far away."""
    frames = []
    for seq in range(4 * FPS):
        time_s = seq / FPS
        gone, unseen = 2.0 < time_s < 2.6, 1.9 < time_s < 3.0
        boxes = [person(1100, 300)] + ([] if gone else [person(300 if time_s < 2.5 else 400, 300)])
        frame = dressed(pose_frame(boxes, seq, time_s), [RED, RED if time_s < 2.5 else colour][: len(boxes)])
        assert frame.appearance is not None
        if unseen:
            frame.appearance[1:, -4:] = 0.0
        frames.append(frame)
    return frames


def rows(result: TrackFrame) -> dict[int, int | None]:
    return {track.id: track.pose_index for track in result.tracks}


def renamings(results: Sequence[TrackFrame]) -> list[tuple[int, Renaming]]:
    """Number of the frame, and what it corrects."""
    return [(result.seq, one) for result in results for one in result.renamed]


def first_wrong(results: Sequence[TrackFrame]) -> int:
    """Number of the first frame after they met in which both are detected, with each other's numbers."""
    return next(result.seq for result in results if rows(result) == {1: 1, 2: 0})


def test_swapped_people_get_their_numbers_back_once_their_colours_differ() -> None:
    results = run(turned_round())
    wrong_seq = first_wrong(results)
    (seq, one), (_, other) = renamings(results)
    # Colours are seen from 4.0 s on, and must be seen for this long.
    assert seq == pytest.approx((4.0 + body_model.DOUBTS.seen_s) * FPS, abs=1)
    assert (one.from_id, one.to_id, other.from_id, other.to_id) == (1, 2, 2, 1)
    assert MEET_S * FPS <= one.since_seq == other.since_seq <= wrong_seq
    assert all(rows(result) == {1: 1, 2: 0} for result in results[wrong_seq:seq])
    assert all(rows(result) == {1: 0, 2: 1} for result in results[seq:])
    assert all(rows(result) == {1: 0, 2: 1} for result in with_final_ids(results)[wrong_seq:])
    assert results[seq].tracks[0].age_s == pytest.approx(seq / FPS)


@pytest.mark.parametrize("same", [(RED, RED), None], ids=["same colours", "no colours"])
def test_nothing_is_renamed_without_different_colours(same: tuple[int, int] | None) -> None:
    frames = turned_round(same or (RED, BLUE))
    if same is None:
        frames = [replace(frame, appearance=None) for frame in frames]
    results = run(frames)
    assert first_wrong(results)
    assert not renamings(results)


@pytest.mark.parametrize(("seen_from_s", "renames"), [(4.7, True), (5.2, False)])
def test_a_decision_comes_within_two_seconds_of_the_parting_or_never(seen_from_s: float, renames: bool) -> None:
    """They are apart from 3.2 s on, where the assignment of their detections is unambiguous again."""
    results = run(turned_round(seen_from_s=seen_from_s, seconds=8.0))
    found = renamings(results)
    assert bool(found) == renames
    for seq, one in found:
        assert 0 < seq - one.since_seq <= body_model.DOUBTS.apart_s * FPS


def test_handover_after_every_frame_changes_nothing() -> None:
    frames = turned_round()
    results, expected = run_with_handovers(frames), run(frames)
    assert renamings(results) == renamings(expected) != []
    assert [plain(result) for result in results] == [plain(result) for result in expected]


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a column less": lambda doubts: doubts.pop("before"),
    "a short column": lambda doubts: doubts.update(seen_s=doubts["seen_s"][:-1]),
    "colours of another layout": lambda doubts: doubts.update(after=doubts["after"][:, :16]),
    "pairs of three": lambda doubts: doubts.update(pairs=np.ones((1, 3), np.int64)),
    "a pair of unknown tracks": lambda doubts: doubts.update(pairs=doubts["pairs"] + 7),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_candidate_swaps_are_refused(damage: Callable[[dict[str, Any]], object]) -> None:
    tracker = PoseTracker()
    run(turned_round(seconds=3.6), tracker)
    state = tracker.state_dict()
    damage(state["doubts"])
    with pytest.raises(MalformedMessage, match="delete the snapshot"):
        PoseTracker().load_state(state)


def later_epoch(frames: list[PoseFrame], at: int) -> list[PoseFrame]:
    return frames[:at] + [replace(frame, epoch=2, seq=frame.seq - at) for frame in frames[at:]]


def clock_set_back(frames: list[PoseFrame], at: int) -> list[PoseFrame]:
    hour_ns = 3_600_000_000_000
    return [replace(frame, captured_at_ns=frame.captured_at_ns + hour_ns) for frame in frames[:at]] + frames[at:]


@pytest.mark.parametrize("change", [later_epoch, clock_set_back])
def test_a_new_epoch_and_a_clock_that_is_set_back_drop_candidate_swaps(
    change: Callable[[list[PoseFrame], int], list[PoseFrame]],
) -> None:
    results = run(change(turned_round(), round(3.8 * FPS)))
    assert first_wrong(results)
    assert not renamings(results)


def test_the_end_of_a_source_drops_candidate_swaps() -> None:
    frames, tracker = turned_round(), PoseTracker()
    at = round(3.8 * FPS)
    before = run(frames[:at], tracker)
    assert first_wrong(before)
    assert tracker.state_dict()["doubts"] is not None
    tracker.end_source()
    assert tracker.state_dict()["doubts"] is None
    assert not renamings(run(frames[at:], tracker))


def test_numbers_that_were_used_for_longer_since_than_before_stay() -> None:
    """The same scene from one second before they meet on; 1.4 s after that they would be corrected."""
    results = run(turned_round()[round((MEET_S - 1.0) * FPS) :])
    assert first_wrong(results)
    assert not renamings(results)


def test_bystander_keeps_its_number() -> None:
    """A third person, dressed like the first, stands where they meet from then on, half a body's height lower."""
    frames = []
    for pair in turned_round():
        boxes = [*pair.boxes_xyxy_px, person(640, 420)]
        colours = [RED, BLUE][: len(pair.scores)]
        seen = float(pair.appearance[0, -1])  # type: ignore[index]
        frame = pose_frame(boxes, pair.seq, pair.seq / FPS)
        frames.append(dressed(frame, [*colours, RED], seen=seen))
    results = run(frames)
    assert {(one.from_id, one.to_id) for _, one in renamings(results)} == {(1, 2), (2, 1)}
    assert rows(results[-1]) == {1: 0, 2: 1, 3: 2}


def test_a_new_track_that_is_the_lost_person_goes_on_under_the_older_number() -> None:
    results = run(lost_and_new(RED))
    born = next(result.seq for result in results if 3 in rows(result))
    ((seq, one),) = renamings(results)
    assert (one, rows(results[-1])) == (Renaming(3, 2, born), {1: 0, 2: 1})
    assert all(rows(result)[3] == 1 for result in results[born:seq])
    assert all(3 not in rows(result) for result in results[seq:])
    assert rows(with_final_ids(results)[born]) == {1: 0, 2: 1}
    by_id = {track.id: track for track in results[seq].tracks}
    assert by_id[2].state == "confirmed"
    assert by_id[2].age_s == pytest.approx(seq / FPS)


def test_a_new_person_in_other_colours_keeps_the_new_number() -> None:
    results = run(lost_and_new(BLUE))
    assert not renamings(results)
    assert rows(results[-1]) == {1: 0, 3: 1}


def test_people_who_stay_apart_are_no_candidate_swap() -> None:
    tracker = PoseTracker()
    run([dressed(pose_frame([person(300, 300), person(900, 300)], s, s / FPS), [RED, BLUE]) for s in range(5)], tracker)
    assert tracker.state_dict()["doubts"] is None


def test_number_of_candidate_swaps_is_bounded() -> None:
    """A hundred people, each of them possibly confused with the next one."""
    boxes = [person(60 + 120 * (place % 10), 35 + 70 * (place // 10), 60) for place in range(100)]
    tracker = PoseTracker()
    run([dressed(pose_frame(boxes, seq, seq / FPS), [RED] * 100) for seq in range(2)], tracker)
    ids = tracker.tracks.ids
    doubts = opened(no_doubts(), tracker.tracks, np.stack((ids[:-1], ids[1:]), axis=1), np.zeros(100, np.bool_), 0, 0)
    assert sorted(doubts.witnesses.ids) == list(range(1, MAX_WITNESSES + 1))
    assert len(doubts.pairs) == MAX_WITNESSES - 1
