"""Every message can be encoded and decoded; anything else raises MalformedMessage and no other error."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from posebus.contract.codec import decode_frame, decode_poses, encode_frame, encode_poses, skipped_frame
from posebus.contract.fields.lineage import Fields
from posebus.contract.fields.pose_fields import MAX_MASK_POINTS
from posebus.errors import MalformedMessage
from posebus.messages import CameraMotion, CaptureClock, Delivery, EndOfStream, Frame, PoseFrame, Provenance, Skipped
from posebus.views import View
from tests.samples import PROBES, PROVENANCE, end, frame, pose_frame, uninferred

counts = st.integers(0, 2**63 - 1)
sides = st.integers(1, 65_535)
floats = st.floats(-1e6, 1e6, width=32)


def wire(fields: Fields) -> dict[bytes, bytes]:
    """The fields as Redis returns them: all names and values are bytes."""
    return {
        key if isinstance(key, bytes) else key.encode(): value if isinstance(value, bytes) else str(value).encode()
        for key, value in fields.items()
    }


@given(counts, counts, counts, st.sampled_from(CaptureClock), st.sampled_from(Delivery), sides, sides, st.binary())
def test_decoded_frame_equals_the_encoded_one(
    epoch: int, seq: int, at_ns: int, clock: CaptureClock, delivery: Delivery, width: int, height: int, data: bytes
) -> None:
    sent = Frame("cam.1", epoch, seq, at_ns, clock, delivery, (width, height), (height, width), "raw", data, 7)
    assert decode_frame(wire(encode_frame(sent, 7))) == sent


@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(8, 3), Fraction(1, 10)])
def test_the_aspect_of_pixels_is_decoded(aspect: Fraction) -> None:
    assert decode_frame(wire(encode_frame(frame(pixel_aspect=aspect), 7))).pixel_aspect == aspect
    for body in (pose_frame(pixel_aspect=aspect), replace(uninferred(3), pixel_aspect=aspect)):
        got, _ = decode_poses(wire(encode_poses(body, PROVENANCE, 6)))
        assert got.pixel_aspect == aspect


@pytest.mark.parametrize("damaged", [b"", b"8", b"8/0", b"0/8", b"-8/3", b"11/1", b"8/3x", b"1234567890/1234567890"])
def test_a_damaged_aspect_of_pixels_is_refused(damaged: bytes) -> None:
    with pytest.raises(MalformedMessage, match="pixel_aspect"):
        decode_frame({**wire(encode_frame(frame(), 7)), b"pixel_aspect": damaged})


SHIFTS = st.floats(-1e6, 1e6)
FACTORS = st.floats(0.01, 1000)


@given(
    st.integers(0, 2**53 - 1), FACTORS, FACTORS, st.floats(-1e-3, 1e-3), SHIFTS, SHIFTS, st.sampled_from([0, 1, 0.123])
)
def test_the_motion_of_the_camera_is_decoded(
    shot: int, a: float, e: float, b: float, c: float, f: float, certainty: float
) -> None:
    motion = CameraMotion(shot, (a, b, c, -b, e, f), certainty)
    assert decode_frame(wire(encode_frame(frame(camera_motion=motion), 7))).camera_motion == motion
    for body in (pose_frame(camera_motion=motion), replace(uninferred(3), camera_motion=motion)):
        got, _ = decode_poses(wire(encode_poses(body, PROVENANCE, 6)))
        assert got.camera_motion == motion


def test_a_message_without_motion_has_none() -> None:
    raw = wire(encode_frame(frame(), 7))
    assert b"camera_motion" not in raw
    assert decode_frame(raw).camera_motion is None


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (b"", "is not SHOT"),
        (b"x", "is not SHOT"),
        (b"-1", "is not SHOT"),
        ("\u0663".encode(), "is not SHOT"),
        (b"9007199254740992", "its shot is 9007199254740992"),
        (b"0 1 0 0 0 1 0", "is not SHOT"),
        (b"0 1 0 0 0 1 0 1 1", "is not SHOT"),
        (b"0 1.01", "its certainty is 1.01"),
        (b"0 -0.5", "its certainty is -0.5"),
        (b"0 nan", "something else than numbers"),
        (b"0 1 0 inf 0 1 0 1", "something else than numbers"),
        (b"0 1_0", "something else than numbers"),
        (b"0 1 0 1e999 0 1 0 1", "not finite, or beyond"),
        (b"0 1 0 1000001 0 1 0 1", "not finite, or beyond"),
        (b"0 1001 0 0 0 1 0 1", "not finite, or beyond"),
        (b"0 0 0 0 0 0 0 1", "determinant of its matrix is 0"),
        (b"0 1 0 0 0 -1 0 1", "determinant of its matrix is -1"),
        (b"0 1" + bytes(5), "something else than numbers"),
        (b"0 " + b"1" * 999, "longer than"),
    ],
)
def test_a_motion_that_no_camera_has_is_refused(damaged: bytes, words: str) -> None:
    for raw, decode in (
        (wire(encode_frame(frame(), 7)), decode_frame),
        (wire(encode_poses(pose_frame(), PROVENANCE, 7)), decode_poses),
        (wire(encode_poses(uninferred(3), None, 7)), decode_poses),
    ):
        with pytest.raises(MalformedMessage, match=f"camera_motion.*{words}"):
            decode({**raw, b"camera_motion": damaged})


def test_views_of_a_frame_are_decoded_and_invalid_ones_refused() -> None:
    sent = frame(views=(View(640), View(1280, 2, 1)))
    assert decode_frame(wire(encode_frame(sent, 7))).views == sent.views
    with pytest.raises(MalformedMessage, match="is not a view"):
        decode_frame({**wire(encode_frame(sent, 7)), b"views": b"640,all"})
    with pytest.raises(MalformedMessage, match="more than 12"):
        decode_frame({**wire(encode_frame(sent, 7)), b"views": b",".join([b"640"] * 13)})


def test_probes_and_view_of_poses_are_decoded_and_damaged_ones_refused() -> None:
    sent = encode_poses(pose_frame(probes=PROBES), replace(PROVENANCE, view=View(1280, 2, 1)), 6)
    got, provenance = decode_poses(wire(sent))
    assert isinstance(got, PoseFrame)
    assert provenance.view == View(1280, 2, 1)
    assert [probe.view for probe in got.probes] == [View(320), View(1280, 2, 1)]
    for before, after in zip(PROBES, got.probes, strict=True):
        np.testing.assert_array_equal(before.boxes_xyxy_px, after.boxes_xyxy_px)
        np.testing.assert_array_equal(before.scores, after.scores)
    with pytest.raises(MalformedMessage, match="probe_scores_1"):
        decode_poses({**wire(sent), b"probe_scores_1": b"1234"})


def test_decoded_uninferred_frame_equals_the_encoded_one() -> None:
    sent = uninferred(3)
    got, provenance = decode_poses(wire(encode_poses(sent, None, 6)))
    assert got == replace(sent, published_at_ns=6)
    assert provenance == Provenance(CaptureClock.FILE, Delivery.LOSSLESS, 6, 6)


@given(st.data(), st.integers(0, 5), st.integers(1, 20), st.booleans(), st.booleans())
def test_decoded_poses_equal_the_encoded_ones(
    data: Any, people: int, joints: int, has_keypoints: bool, has_appearance: bool
) -> None:
    def draw(*shape: int) -> Any:
        return data.draw(arrays.arrays(np.float32, shape, elements=floats))

    sent = pose_frame(
        boxes_xyxy_px=draw(people, 4),
        scores=draw(people),
        keypoints_px=draw(people, joints, 3) if has_keypoints else None,
        appearance=draw(people, 8) if has_appearance else None,
    )
    got, provenance = decode_poses(wire(encode_poses(sent, PROVENANCE, 6)))
    assert isinstance(got, PoseFrame)
    assert provenance == PROVENANCE
    for name in ("boxes_xyxy_px", "scores", "keypoints_px", "appearance"):
        before, after = getattr(sent, name), getattr(got, name)
        if before is None:
            assert after is None
        else:
            assert after.dtype == np.float32
            assert after.flags.c_contiguous
            assert np.array_equal(before, after)


@given(st.lists(st.lists(st.tuples(floats, floats), max_size=MAX_MASK_POINTS), max_size=4))
def test_decoded_masks_equal_the_encoded_ones(polygons: list[list[tuple[float, float]]]) -> None:
    masks = tuple(np.array(polygon, np.float32).reshape(-1, 2) for polygon in polygons)
    raw = wire(encode_poses(pose_frame(people=len(masks), masks=masks), PROVENANCE, 6))
    assert len(raw[b"mask_points"]) == 2 * len(masks)
    got, _ = decode_poses(raw)
    assert isinstance(got, PoseFrame)
    assert got.masks is not None
    assert len(got.masks) == len(masks)
    for before, after in zip(masks, got.masks, strict=True):
        assert after.dtype == np.float32
        assert np.array_equal(before, after)


def test_poses_without_masks_have_no_mask_fields() -> None:
    raw = wire(encode_poses(pose_frame(), PROVENANCE, 6))
    assert not {b"masks", b"mask_points"} & set(raw)
    body, _ = decode_poses(raw)
    assert isinstance(body, PoseFrame)
    assert body.masks is None


MASKS = (np.ones((3, 2), np.float32), np.zeros((0, 2), np.float32))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({b"mask_points": None}, "field mask_points is missing"),
        ({b"mask_points": b"\x03\x00"}, "field mask_points has 2 bytes, 2 people need 4"),
        ({b"mask_points": b"\x04\x00\x00\x00"}, r"field masks has 24 bytes, shape \(4, 2\) needs 32"),
        ({b"mask_points": b"\x01\x01\x00\x00"}, "257 points for one person, more than 256"),
        ({b"masks": bytes(23)}, r"field masks has 23 bytes, shape \(3, 2\) needs 24"),
        ({b"masks": np.full(6, np.inf, np.float32).tobytes()}, "field masks holds a number that is not finite"),
    ],
)
def test_damaged_masks_are_refused(changes: dict[bytes, bytes | None], words: str) -> None:
    raw = wire(encode_poses(pose_frame(masks=MASKS), PROVENANCE, 7))
    kept = {name: value for name, value in (raw | changes).items() if value is not None}
    with pytest.raises(MalformedMessage, match=words):
        decode_poses(kept)


def test_decoded_marks_equal_the_encoded_ones() -> None:
    stop = end(9)
    assert decode_frame(wire(encode_frame(stop, 0))) == stop
    body, provenance = decode_poses(wire(encode_poses(stop, None, 0)))
    assert body == stop
    assert provenance == Provenance(CaptureClock.ARRIVAL, Delivery.LOSSLESS, 0, 0)
    mark = Skipped("door", 1, 4, 5, Delivery.LIVE, "too old")
    assert decode_poses(wire(encode_poses(mark, None, 0)))[0] == mark


@given(
    st.sampled_from(sorted(wire(encode_frame(frame(), 0)))),
    st.one_of(st.none(), st.binary(max_size=30), st.integers().map(lambda n: str(n).encode())),
)
def test_frame_with_a_damaged_field_is_refused_or_decoded(name: bytes, value: bytes | None) -> None:
    raw = wire(encode_frame(frame(), 0))
    raw.pop(name) if value is None else raw.update({name: value})
    with contextlib.suppress(MalformedMessage):
        assert isinstance(decode_frame(raw), Frame | EndOfStream)


@given(
    st.sampled_from(sorted(wire(encode_poses(pose_frame(), PROVENANCE, 0)))),
    st.one_of(st.none(), st.binary(max_size=80)),
)
def test_poses_with_a_damaged_field_are_refused_or_decoded(name: bytes, value: bytes | None) -> None:
    raw = wire(encode_poses(pose_frame(), PROVENANCE, 0))
    raw.pop(name) if value is None else raw.update({name: value})
    try:
        body, _ = decode_poses(raw)
    except MalformedMessage:
        return
    assert isinstance(body, PoseFrame | Skipped | EndOfStream)


@given(st.dictionaries(st.binary(max_size=20), st.binary(max_size=40)))
def test_random_fields_are_refused(raw: dict[bytes, bytes]) -> None:
    for decode in (decode_frame, decode_poses):
        with pytest.raises(MalformedMessage):
            decode(raw)


def test_errors_name_the_field_and_the_expected_value() -> None:
    raw = wire(encode_poses(pose_frame(people=2), PROVENANCE, 0))
    with pytest.raises(MalformedMessage, match=r"field boxes has 3 bytes, shape \(2, 4\) needs 32"):
        decode_poses({**raw, b"boxes": b"abc"})
    with pytest.raises(MalformedMessage, match="not finite"):
        decode_poses({**raw, b"scores": np.array([np.nan, 1], np.float32).tobytes()})
    with pytest.raises(MalformedMessage, match="schema version 2 is not known here"):
        decode_poses({**raw, b"v": b"2"})


def test_damaged_frame_with_a_readable_key_can_be_marked_as_skipped() -> None:
    raw = wire(encode_frame(frame(3), 0))
    del raw[b"data"]
    mark = skipped_frame(raw, "malformed")
    assert mark is not None
    assert (mark.camera, mark.seq, mark.reason) == ("door", 3, "malformed")
    assert skipped_frame({b"v": b"1"}, "malformed") is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (b"seq", b"9223372036854775808", "whole number from 0 to 9223372036854775807"),
        (b"people", b"1001", "whole number from 0 to 1000"),
        (b"people", b"4611686018427387904", "whole number from 0 to 1000"),
        (b"keypoints_per_person", b"4611686018427387904", "whole number from 0 to 1000"),
        (b"camera", b"a" * 1001, "longer than 1000 bytes"),
        (b"boxes", np.full((2, 4), 3e38, np.float32).tobytes(), "not finite, or beyond 1e.06"),
        (b"scores", np.full(2, np.nan, np.float32).tobytes(), "not finite"),
    ],
)
def test_values_beyond_the_limits_are_refused(name: bytes, value: bytes, words: str) -> None:
    raw = wire(encode_poses(pose_frame(), PROVENANCE, 7)) | {name: value}
    with pytest.raises(MalformedMessage, match=words):
        decode_poses(raw)


def test_entry_with_too_many_fields_is_refused() -> None:
    raw = wire(encode_frame(frame(), 7)) | {b"%d" % number: b"" for number in range(100)}
    with pytest.raises(MalformedMessage, match="fields, more than 64"):
        decode_frame(raw)


def test_long_reason_is_shortened_to_the_limit_of_readers() -> None:
    mark = Skipped("door", 1, 2, 3, Delivery.LIVE, "ü" * 5000)
    body, _ = decode_poses(wire(encode_poses(mark, None, 7)))
    assert isinstance(body, Skipped)
    assert body.reason == "ü" * 200
