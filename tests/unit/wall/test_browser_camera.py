"""The pure parts of browser cameras: headers of pictures, messages, clocks, and how much a page may send."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from posebus.errors import BadPicture, MalformedMessage
from wall.browser_camera.cameras import NameRefused, full_name
from wall.browser_camera.jpeg import jpeg_size_px
from wall.browser_camera.messages import Mode, SentPoses, Start, Stop, read_picture, read_text
from wall.browser_camera.page_clock import OLDEST_NS, PageClock
from wall.browser_camera.sending_rate import FIRST_FPS, MAX_FPS, MIN_FPS, SendingRate
from wall.browser_camera.socket import BURST, MAX_MESSAGES_PER_S, Bucket

MS = 1_000_000
PERSON: dict[str, Any] = {"score": 0.9, "box": [10, 5, 30, 45], "keypoints": [[20.0, 10.5, 0.8]] * 17}
FRAME = {"seq": 4, "captured_at_ms": 1000.0, "sent_at_ms": 1010.0, "width": 64, "height": 48}


def encoded(size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    """A JPEG of an independent encoder."""
    file = io.BytesIO()
    Image.new(mode, size).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("size", [(1, 1), (64, 48), (641, 479), (4000, 2000)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_header_says_the_size_that_the_encoder_wrote(size: tuple[int, int], mode: str) -> None:
    assert jpeg_size_px(encoded(size, mode)) == size


def test_segments_before_the_frame_are_passed_over() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description " * 100
    assert jpeg_size_px(encoded(exif=exif.tobytes(), comment=b"\xff\xc0 in a comment")) == (64, 48)


def huge() -> bytes:
    """A JPEG whose header says 10000x10000; it has no such picture."""
    data = bytearray(encoded())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = (10_000).to_bytes(2) * 2
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is no JPEG"),
        (b"GIF89a" + bytes(100), "is no JPEG"),
        (encoded()[:-2], "cut off"),
        (encoded(progressive=True), "progressive"),
        (encoded(mode="CMYK"), "4 components of 8 bits"),
        (huge(), "10000x10000 pixels, more than 8 million"),
        (b"\xff\xd8\xff\xd9", "does not say how large"),
        (b"\xff\xd8\xff\xc0\x00\x05\x08\x00\x10\xff\xd9", "cut off"),
        (b"\xff\xd8\xff\xe0\x00\x00" + bytes(50) + b"\xff\xd9", "does not say how large"),
        (encoded().replace(b"\xff\xc0", b"\xff\xc9"), "not supported"),
    ],
)
def test_what_workers_cannot_decode_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(BadPicture, match=sentence):
        jpeg_size_px(data)


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 255))
def test_any_bytes_have_a_size_or_a_sentence(tail: bytes, at: int, value: int) -> None:
    damaged = bytearray(encoded())
    damaged[at % len(damaged)] = value
    for data in (tail, b"\xff\xd8" + tail + b"\xff\xd9", bytes(damaged), bytes(damaged[:at]) + b"\xff\xd9"):
        try:
            width, height = jpeg_size_px(data)
        except BadPicture:
            continue
        assert 0 < width * height <= 8_000_000


def poses(*people: object, **changes: object) -> str:
    return json.dumps({"type": "poses", **FRAME, "people": people, **changes})


def test_poses_are_read_as_arrays() -> None:
    sent = read_text(poses(PERSON, {**PERSON, "score": 1, "box": [40, 5, 60, 47]}, imgsz=320, inference_ms=20))
    assert isinstance(sent, SentPoses)
    assert sent.frame.size_px == (64, 48)
    assert sent.boxes_xyxy_px.tolist() == [[10, 5, 30, 45], [40, 5, 60, 47]]
    assert sent.scores.tolist() == pytest.approx([0.9, 1.0])
    assert sent.keypoints_px.shape == (2, 17, 3)
    for array in (sent.boxes_xyxy_px, sent.scores, sent.keypoints_px):
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
    nobody = read_text(poses())
    assert isinstance(nobody, SentPoses)
    assert nobody.keypoints_px.shape == (0, 17, 3)


@pytest.mark.parametrize(
    "person",
    [
        {**PERSON, "score": 1.5},
        {**PERSON, "score": "0.5"},
        {**PERSON, "score": None},
        {**PERSON, "score": math.nan},
        {**PERSON, "score": 10**400},
        {**PERSON, "box": [30, 5, 10, 45]},
        {**PERSON, "box": [10, 5, 30]},
        {**PERSON, "box": [10, 5, 30, math.inf]},
        {**PERSON, "box": [10, 5, 30, 4500]},
        {**PERSON, "keypoints": [[20, 10, 0.8]] * 16},
        {**PERSON, "keypoints": [[20, 10, 0.8]] * 16 + [[20, 10]]},
        {**PERSON, "keypoints": [[20, 10, 1.8]] * 17},
        {**PERSON, "keypoints": [[-100, 10, 0.8]] * 17},
        {**PERSON, "keypoints": {}},
        {"score": 0.5},
        [],
        None,
    ],
)
def test_wrong_people_are_refused(person: object) -> None:
    with pytest.raises(MalformedMessage, match="a message of type poses is wrong"):
        read_text(poses(PERSON, person))


@pytest.mark.parametrize(
    "changes",
    [
        *({"seq": -1}, {"width": 0}, {"height": 10**6}, {"captured_at_ms": "now"}, {"captured_at_ms": True}),
        *({"sent_at_ms": -1}, {"people": [PERSON] * 51}, {"people": {}}, {"imgsz": 7}, {"inference_ms": math.inf}),
    ],
)
def test_wrong_frames_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedMessage):
        read_text(poses(PERSON, **changes))


def test_the_first_and_the_last_message() -> None:
    start = {"type": "start", "mode": "pictures", "name": " phone ", "page": "ab" * 8}
    assert read_text(json.dumps(start)) == Start("phone", Mode.PICTURES, "ab" * 8)
    assert read_text(json.dumps({**start, "name": "  "})) == Start(None, Mode.PICTURES, "ab" * 8)
    assert isinstance(read_text('{"type": "stop"}'), Stop)
    for wrong in ({"mode": "films"}, {"page": "x"}, {"page": None}, {"name": 7}, {"type": "end"}, {"type": ["start"]}):
        with pytest.raises(MalformedMessage):
            read_text(json.dumps({**start, **wrong}))
    with pytest.raises(MalformedMessage, match="more than 40000"):
        read_text(json.dumps({**start, "name": "a" * 50_000}))


@pytest.mark.parametrize(
    "message", [b"", b"\x00", b"\xff\xff\xff\xff", b"\x05\x00\x00\x00{}", b"\x02\x00\x00\x00{}rest"]
)
def test_pictures_without_a_header_are_refused(message: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_picture(message)


def test_names_get_the_prefix_of_browsers() -> None:
    assert full_name("phone") == full_name("browser-phone") == "browser-phone"
    for wrong in ("a b", "x" * 60, "../door"):
        with pytest.raises(NameRefused, match="is not allowed"):
            full_name(wrong)


def test_a_page_whose_clock_is_an_hour_wrong_has_the_right_times() -> None:
    clock, hour_ms = PageClock(), 3_600_000.0
    # Frames are sent 10 ms after their capture, and take 5 to 30 ms.
    delays_ms = [30, 5, 20, 30, 7]
    for number, delay_ms in enumerate(delays_ms):
        captured_ms = 100.0 * number
        arrived_ns = int((captured_ms + 10 + delay_ms) * MS) + 10**18
        found = clock.capture_ns(captured_ms + hour_ms, captured_ms + 10 + hour_ms, arrived_ns) - 10**18
        # All that is not known is the shortest delay so far.
        assert found == int((captured_ms + min(delays_ms[: number + 1])) * MS)


@given(st.lists(st.tuples(st.floats(0, 4e12), st.floats(0, 4e12)), min_size=1, max_size=20))
def test_no_page_can_claim_the_future_or_the_past(times: list[tuple[float, float]]) -> None:
    clock, before = PageClock(), 0
    for number, (captured_ms, sent_ms) in enumerate(times):
        arrived_ns = 10**18 + number * 50 * MS
        found = clock.capture_ns(captured_ms, max(captured_ms, sent_ms), arrived_ns)
        assert arrived_ns - OLDEST_NS <= found <= arrived_ns
        assert found > before
        before = found


def test_the_rate_grows_while_nothing_waits() -> None:
    allowance = SendingRate()
    assert allowance.sent(1, 0.0).fps == FIRST_FPS
    now_s, fps = 0.0, FIRST_FPS
    while fps < MAX_FPS:
        now_s += 1 / fps
        allowed = allowance.sent(1, now_s)
        assert allowed.on_the_way == 2
        assert allowed.fps <= MAX_FPS
        fps = allowed.fps
    assert 3.0 < now_s < 6.0, "at 2.5 frames a second each second at first"


@pytest.mark.parametrize("capacity_fps", [2.0, 5.0, 12.0])
def test_the_backlog_of_slow_workers_stays_at_a_few_frames(capacity_fps: float) -> None:
    """Workers that finish a frame each 1 / capacity seconds, and a page that sends as fast as it may."""
    allowance, finished, now_s = SendingRate(), 0.0, 0.0
    waited, rates = [], []
    for sent in range(1, 401):
        allowed = allowance.sent(math.ceil(sent - finished), now_s)
        step_s = 1 / allowed.fps
        now_s += step_s
        finished = min(float(sent), finished + capacity_fps * step_s)
        if now_s > 10.0:
            waited.append(sent - finished)
            rates.append(allowed.fps)
    assert max(waited) <= 4
    assert sum(waited) / len(waited) <= 1.5
    assert sum(rates) / len(rates) > 0.75 * capacity_fps


def test_without_any_worker_a_frame_a_second_is_tried() -> None:
    allowance = SendingRate()
    for sent in range(60):
        allowed = allowance.sent(sent + 1, sent * 0.5)
    assert allowed.fps == MIN_FPS
    assert allowed.on_the_way == 1


def test_bursts_pass_and_floods_do_not() -> None:
    bucket = Bucket()
    assert sum(bucket.take(0.0) for _ in range(100)) == BURST
    assert sum(bucket.take(1.0) for _ in range(100)) == min(BURST, MAX_MESSAGES_PER_S)
