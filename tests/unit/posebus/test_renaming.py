from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from posebus.messages import MAX_RENAME_DELAY_S, Renaming, Track, TrackFrame
from posebus.subscribing.renaming import FinalIds, with_final_ids

SECOND_NS = 1_000_000_000
FRAME_NS = SECOND_NS // 10
DELAY_NS = round(MAX_RENAME_DELAY_S * SECOND_NS)


def track(
    number: int, state: str = "confirmed", *, left: float = 0.0, age_s: float = 0.0, coasted: bool = False
) -> Track:
    box = np.array([left, 0, left + 10, 20], np.float32)
    return Track(number, box, 0.9, None, state, age_s, coasted=coasted)


def frame(seq: int, *tracks: Track, renamed: tuple[Renaming, ...] = (), epoch: int = 1) -> TrackFrame:
    """Ten frames a second."""
    return TrackFrame("yard", epoch, seq, seq * FRAME_NS, (640, 480), tracks, renamed=renamed)


def numbers(frames: list[TrackFrame]) -> list[tuple[int, ...]]:
    return [tuple(one.id for one in item.tracks) for item in frames]


def test_exchange_reaches_back_to_the_frame_that_it_names_and_no_further() -> None:
    exchange = (Renaming(3, 5, 2), Renaming(5, 3, 2))
    frames = [frame(seq, track(3, left=seq), track(5, left=100 + seq)) for seq in range(4)]
    final = with_final_ids([*frames, frame(4, track(3), track(5), renamed=exchange), frame(5, track(3), track(5))])
    assert numbers(final) == [(3, 5)] * 6
    lefts = [[float(one.box_xyxy_px[0]) for one in item.tracks] for item in final[:4]]
    assert lefts == [[0, 100], [1, 101], [102, 2], [103, 3]]
    assert all(item.renamed == () for item in final)


def test_corrections_of_several_frames_are_applied_one_after_the_other() -> None:
    frames = [
        frame(0, track(1)),
        frame(1, track(1)),
        frame(2, track(2), renamed=(Renaming(1, 2, 1),)),
        frame(3, track(3), renamed=(Renaming(2, 3, 0),)),
    ]
    assert numbers(with_final_ids(frames)) == [(1,), (3,), (3,), (3,)]


def test_chain_within_one_frame_applies_at_once() -> None:
    frames = [frame(0, track(1), track(2)), frame(1, renamed=(Renaming(1, 2, 0), Renaming(2, 3, 0)))]
    assert numbers(with_final_ids(frames)) == [(2, 3), ()]


def test_frame_that_a_correction_names_may_have_been_skipped() -> None:
    frames = [frame(0, track(1)), frame(5, track(1)), frame(6, track(2), renamed=(Renaming(1, 2, 3),))]
    assert numbers(with_final_ids(frames)) == [(1,), (2,), (2,)]


def test_corrections_stay_within_their_epoch() -> None:
    frames = [frame(3, track(1)), frame(0, track(1), epoch=2), frame(1, renamed=(Renaming(1, 2, 0),), epoch=2)]
    assert numbers(with_final_ids(frames)) == [(1,), (2,), ()]


def test_two_tracks_of_one_person_become_one_where_it_was_detected() -> None:
    """The young track was detected while the old one coasted: its box remains, under the old number."""
    seen_and_missed = frame(0, track(1, left=10, age_s=8, coasted=True), track(7, "tentative", left=20))
    both_seen = frame(1, track(1, left=11), track(7, left=21))
    merged = frame(2, track(1, left=12, age_s=8.2), track(7, "ended", coasted=True), renamed=(Renaming(7, 1, 0),))
    first, second, third = with_final_ids([seen_and_missed, both_seen, merged])
    (person,) = first.tracks
    assert (person.id, person.state, person.coasted, float(person.box_xyxy_px[0])) == (1, "confirmed", False, 20)
    assert numbers([second, third]) == [(1,), (1,)]
    assert float(second.tracks[0].box_xyxy_px[0]) == 11


def test_number_that_some_frames_still_show_has_its_end() -> None:
    """7 begins with frame 20: as a double of 1 from the start, since frame 21, or from now on."""
    shown = {}
    for since_seq in (20, 21, 22):
        young = [track(7, age_s=age_s) for age_s in (0.0, 0.1)]
        frames = [frame(19, track(1)), *(frame(20 + age, track(1), one) for age, one in enumerate(young))]
        end = frame(22, track(1), track(7, "ended", age_s=0.2), renamed=(Renaming(7, 1, since_seq),))
        shown[since_seq] = numbers(with_final_ids([*frames, end]))
    assert shown == {
        20: [(1,), (1,), (1,), (1,)],
        21: [(1,), (1, 7), (1,), (1, 7)],
        22: [(1,), (1, 7), (1, 7), (1, 7)],
    }


