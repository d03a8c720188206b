"""The pictures of dead letters: raw ones become JPEGs, large ones are reduced or left out."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg

from posebus.bus.frame_consumer import FrameEntry
from tests.unit.workers.recording_consumer import entry
from workers.intake.letter_picture import MAX_FIELD_BYTES, with_viewable_picture
from workers.job import dead_letter


def test_raw_picture_becomes_a_jpeg_of_the_same_size() -> None:
    blue_bgr = np.zeros((64, 96, 3), np.uint8)
    blue_bgr[..., 0] = 255
    one = entry(0, data=blue_bgr.tobytes(), encoding="raw", image_size_px=(96, 64))
    letter = with_viewable_picture(dead_letter(one, "given up"), shared=None).letter
    assert (letter[b"encoding"], letter[b"image_size"]) == (b"jpeg", b"96x64")
    decoded = simplejpeg.decode_jpeg(letter[b"data"], "BGR")
    assert decoded.shape == (64, 96, 3)
    assert decoded[0, 0] == pytest.approx([255, 0, 0], abs=4)


def test_very_large_raw_picture_is_reduced() -> None:
    one = entry(0, data=bytes(3 * 4000 * 10), encoding="raw", image_size_px=(4000, 10))
    letter = with_viewable_picture(dead_letter(one, "given up"), shared=None).letter
    assert letter[b"image_size"] == b"1334x4"


def test_jpeg_is_kept_as_it_is_without_decoding_it() -> None:
    one = entry(0, data=b"\xff\xd8 not a picture", encoding="jpeg")
    assert with_viewable_picture(dead_letter(one, "does not decode"), shared=None).letter == {}


def test_jpeg_that_is_too_large_is_left_out() -> None:
    one = entry(0, data=bytes(MAX_FIELD_BYTES + 1), encoding="jpeg")
    letter = with_viewable_picture(dead_letter(one, "given up"), shared=None).letter
    assert letter == {b"data": b"", b"dead_picture": b"left out because of its size, 4000001 bytes"}


@pytest.mark.parametrize(
    ("encoding", "reason"),
    [("raw", "cannot reshape"), ("shared", "it is in the shared memory of the ingest's machine")],
)
def test_letter_says_why_a_picture_was_not_kept(encoding: str, reason: str) -> None:
    one = entry(0, data=b"door-1-0", encoding=encoding, image_size_px=(96, 64))
    letter = with_viewable_picture(dead_letter(one, "given up"), shared=None).letter
    assert letter[b"dead_picture"].startswith(f"not kept: {reason}".encode())


def test_large_fields_of_a_malformed_entry_are_emptied() -> None:
    raw = {b"camera": b"door", b"blob": bytes(MAX_FIELD_BYTES + 1)}
    malformed = FrameEntry("door", b"0-0", None, raw, defect="no field seq")
    assert with_viewable_picture(dead_letter(malformed, "malformed"), shared=None).letter == {b"blob": b""}
