from __future__ import annotations

from dataclasses import replace

import samples

from posebus.messages import Delivery, EventType, Renaming, TrackFrame
from posebus.subscribing.final_tracks import ENDS_KEPT, QUIET_S, FinalTracks
from posebus.subscribing.subscription import Message

LIVE = Delivery.LIVE


def tracks(seq: int, number: int = 1, camera: str = "door", delivery: Delivery = LIVE, epoch: int = 1) -> Message:
    body = replace(samples.track_frame(seq, camera, ids=(number,)), epoch=epoch)
    if number == 2:
        body = replace(body, renamed=(Renaming(1, 2, 0),))
    provenance = replace(samples.PROVENANCE, delivery=delivery)
    return Message("final_tracks", camera, body, provenance, f"tracks:{camera}", f"{seq}-0")


def ended(camera: str = "door", epoch: int = 1) -> Message:
    body = replace(samples.event(9, camera, EventType.CAMERA_ENDED), epoch=epoch)
    return Message("events", camera, body, None, "events", "9-0")


def shown(messages: list[Message]) -> list[tuple[str, int, int]]:
    """Entry, frame and number of each."""
    return [
        (one.id, one.body.seq, one.body.tracks[0].id) for one in messages if isinstance(one.body, TrackFrame)
    ]  # fmt: skip


def test_events_pass_and_frames_wait_for_the_end_of_their_source() -> None:
    final = FinalTracks()
    assert final.add(tracks(0), 1.0) == []
    assert final.add(tracks(1, number=2), 1.0) == []
    end = ended()
    assert final.add(end, 1.0) == [end]
    assert final.due(1.1, began_at_s=0.9) == [], "more frames may have come in the same read"
    assert shown(final.due(1.3, began_at_s=1.2)) == [("0-0", 0, 2), ("1-0", 1, 2)]
    assert final.due(1.5, began_at_s=1.4) == []


def test_end_that_is_read_before_the_tracks_is_remembered_for_its_epoch() -> None:
    final = FinalTracks()
    final.add(ended(epoch=1), 0.0)
    final.add(tracks(0, epoch=2), 1.0)
    assert final.due(3.0, began_at_s=2.0) == []
    final.add(ended(epoch=2), 3.0)
    assert shown(final.due(4.0, began_at_s=3.5)) == [("0-0", 0, 1)]
    final.add(tracks(1, epoch=2), 5.0)
    assert shown(final.due(6.0, began_at_s=5.5)) == [("1-0", 1, 1)]


def test_cameras_do_not_wait_for_one_another() -> None:
    final = FinalTracks()
    final.add(tracks(0, camera="door"), 0.0)
    final.add(tracks(0, number=2, camera="yard"), 0.0)
    final.add(ended("yard"), 0.0)
    assert [one.camera for one in final.due(1.0, began_at_s=0.5)] == ["yard"]


def test_frames_of_a_silent_camera_are_final_after_a_while() -> None:
    for delivery in Delivery:
        final = FinalTracks()
        final.add(tracks(0, delivery=delivery), 0.0)
        assert final.due(QUIET_S[delivery], began_at_s=1.0) == []
        assert shown(final.due(QUIET_S[delivery] + 0.1, began_at_s=1.0)) == [("0-0", 0, 1)]


def test_number_of_remembered_ends_is_limited() -> None:
    final = FinalTracks()
    for number in range(ENDS_KEPT + 1):
        final.add(ended(f"job-{number}"), 0.0)
    for number in (0, 1):
        final.add(tracks(0, camera=f"job-{number}"), 0.0)
    assert [one.camera for one in final.due(1.0, began_at_s=0.5)] == ["job-1"]