def test_renamed_track_is_as_old_as_the_one_it_continues() -> None:
    frames = [frame(10, track(7, age_s=0.0)), frame(11, track(1, age_s=1.1), renamed=(Renaming(7, 1, 10),))]
    assert [item.tracks[0].age_s for item in with_final_ids(frames)] == [1.0, 1.1]


def test_frames_come_out_when_no_correction_can_reach_them_and_at_the_end() -> None:
    final: FinalIds[str] = FinalIds()
    delay = DELAY_NS // FRAME_NS
    for seq in range(delay):
        assert final.push(frame(seq, track(1)), f"frame {seq}") == []
    assert len(final.held) == delay
    assert [other for _, other in final.push(frame(delay, track(1)), "newest")] == ["frame 0"]
    assert [other for _, other in final.push(frame(0, epoch=2), "new epoch")][-1] == "newest"
    assert [other for _, other in final.rest()] == ["new epoch"]
    assert final.rest() == []


def test_clock_that_was_set_back_holds_nothing_for_long() -> None:
    final: FinalIds[None] = FinalIds()
    final.push(frame(500), None)
    before = replace(frame(501), captured_at_ns=0)
    assert [item.seq for item, _ in final.push(before, None)] == [500]


def test_number_of_held_frames_is_limited() -> None:
    final: FinalIds[None] = FinalIds(max_frames=3)
    same_time = [replace(frame(seq), captured_at_ns=0) for seq in range(5)]
    assert [item.seq for one in same_time for item, _ in final.push(one, None)] == [0, 1]


@st.composite
def streams(draw: st.DrawFn) -> list[TrackFrame]:
    """Frames of one camera at irregular times, with random corrections, none further back than allowed."""
    frames: list[TrackFrame] = []
    epoch, seq, at_ns = 1, 0, 0
    for _ in range(draw(st.integers(1, 25))):
        at_ns += draw(st.sampled_from([FRAME_NS, 7 * FRAME_NS, DELAY_NS, DELAY_NS + 1]))
        seq += draw(st.sampled_from([1, 1, 1, 2]))
        if draw(st.integers(0, 9)) == 0:
            epoch, seq = epoch + 1, 0
        reachable = [one.seq for one in frames if one.epoch == epoch and at_ns - one.captured_at_ns <= DELAY_NS]
        renamed: tuple[Renaming, ...] = ()
        if reachable and draw(st.booleans()):
            since_seq = st.integers(reachable[0], seq)
            changes = draw(st.dictionaries(st.integers(1, 5), st.integers(1, 5), max_size=3))
            renamed = tuple(Renaming(old, new, draw(since_seq)) for old, new in changes.items() if old != new)
        ids = draw(st.sets(st.integers(1, 5)))
        states = st.sampled_from(["confirmed", "lost", "tentative", "ended"])
        tracks = tuple(track(number, draw(states), coasted=draw(st.booleans())) for number in sorted(ids))
        frames.append(TrackFrame("yard", epoch, seq, at_ns, (640, 480), tracks, renamed=renamed))
    return frames


@given(streams())
def test_held_back_frames_get_the_numbers_that_the_whole_stream_gives(frames: list[TrackFrame]) -> None:
    final: FinalIds[int] = FinalIds()
    pushed: list[tuple[TrackFrame, int]] = []
    for index, item in enumerate(frames):
        pushed += final.push(item, index)
        assert item.captured_at_ns - final.held[0].captured_at_ns < DELAY_NS
    pushed += final.rest()
    assert [index for _, index in pushed] == list(range(len(frames)))
    assert numbers([item for item, _ in pushed]) == numbers(with_final_ids(frames))
    for index, (item, _) in enumerate(pushed):
        assert sorted(one.id for one in item.tracks) == sorted(expected_numbers(frames, index))


def expected_numbers(frames: list[TrackFrame], index: int) -> set[int]:
    """The definition, number by number: every later frame of the epoch renames what is in reach of its corrections."""
    item = frames[index]
    left = {one.from_id for one in item.renamed} - {one.to_id for one in item.renamed}
    found = set()
    for number in (one.id for one in item.tracks if not (one.state == "ended" and one.id in left)):
        for later in frames[index + 1 :]:
            if later.epoch == item.epoch:
                changes = {one.from_id: one.to_id for one in later.renamed if one.since_seq <= item.seq}
                number = changes.get(number, number)
        found.add(number)
    return found
