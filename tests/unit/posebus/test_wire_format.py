"""The fields of one message of each kind, value by value: brokers hold such entries across an update."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from posebus.contract.codec import PoseBody, encode_frame, encode_poses
from posebus.contract.fields.lineage import Fields
from posebus.messages import (
    CameraMotion,
    CaptureClock,
    Delivery,
    EndOfStream,
    Frame,
    PoseFrame,
    Probe,
    Provenance,
    Skipped,
    Uninferred,
)
from posebus.views import View

ONE_FLOAT = b"\x00\x00\x80?"
TWO_FLOAT = b"\x00\x00\x00@"
HALF_FLOAT = b"\x00\x00\x00?"
ZERO_FLOAT = bytes(4)

FRAME = Frame(
    camera="door",
    epoch=2,
    seq=3,
    captured_at_ns=4,
    clock=CaptureClock.RTCP,
    delivery=Delivery.LIVE,
    size_px=(1920, 1080),
    image_size_px=(640, 360),
    encoding="jpeg",
    data=b"\xff\xd8",
    views=(View(640), View(1280, columns=2, rows=1)),
)
END = EndOfStream(camera="door", epoch=2, seq=9, captured_at_ns=10, delivery=Delivery.LOSSLESS)
SKIPPED = Skipped(camera="door", epoch=2, seq=5, captured_at_ns=6, delivery=Delivery.LIVE, reason="too old")
UNINFERRED = Uninferred(
    camera="door",
    epoch=2,
    seq=7,
    captured_at_ns=8,
    clock=CaptureClock.FILE,
    delivery=Delivery.LOSSLESS,
    size_px=(640, 480),
    reason="still",
)
POSES = PoseFrame(
    camera="door",
    epoch=2,
    seq=3,
    captured_at_ns=4,
    size_px=(1920, 1080),
    boxes_xyxy_px=np.array([[0, 1, 1, 2]], np.float32),
    scores=np.array([0.5], np.float32),
    keypoints_px=np.array([[[1, 2, 0.5]]], np.float32),
    appearance=np.array([[0.5, 1]], np.float32),
    probes=(Probe(View(320), np.array([[1, 1, 2, 2]], np.float32), np.array([1], np.float32)),),
    masks=(np.array([[0, 1], [1, 2], [2, 0]], np.float32),),
)
POSES_ALONE = PoseFrame(
    camera="door",
    epoch=2,
    seq=3,
    captured_at_ns=4,
    size_px=(1920, 1080),
    boxes_xyxy_px=np.zeros((0, 4), np.float32),
    scores=np.zeros(0, np.float32),
    keypoints_px=None,
)
PROVENANCE = Provenance(
    clock=CaptureClock.ARRIVAL,
    delivery=Delivery.LIVE,
    frame_published_at_ns=11,
    inference_ns=12,
    view=View(1280, columns=2, rows=1),
)
PROVENANCE_ALONE = Provenance(clock=CaptureClock.ARRIVAL, delivery=Delivery.LIVE, frame_published_at_ns=11)

POSES_FIELDS: Fields = {
    "v": 1,
    "kind": "poses",
    "camera": "door",
    "epoch": 2,
    "seq": 3,
    "captured_at_ns": 4,
    "delivery": "live",
    "published_at_ns": 20,
    "frame_published_at_ns": 11,
    "inference_ns": 12,
    "clock": "arrival",
    "size": "1920x1080",
    "people": 1,
    "boxes": ZERO_FLOAT + ONE_FLOAT + ONE_FLOAT + TWO_FLOAT,
    "scores": HALF_FLOAT,
    "keypoints_per_person": 1,
    "keypoints": ONE_FLOAT + TWO_FLOAT + HALF_FLOAT,
    "appearance_size": 2,
    "appearance": HALF_FLOAT + ONE_FLOAT,
    "view": "1280/2x1",
    "probes": "320",
    "probe_people_0": 1,
    "probe_boxes_0": ONE_FLOAT + ONE_FLOAT + TWO_FLOAT + TWO_FLOAT,
    "probe_scores_0": ONE_FLOAT,
    "mask_points": b"\x03\x00",
    "masks": ZERO_FLOAT + ONE_FLOAT + ONE_FLOAT + TWO_FLOAT + TWO_FLOAT + ZERO_FLOAT,
}
POSES_ALONE_FIELDS: Fields = {
    "v": 1,
    "kind": "poses",
    "camera": "door",
    "epoch": 2,
    "seq": 3,
    "captured_at_ns": 4,
    "delivery": "live",
    "published_at_ns": 20,
    "frame_published_at_ns": 11,
    "inference_ns": 0,
    "clock": "arrival",
    "size": "1920x1080",
    "people": 0,
    "boxes": b"",
    "scores": b"",
}
FRAME_FIELDS: Fields = {
    "v": 1,
    "kind": "frame",
    "camera": "door",
    "epoch": 2,
    "seq": 3,
    "captured_at_ns": 4,
    "delivery": "live",
    "published_at_ns": 20,
    "clock": "rtcp",
    "size": "1920x1080",
    "image_size": "640x360",
    "encoding": "jpeg",
    "views": "640,1280/2x1",
    "data": b"\xff\xd8",
}
END_FIELDS: Fields = {
    "v": 1,
    "kind": "end",
    "camera": "door",
    "epoch": 2,
    "seq": 9,
    "captured_at_ns": 10,
    "delivery": "lossless",
    "reason": "end of file",
    "published_at_ns": 20,
}
SKIPPED_FIELDS: Fields = {
    "v": 1,
    "kind": "skipped",
    "camera": "door",
    "epoch": 2,
    "seq": 5,
    "captured_at_ns": 6,
    "delivery": "live",
    "reason": "too old",
    "published_at_ns": 20,
}
UNINFERRED_FIELDS: Fields = {
    "v": 1,
    "kind": "uninferred",
    "camera": "door",
    "epoch": 2,
    "seq": 7,
    "captured_at_ns": 8,
    "delivery": "lossless",
    "published_at_ns": 20,
    "clock": "file",
    "size": "640x480",
    "reason": "still",
}


@pytest.mark.parametrize(("message", "fields"), [(FRAME, FRAME_FIELDS), (END, END_FIELDS)])
def test_entry_of_frames_has_exactly_these_fields_in_this_order(message: Frame | EndOfStream, fields: Fields) -> None:
    assert list(encode_frame(message, 20).items()) == list(fields.items())


@pytest.mark.parametrize(
    ("message", "provenance", "fields"),
    [
        (POSES, PROVENANCE, POSES_FIELDS),
        (POSES_ALONE, PROVENANCE_ALONE, POSES_ALONE_FIELDS),
        (UNINFERRED, None, UNINFERRED_FIELDS),
        (SKIPPED, None, SKIPPED_FIELDS),
        (END, None, END_FIELDS),
    ],
)
def test_entry_of_poses_has_exactly_these_fields_in_this_order(
    message: PoseBody, provenance: Provenance | None, fields: Fields
) -> None:
    assert list(encode_poses(message, provenance, 20).items()) == list(fields.items())


MOTIONS = [
    (CameraMotion(0, (1, 0, 0, 0, 1, 0), 1.0), "0"),
    (CameraMotion(0, (1, 0, 0, 0, 1, 0), 0.0), "0 0"),
    (CameraMotion(3, (1.5, -0.25, 40, 1e-7, 1.5, -12.125), 0.75), "3 1.5 -0.25 40 1e-07 1.5 -12.125 0.75"),
]


@pytest.mark.parametrize(("motion", "text"), MOTIONS)
def test_motion_of_the_camera_is_one_readable_field_after_the_size(motion: CameraMotion, text: str) -> None:
    for message, before in ((FRAME, "image_size"), (UNINFERRED, "size"), (POSES_ALONE, "size")):
        moved = replace(message, camera_motion=motion)
        fields = encode_frame(moved, 20) if isinstance(moved, Frame) else encode_poses(moved, PROVENANCE, 20)
        names = list(fields)
        assert names[names.index(before) + 1] == "camera_motion"
        assert fields["camera_motion"] == text


def test_reason_that_quotes_the_name_of_a_file_is_always_text() -> None:
    """Names may hold bytes that are no UTF-8, which Python keeps as surrogates and no broker takes."""
    fields = encode_frame(replace(END, reason="caf\udce9.mp4 is cut off"), 20)
    assert str(fields["reason"]).encode() == rb"caf\udce9.mp4 is cut off"


def test_pose_frame_without_provenance_is_refused() -> None:
    with pytest.raises(ValueError, match="provenance"):
        encode_poses(POSES, None, 20)
