"""Pictures for browsers: their sizes, the number in them, and that heads are hidden."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import samples

from posebus.messages import Frame
from posebus.privacy.regions import frame_regions
from posebus.subscribing.live_frames import LiveFrame
from tests.numbered_camera import jpeg_of, number_in, picture_of, tracks_of
from wall.live.frame_message import tracks_json, with_picture, without_picture
from wall.live.reducing import FACTORS, factor_for, small_picture

NUMBER = 0b1010_0110_0001_1011


def jpeg_frame(**changes: Any) -> Frame:
    return samples.frame(NUMBER, data=jpeg_of(NUMBER), **changes)


def raw_frame() -> Frame:
    return samples.frame(NUMBER, data=picture_of(NUMBER).tobytes(), encoding="raw")


def decoded(jpeg: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize(
    ("width_px", "wanted_px", "factor"),
    [(640, 2000, 1), (640, 640, 1), (640, 480, 1), (640, 426, 2), (1920, 480, 4), (1920, 1920, 1), (100, 1, 8)],
)
def test_pictures_are_as_small_as_the_tile_allows(width_px: int, wanted_px: int, factor: int) -> None:
    assert factor_for(width_px, wanted_px) == factor


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("frame", [jpeg_frame(), raw_frame()])
def test_each_size_shows_the_frame_that_its_tracks_are_of(frame: Frame, factor: int) -> None:
    tracks = tracks_of(NUMBER, "door")
    small = small_picture(frame, tracks, factor, blur=True)
    assert small is not None
    assert small.size_px == (640 // factor, 480 // factor)
    assert decoded(small.jpeg).shape == (480 // factor, 640 // factor, 3)
    assert number_in(small.jpeg) == NUMBER


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_heads_are_blurred_at_every_size_and_the_rest_is_not(factor: int) -> None:
    tracks = tracks_of(NUMBER, "door")
    shown, hidden = (small_picture(jpeg_frame(), tracks, factor, blur=blur) for blur in (False, True))
    assert shown is not None
    assert hidden is not None
    left, top, right, bottom = (frame_regions(tracks)[0] / factor + np.array((4, 4, -4, -4))).astype(int)
    before, after = decoded(shown.jpeg).astype(int), decoded(hidden.jpeg).astype(int)
    assert after[top:bottom, left:right].std() < 0.2 * before[top:bottom, left:right].std()
    away = slice(400 // factor, None)
    assert np.abs(before[:, away] - after[:, away]).max() < 40


def test_picture_that_needs_no_change_is_passed_on_as_it_is() -> None:
    frame = jpeg_frame()
    for tracks, blur in ((tracks_of(NUMBER, "door", people=0), True), (tracks_of(NUMBER, "door"), False)):
        small = small_picture(frame, tracks, 1, blur=blur)
        assert small is not None
        assert small.jpeg is frame.data


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", jpeg_of(3)[:2000], b"\xff\xd8" + bytes(100), bytes(cv2.imencode(".png", picture_of(1))[1])],
)
def test_picture_that_cannot_be_decoded_is_not_shown(data: bytes) -> None:
    frame = replace(jpeg_frame(), data=data)
    assert small_picture(frame, tracks_of(NUMBER, "door"), 1, blur=True) is None
    assert small_picture(frame, tracks_of(NUMBER, "door"), 2, blur=False) is None


def test_picture_of_another_size_than_its_message_says_is_not_shown() -> None:
    frame = jpeg_frame(image_size_px=(320, 240))
    assert small_picture(frame, tracks_of(NUMBER, "door"), 2, blur=True) is None
    assert (
        small_picture(replace(raw_frame(), image_size_px=(640, 481)), tracks_of(NUMBER, "door"), 1, blur=True) is None
    )


def parts(message: bytes) -> tuple[dict[str, Any], bytes]:
    size = int.from_bytes(message[:4], "little")
    return json.loads(message[4 : 4 + size]), message[4 + size :]


def test_message_has_the_header_of_the_protocol_and_then_the_picture() -> None:
    tracks = tracks_of(NUMBER, "door")
    frame = LiveFrame(tracks, samples.PROVENANCE, jpeg_frame())
    header, jpeg = parts(with_picture(frame, tracks_json(tracks), 2, blur=True))
    assert number_in(jpeg) == NUMBER
    track = {
        "id": 1, "state": "confirmed", "box": [200.0, 200.0, 300.0, 460.0], "keypoints": None, "action": None,
        "floor": None,
    }  # fmt: skip
    assert header == {
        "type": "frame", "camera": "door", "epoch": 1, "seq": NUMBER, "captured_at_ms": NUMBER * 40, "size": [640, 480],
        "tracks": [track], "picture": [320, 240], "blurred": True,
    }  # fmt: skip


def test_message_without_a_picture_ends_with_its_header() -> None:
    header, rest = parts(without_picture(tracks_json(tracks_of(7, "door"))))
    assert (header["seq"], header["picture"], header["blurred"], rest) == (7, None, False, b"")
