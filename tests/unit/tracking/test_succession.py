"""A person who got another number is not counted twice: the missed track does not coast beside its successor."""

from __future__ import annotations

import numpy as np
import pytest
from unit.tracking.scenes import in_state, person, plain, pose_frame, run

from posebus.contract.snapshot import pack_state, unpack_state
from posebus.messages import PoseFrame, TrackFrame
from tracking import PoseTracker


def counts(results: list[TrackFrame]) -> list[int]:
    return [len(in_state(result, "confirmed")) for result in results]


def frames_of(people: list[list[np.ndarray]], fps: float = 25.0) -> list[PoseFrame]:
    return [pose_frame(boxes, seq, seq / fps) for seq, boxes in enumerate(people)]


def before_and_after(before: list[np.ndarray], after: list[np.ndarray]) -> list[PoseFrame]:
    """Ten frames of one and five of the other, 40 ms apart."""
    return frames_of([before] * 10 + [after] * 5)


@pytest.mark.parametrize("fps", [5, 10])
def test_one_person_is_never_counted_twice_however_fast(fps: float) -> None:
    """6 m/s of a body of 1.7 m and 200 px is 706 px/s."""
    frames = frames_of([[person(100 + 706 * seq / fps, 360)] for seq in range(int(1.5 * fps))], fps)
    assert set(counts(run(frames))) == {1}


@pytest.mark.parametrize("jump_px", [50, 100])
@pytest.mark.parametrize("fps", [10, 25])
def test_a_jump_of_the_picture_doubles_no_person(fps: int, jump_px: int) -> None:
    """By half a body, and back again, whether the people keep their numbers or not."""
    places = [(200, 300), (550, 350), (900, 400)]
    frames = frames_of([[person(x + jump_px * (5 <= seq < 12), y) for x, y in places] for seq in range(20)], fps)
    assert max(counts(run(frames))) == 3


def test_missed_person_coasts_while_another_one_comes_elsewhere() -> None:
    """Two bodies away within 40 ms it is another one."""
    results = run(before_and_after([person(300, 300)], [person(700, 300)]))
    assert counts(results)[10:12] == [2, 2]
    assert results[10].tracks[0].coasted


def test_missed_person_coasts_while_one_of_another_size_comes_beside_it() -> None:
    assert counts(run(before_and_after([person(300, 300, 240)], [person(360, 360, 120)])))[10:12] == [2, 2]


def test_one_new_person_replaces_one_missed_one_at_most() -> None:
    results = run(before_and_after([person(300, 300), person(520, 300)], [person(405, 300)]))
    assert counts(results)[10:12] == [2, 2]


def test_people_who_are_seen_together_are_two() -> None:
    """One is missed in the frame in which another one comes, then both are seen: they coast independently from then."""
    one, two = person(300, 300), person(390, 300)
    people = [[one]] * 10 + [[two]] + [[one, two]] * 10 + [[two], [one]] + [[one, two]] * 3
    assert counts(run(frames_of(people)))[11:] == [2] * 15


def test_track_is_not_hidden_by_its_own_successor() -> None:
    """A person who is suddenly half a body lower covers half of where it was, but does not hide itself there."""
    results = run(frames_of([[person(300, 300)]] * 10 + [[person(300, 400)]] * 50))
    assert max(counts(results)) == 1


def test_person_hidden_by_an_older_track_still_coasts_when_another_one_comes_elsewhere() -> None:
    behind, front = person(600, 300), [person(600 + 10 * max(20 - seq, 1), 330, 220) for seq in range(60)]
    people = [[front[seq]] + [behind] * (seq < 20) + [person(150, 300)] * (seq >= 25) for seq in range(60)]
    found = counts(run(frames_of(people)))
    assert found[19:25] == [2] * 6
    assert found[25:40] == [3] * 15


def test_successor_tracker_knows_which_tracks_may_be_one_person() -> None:
    """A snapshot between the change of the number and the person's return to its old place."""
    there, beside = person(300, 300), person(300, 405, 205)
    frames = frames_of([[there]] * 10 + [[beside]] * 4 + [[there], [beside]] * 6)
    whole = [plain(result) for result in run(frames)]
    tracker, successor = PoseTracker(), PoseTracker()
    run(frames[:12], tracker)
    state = unpack_state(pack_state(tracker.state_dict()))
    successor.load_state(state)
    assert [plain(result) for result in run(frames[12:], successor)] == whole[12:]
    older = PoseTracker()
    older.load_state({name: value for name, value in state.items() if name != "aliases"})
    assert in_state(run(frames[12:], older)[0], "confirmed")
    assert max(counts(run(frames))) == 1
