"""One camera between reading and committing: order, acknowledgement, events, gaps and the end. Pure: no Redis."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from unit.tracking.moving import seen, shift

from posebus.bus.pose_consumer import PoseEntry
from posebus.config.policies import AUTO, Policies
from posebus.config.settings import TrackerSettings
from posebus.contract.snapshot import pack_state, unpack_state
from posebus.messages import CameraMotion, Delivery, EndOfStream, EventType, PoseFrame, Probe, Skipped
from posebus.views import View
from tests.samples import PROVENANCE, end, pose_frame
from tracking.camera_tracking import CameraStep, CameraTracking
from tracking.policies.capacity import CapacityShare

FRAME_NS = 40_000_000


def walking(seq: int, epoch: int = 1, **changes: Any) -> PoseFrame:
    """Two people who walk to the right."""
    frame = pose_frame(0, people=2)
    shift = np.float32(2 * seq)
    keypoints = frame.keypoints_px.copy() if frame.keypoints_px is not None else None
    assert keypoints is not None
    keypoints[..., 0] += shift
    boxes = frame.boxes_xyxy_px + np.array([shift, 0, shift, 0], np.float32)
    return pose_frame(
        seq, people=2, epoch=epoch, boxes_xyxy_px=boxes, keypoints_px=keypoints,
        captured_at_ns=seq * FRAME_NS, **changes,
    )  # fmt: skip


def entry(body: PoseFrame | Skipped | EndOfStream | None, number: int | None = None) -> PoseEntry:
    name = number if number is not None else body.seq if body is not None else 0
    return PoseEntry("door", f"{name}-0".encode(), body, PROVENANCE, None if body else "nonsense")


def lossless() -> CameraTracking:
    return CameraTracking("door", Delivery.LOSSLESS, TrackerSettings())


def feed(tracking: CameraTracking, entries: list[PoseEntry], now_s: float = 0.0) -> CameraStep:
    whole = CameraStep()
    for one in entries:
        tracking.push(one, now_s)
        step = tracking.advance(now_s)
        whole.tracks += step.tracks
        whole.events += step.events
        whole.done += step.done
        whole.skipped += step.skipped
    return whole


def public(outcome: CameraStep) -> tuple[list[Any], list[Any]]:
    frames = [
        (frame.epoch, frame.seq, [(track.id, track.state, track.box_xyxy_px.tolist()) for track in frame.tracks])
        for frame, _ in outcome.tracks
    ]
    return frames, [(event.id, event.data) for event in outcome.events]


@pytest.mark.parametrize(("width", "height", "aspect"), [(240, 480, Fraction(8, 3)), (640, 240, Fraction(1, 2))])
def test_people_in_oblong_pixels_have_the_tracks_of_square_ones(width: int, height: int, aspect: Fraction) -> None:
    """The same people, some of them cut by the right border, seen in a picture of 640x480 and in a squeezed one."""
    scale = np.array((width / 640, height / 480), np.float32)
    square, oblong = [], []
    for seq in range(12):
        frame = walking(seq)
        boxes = frame.boxes_xyxy_px + np.array((0, 0, 0, 0), np.float32)
        boxes[0] = (600 - seq, 80, 640, 280)
        assert frame.keypoints_px is not None
        frame = replace(frame, boxes_xyxy_px=boxes)
        squeezed = frame.keypoints_px * np.append(scale, np.float32(1)) if frame.keypoints_px is not None else None
        square.append(entry(frame))
        oblong.append(
            entry(
                replace(
                    frame,
                    size_px=(width, height),
                    boxes_xyxy_px=boxes * np.tile(scale, 2),
                    keypoints_px=squeezed,
                    pixel_aspect=aspect,
                )
            )
        )
    for (wanted, _), (got, _) in zip(feed(lossless(), square).tracks, feed(lossless(), oblong).tracks, strict=True):
        assert got.size_px == (width, height)
        assert [(track.id, track.state) for track in got.tracks] == [(track.id, track.state) for track in wanted.tracks]
        for one, other in zip(got.tracks, wanted.tracks, strict=True):
            np.testing.assert_allclose(one.box_xyxy_px, other.box_xyxy_px * np.tile(scale, 2), atol=0.01)
            np.testing.assert_allclose(one.velocity_px_s, other.velocity_px_s * scale, atol=0.1)


def test_any_order_of_arrival_gives_the_same_tracks_and_acknowledges_every_entry_once() -> None:
    entries = [*(entry(walking(seq)) for seq in range(20)), entry(end(20))]
    straight = feed(lossless(), entries)
    shuffled = entries.copy()
    random.Random(3).shuffle(shuffled)
    mixed = feed(lossless(), shuffled)
    assert public(straight) == public(mixed)
    assert sorted(mixed.done) == sorted(one.entry_id for one in entries)
    assert straight.events[-1].type == EventType.CAMERA_ENDED
    assert straight.events[-1].data == {"frames": 20, "reason": "end of file"}


def test_duplicate_frame_and_unreadable_entry_are_only_acknowledged() -> None:
    tracking = lossless()
    outcome = feed(tracking, [entry(walking(0), 1), entry(walking(0), 2), entry(None, 3), entry(walking(1), 4)])
    assert [frame.seq for frame, _ in outcome.tracks] == [0, 1]
    assert sorted(outcome.done) == [b"1-0", b"2-0", b"3-0", b"4-0"]


def test_waiting_entry_that_is_delivered_again_stays_unacknowledged() -> None:
    tracking = lossless()
    waiting = entry(walking(1), 1)
    assert not feed(tracking, [waiting, waiting]).changes_anything
    assert feed(tracking, [entry(walking(0), 2)]).done == [b"2-0", b"1-0"]


@pytest.mark.parametrize("cut", [1, 7, 13])
def test_successor_continues_with_the_same_tracks_and_events(cut: int) -> None:
    entries = [*(entry(walking(seq)) for seq in range(20)), entry(end(20))]
    calm = feed(lossless(), entries)
    first = lossless()
    before = feed(first, [*entries[:cut], entries[cut + 1]])  # an entry of the second half that waits is lost
    snapshot = unpack_state(pack_state(first.state_dict()))
    successor = lossless()
    successor.load_state(snapshot)
    rest = feed(successor, entries[cut:])
    assert public(calm) == (public(before)[0] + public(rest)[0], public(before)[1] + public(rest)[1])


def test_snapshot_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version is 2"):
        lossless().load_state({**lossless().state_dict(), "version": 2})


def test_skipped_frames_are_reported_once_a_second_and_before_the_end() -> None:
    tracking = CameraTracking("door", Delivery.LIVE, TrackerSettings())

    def skipped(seq: int) -> PoseEntry:
        return entry(Skipped("door", 1, seq, seq * FRAME_NS, Delivery.LIVE, "too old"))

    entries = [entry(walking(seq)) if seq % 2 == 0 else skipped(seq) for seq in range(60)]
    outcome = feed(tracking, [*entries, entry(end(60, delivery=Delivery.LIVE))])
    gaps = [event.data for event in outcome.events if event.type == EventType.CAMERA_GAP]
    assert sum(gap["skipped"] for gap in gaps) == outcome.skipped.total() == 30
    assert 2 <= len(gaps) <= 4
    assert gaps[0]["reasons"] == {"too old": gaps[0]["skipped"]}
    assert gaps[0]["first_seq"] == 1


@pytest.mark.parametrize(("delivery", "reported"), [(Delivery.LIVE, 1), (Delivery.LOSSLESS, 0)])
def test_last_gap_of_a_silent_live_camera_is_reported(delivery: Delivery, reported: int) -> None:
    tracking = CameraTracking("door", delivery, TrackerSettings())
    mark = Skipped("door", 1, 1, FRAME_NS, delivery, "overtaken")
    assert feed(tracking, [entry(walking(0)), entry(mark)], now_s=10.0).skipped == {"overtaken": 1}
    assert tracking.advance(11.0).events == []
    assert len(tracking.advance(13.0).events) == reported
    assert tracking.advance(16.0).events == []


def test_live_camera_gives_up_a_lost_frame_after_reorder_wait_s() -> None:
    tracking = CameraTracking("door", Delivery.LIVE, TrackerSettings(reorder_wait_s=1.0))
    tracking.push(entry(walking(0)), 0.0)
    tracking.push(entry(walking(2)), 0.0)
    assert [frame.seq for frame, _ in tracking.advance(0.5).tracks] == [0]
    late = tracking.advance(1.1)
    assert [frame.seq for frame, _ in late.tracks] == [2]
    assert late.skipped == late.given_up == {"not received in time": 1}


def test_next_run_of_a_file_has_new_identities_and_unique_events() -> None:
    tracking = lossless()
    first = feed(tracking, [*(entry(walking(seq)) for seq in range(10)), entry(end(10))])
    second = feed(
        tracking,
        [
            *(entry(walking(seq, epoch=2), 100 + seq) for seq in range(10)),
            entry(EndOfStream("door", 2, 10, 10 * FRAME_NS, Delivery.LOSSLESS), 200),
        ],
    )
    ids = [{track.id for frame, _ in run.tracks for track in frame.tracks} for run in (first, second)]
    assert len(ids[0]) == len(ids[1]) == 2
    assert not ids[0] & ids[1]
    events = [event.id for event in first.events + second.events]
    assert len(set(events)) == len(events)
    for run in (first, second):
        kinds = [event.type for event in run.events]
        assert kinds.count(EventType.TRACK_STARTED) == kinds.count(EventType.TRACK_ENDED) == 2


def test_end_mark_with_the_seq_of_a_frame_does_not_replace_it() -> None:
    tracking = lossless()
    outcome = feed(tracking, [entry(walking(1), 1), entry(end(1), 2), entry(walking(0), 3)])
    assert [frame.seq for frame, _ in outcome.tracks] == [0, 1]
    assert sorted(outcome.done) == [b"1-0", b"2-0", b"3-0"]


def test_fixed_size_that_misses_people_is_announced_and_survives_a_restart() -> None:
    policies = Policies(fixed_imgsz=640)
    tracking = CameraTracking("door", Delivery.LOSSLESS, TrackerSettings(), policies)
    frame = pose_frame(0, people=1)
    height_px = 60.0
    boxes = np.array([[100.0 * one, 50.0, 100.0 * one + 25, 50.0 + height_px] for one in range(5)], np.float32)
    checked = replace(frame, probes=(Probe(View(1280), boxes, np.full(5, 0.9, np.float32)),))
    step = feed(tracking, [entry(checked), entry(pose_frame(1, people=1, captured_at_ns=FRAME_NS))])
    (event,) = [one for one in step.events if one.type == EventType.CAMERA_IMGSZ]
    assert (event.seq, event.data["imgsz"]) == (0, 640)
    assert event.data["advice"] == tracking.advice
    assert "at 1280 px" in str(tracking.advice)
    again = CameraTracking("door", Delivery.LOSSLESS, TrackerSettings(), policies)
    again.load_state(unpack_state(pack_state(tracking.state_dict())))
    assert again.advice == tracking.advice


def test_only_live_cameras_have_a_demand() -> None:
    demands = []
    for delivery in (Delivery.LIVE, Delivery.LOSSLESS):
        tracking = CameraTracking("door", delivery, TrackerSettings(), Policies(fixed_imgsz=640))
        feed(tracking, [entry(walking(seq)) for seq in range(101)])
        demands.append(tracking.demand)
    assert demands[1] is None
    assert demands[0] is not None
    assert demands[0].flexible is False
    assert demands[0].pixels_per_s == pytest.approx(25 * 640 * 480)


def test_view_of_a_live_camera_follows_what_the_workers_carry() -> None:
    tracking = CameraTracking("door", Delivery.LIVE, TrackerSettings(), Policies(imgsz=AUTO))
    assert tracking.directive is None
    for seq in range(300):
        tracking.limit_view(CapacityShare(1.0, 3) if seq > 100 else None)
        many = replace(
            walking(seq),
            probes=(Probe(View(1280), walking(seq).boxes_xyxy_px, np.full(2, 0.9, np.float32)),) if seq == 0 else (),
        )
        unseen = replace(many, boxes_xyxy_px=many.boxes_xyxy_px[:0], scores=many.scores[:0], keypoints_px=None)
        small = replace(unseen, probes=tuple(_shrunk(probe) for probe in many.probes))
        feed(tracking, [entry(small)])
        if seq == 100:
            assert tracking.directive is not None
            assert tracking.directive.view == View(1280)
    assert tracking.directive.view == View(640)
    assert "3 more workers" in str(tracking.advice)


def _shrunk(probe: Probe) -> Probe:
    """The same people, 60 px high."""
    boxes = probe.boxes_xyxy_px.copy()
    boxes[:, 3] = boxes[:, 1] + 60.0
    return replace(probe, boxes_xyxy_px=boxes)


def of_shot(frame: PoseFrame, shot: int) -> PoseFrame:
    """The frame in that shot; in each shot people stand 150 px farther right than in the one before."""
    frame = seen(frame, shift(150.0 * shot))
    return replace(frame, camera_motion=CameraMotion(shot, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), 1.0))


@pytest.mark.parametrize("killed_at", [None, 8, 9])
def test_another_shot_is_announced_once_and_ends_the_tracks_before_it(killed_at: int | None) -> None:
    """Also if the tracker is replaced before or after the frame that begins it."""
    tracking, events = lossless(), []
    for seq in range(12):
        if seq == killed_at:
            successor = lossless()
            successor.load_state(unpack_state(pack_state(tracking.state_dict())))
            tracking = successor
        events += feed(tracking, [entry(of_shot(walking(seq), int(seq >= 8)))]).events
    cut, *ended = [event for event in events if event.seq == 8 and event.type != EventType.TRACK_STARTED]
    assert (cut.id, cut.data) == ("door/1/8/posebus.camera.cut", {"shot": 1, "ended": 2})
    assert [(event.type, event.data["track_id"], event.data["reason"]) for event in ended] == [
        (EventType.TRACK_ENDED, 1, "cut"),
        (EventType.TRACK_ENDED, 2, "cut"),
        (EventType.TRACK_FINISHED, 1, "cut"),
        (EventType.TRACK_FINISHED, 2, "cut"),
    ]
    assert [event.type for event in events].count(EventType.CAMERA_CUT) == 1


def test_a_moving_camera_of_oblong_pixels_is_followed() -> None:
    """The picture is half as wide as with square pixels, and moves by 60 of its pixels a frame."""
    frames = []
    for seq in range(10):
        shift = np.array((60.0 * seq, 0.0), np.float32)
        frame = walking(seq)
        assert frame.keypoints_px is not None
        squeezed = frame.keypoints_px * np.array((0.5, 1.0, 1.0), np.float32) + np.append(shift, np.float32(0))
        boxes = frame.boxes_xyxy_px * np.array((0.5, 1.0, 0.5, 1.0), np.float32) + np.tile(shift, 2)
        motion = CameraMotion(0, (1.0, 0.0, 60.0 * seq, 0.0, 1.0, 0.0), 1.0)
        width, height = frame.size_px
        frames.append(
            replace(
                frame,
                size_px=(width // 2, height),
                boxes_xyxy_px=boxes,
                keypoints_px=squeezed,
                pixel_aspect=Fraction(2),
                camera_motion=motion,
            )
        )
    tracks = [frame for frame, _ in feed(lossless(), [entry(frame) for frame in frames]).tracks]
    assert {track.id for frame in tracks for track in frame.tracks} == {1, 2}
    for track in tracks[-1].tracks:
        assert abs(track.velocity_px_s[0]) < 60.0
