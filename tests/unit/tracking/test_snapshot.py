"""A tracker restored from a snapshot reports what the first one would have reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from unit.tracking.scenes import crowd, dressed, person, plain, pose_frame, run, run_with_handovers, walk

from posebus.contract.snapshot import pack_state, unpack_state
from posebus.errors import MalformedMessage
from tracking import PoseTracker
from tracking.snapshot import STORED_COLUMNS


@pytest.mark.parametrize("at", [0, 1, 17, 40])
def test_restored_tracker_continues_bit_for_bit(at: int) -> None:
    frames = crowd(np.random.default_rng(2), 20, 80)
    tracker = PoseTracker()
    run(frames[:at], tracker)
    successor = PoseTracker()
    successor.load_state(unpack_state(pack_state(tracker.state_dict())))
    assert [plain(r) for r in run(frames[at:], successor)] == [plain(r) for r in run(frames[at:], tracker)]


def test_restored_tracker_knows_the_colours() -> None:
    """Two people stand in one place and differ in tsuccessor colours only."""
    box = person(600, 300)
    frames = [dressed(pose_frame([box, box + 3], seq, seq / 20), [1, 4]) for seq in range(10)]
    tracker, successor = PoseTracker(), PoseTracker()
    before = run(frames, tracker)[-1]
    successor.load_state(unpack_state(pack_state(tracker.state_dict())))
    after = successor.update(dressed(pose_frame([box, box + 3], 10, 0.5), [4, 1]))
    first, second = (track.id for track in before.tracks)
    assert {track.id: track.pose_index for track in after.tracks} == {first: 1, second: 0}


def test_handover_after_every_frame_changes_nothing() -> None:
    frames = crowd(np.random.default_rng(4), 8, 40)
    expected = [plain(result) for result in run(frames)]
    assert [plain(result) for result in run_with_handovers(frames)] == expected


def test_snapshot_shares_no_array_with_the_tracker() -> None:
    frames = crowd(np.random.default_rng(2), 5, 20)
    tracker = PoseTracker()
    run(frames[:10], tracker)
    state = tracker.state_dict()
    successor = PoseTracker()
    successor.load_state(state)
    for value in state.values():
        if isinstance(value, np.ndarray) and value.size:
            value[:] = 7
    assert [plain(r) for r in run(frames[10:], successor)] == [plain(r) for r in run(frames[10:], tracker)]


def test_columns_keep_tsuccessor_stored_names_so_that_releases_read_each_others_snapshots() -> None:
    stored = {"ids", "state", "born_ns", "seen_ns", "score", "size_px", "beliefs", "joints", "appearance"}
    stored |= {"unseen_from_ns", "surprise"}
    stored |= {"version", "next_id", "last", "intervals_ns", "camera", "watched", "aliases", "doubts"}
    assert set(PoseTracker().state_dict()) == stored


def test_snapshot_of_the_previous_version_is_completed() -> None:
    frames = crowd(np.random.default_rng(2), 5, 20)
    tracker, successor = PoseTracker(), PoseTracker()
    run(frames, tracker)
    state = {**tracker.state_dict(), "version": 2}
    del state["unseen_from_ns"], state["surprise"], state["doubts"]
    successor.load_state(state)
    np.testing.assert_array_equal(successor.tracks.unseen_since_ns, tracker.tracks.last_seen_ns)
    assert (successor.tracks.nis == 1.0).all()


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "of another version": lambda state: state.update(version=99),
    "of the version before": lambda state: state.update(version=1),
    "without a version": lambda state: state.pop("version"),
    "without the next id": lambda state: state.pop("next_id"),
    "without the last frame": lambda state: state.pop("last"),
    "half of the last frame": lambda state: state.update(last=[1, 0]),
    "a camera without its size": lambda state: state["camera"].pop("size_px"),
    "half of a camera's size": lambda state: state["camera"].update(size_px=[640]),
    "a camera of another kind": lambda state: state.update(camera=[1, 2]),
    "no numbers": lambda state: state.update(ids=["one", "two", "three"]),
    "states without a plane": lambda state: state.update(beliefs=state["beliefs"][:4]),
    "states of fewer tracks": lambda state: state.update(beliefs=state["beliefs"][:, :-1]),
    "states of fewer columns": lambda state: state.update(beliefs=state["beliefs"][:, :, :2]),
    "joints without confidence": lambda state: state.update(joints=state["joints"][:, :, :2]),
    "flat joints": lambda state: state.update(joints=state["joints"].reshape(3, -1)),
    "colours of another layout": lambda state: state.update(appearance=state["appearance"][:, :16]),
    **{f"without {name}": lambda state, name=name: state.pop(name) for name in STORED_COLUMNS.values()},  # type: ignore[misc]
    **{
        f"{name} too short": lambda state, name=name: state.update({name: state[name][:-1]})
        for name in STORED_COLUMNS.values()
    },  # type: ignore[misc]
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_snapshot_is_refused_and_changes_nothing(damage: Callable[[dict[str, Any]], object]) -> None:
    tracker = PoseTracker()
    frames = walk([0.0, 0.1])
    expected = [plain(result) for result in run(frames)]
    run(frames[:1], tracker)
    state = tracker.state_dict()
    damage(state)
    with pytest.raises(MalformedMessage, match="delete the snapshot"):
        tracker.load_state(state)
    assert plain(tracker.update(frames[1])) == expected[1]
