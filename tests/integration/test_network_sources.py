"""Network cameras, simulated by servers on loopback: RTSP, MJPEG over HTTP, HLS, and servers that misbehave."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from ingest.sources import CapturedImage, Source, open_source
from posebus.config.settings import CameraSettings
from posebus.errors import PoseBusError, SourceRejected, SourceUnavailable
from posebus.messages import CaptureClock
from tests.integration.made_videos import level, make_video, number_of
from tests.integration.rtsp_server import LEVELS, RtspServer
from tests.polling import wait_until
from tests.ports import free_port

GENEROUS_S = 15.0
"""Timeouts under test are one second and may take longer on a busy machine; a hang takes longer than this."""


def settings(url: str, **values: object) -> CameraSettings:
    return CameraSettings(source=url, **{"open_timeout_s": 3.0, "read_timeout_s": 1.0, **values})


def take(source: Source, count: int) -> list[CapturedImage]:
    pictures = []
    for _ in range(count):
        picture = source.read()
        assert picture is not None
        pictures.append(picture)
    return pictures


def error_of(act: Callable[[], object]) -> str:
    """Return the sentence of the SourceUnavailable that `act` raises, and check that it is raised in time."""
    began_s = time.monotonic()
    with pytest.raises(SourceUnavailable) as caught:
        act()
    assert time.monotonic() - began_s < GENEROUS_S
    assert "\n" not in str(caught.value)
    return str(caught.value)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def read_on(source: Source) -> None:
    while source.read() is not None:
        pass


@pytest.fixture
def rtsp() -> Iterator[RtspServer]:
    server = RtspServer()
    yield server
    server.close()


def test_rtsp_pictures_are_complete_in_order_and_not_repeated(rtsp: RtspServer) -> None:
    source = open_source(settings(rtsp.url))
    pictures = take(source, 60)
    source.close()
    numbers = [number_of(picture.image_bgr) for picture in pictures]
    assert all((later - earlier) % LEVELS == 1 for earlier, later in itertools.pairwise(numbers))
    times_ns = [picture.captured_at_ns for picture in pictures]
    assert all(later > earlier for earlier, later in itertools.pairwise(times_ns))
    assert source.live
    assert source.lost == 0


def test_without_sender_reports_the_time_is_that_of_arrival(rtsp: RtspServer) -> None:
    source = open_source(settings(rtsp.url))
    picture = take(source, 1)[0]
    source.close()
    assert picture.clock is CaptureClock.ARRIVAL
    assert abs(picture.captured_at_ns - time.time_ns()) < GENEROUS_S * 1e9


def test_with_sender_reports_the_time_is_that_of_the_camera(rtsp: RtspServer) -> None:
    rtsp.sender_report_offset_s = -2.0
    source = open_source(settings(rtsp.url))
    pictures = take(source, 40)
    source.close()
    assert {picture.clock for picture in pictures} == {CaptureClock.RTCP}
    gaps_ms = [(later.captured_at_ns - earlier.captured_at_ns) / 1e6 for earlier, later in itertools.pairwise(pictures)]
    assert gaps_ms == pytest.approx([40.0] * 39, abs=2.0)
    assert pictures[-1].captured_at_ns / 1e9 == pytest.approx(time.time() - 2.0, abs=1.5)


@pytest.mark.parametrize("offset_s", [-3600.0, 3600.0])
def test_a_wrong_camera_clock_is_not_used(rtsp: RtspServer, offset_s: float) -> None:
    rtsp.sender_report_offset_s = offset_s
    source = open_source(settings(rtsp.url))
    assert {picture.clock for picture in take(source, 10)} == {CaptureClock.ARRIVAL}
    source.close()


def gaps_s(pictures: list[CapturedImage]) -> list[float]:
    return [(later.captured_at_ns - earlier.captured_at_ns) / 1e9 for earlier, later in itertools.pairwise(pictures)]


@pytest.mark.parametrize("step_s", [-5.0, 3600.0])
def test_a_camera_clock_is_not_used_after_a_jump(rtsp: RtspServer, step_s: float) -> None:
    rtsp.sender_report_offset_s = -0.2
    source = open_source(settings(rtsp.url))
    pictures = take(source, 30)
    rtsp.sender_report_offset_s = step_s
    pictures += take(source, 50)
    source.close()
    assert [pictures[0].clock, pictures[-1].clock] == [CaptureClock.RTCP, CaptureClock.ARRIVAL]
    assert min(gaps_s(pictures)) > 0
    assert max(gaps_s(pictures)) < 2.0


def test_a_camera_clock_that_stands_still_is_not_used(rtsp: RtspServer) -> None:
    rtsp.sender_report_offset_s, rtsp.report_clock_stands = -0.2, True
    source = open_source(settings(rtsp.url))
    pictures = take(source, 60)
    source.close()
    assert pictures[-1].clock is CaptureClock.ARRIVAL
    assert min(gaps_s(pictures)) > 0


@pytest.mark.parametrize("jump_s", [-3600.0, 20.0])
def test_rtp_times_that_jump_cost_no_picture(rtsp: RtspServer, jump_s: float) -> None:
    rtsp.sender_report_offset_s = -0.2
    source = open_source(settings(rtsp.url))
    pictures = take(source, 30)
    rtsp.rtp_jump_s = jump_s
    pictures += take(source, 50)
    source.close()
    assert pictures[-1].clock is CaptureClock.ARRIVAL
    assert min(gaps_s(pictures)) > 0
    assert max(gaps_s(pictures)) < 2.0


def test_rtp_times_that_wrap_have_no_effect(rtsp: RtspServer) -> None:
    rtsp.rtp_start, rtsp.sender_report_offset_s = 2**32 - 90_000, -0.2
    source = open_source(settings(rtsp.url))
    pictures = take(source, 60)
    source.close()
    assert {picture.clock for picture in pictures} == {CaptureClock.RTCP}
    assert gaps_s(pictures) == pytest.approx([0.04] * 59, abs=0.002)


def test_the_first_key_frame_may_take_longer_than_the_read_timeout(rtsp: RtspServer) -> None:
    rtsp.gop, rtsp.skipped_frames = 50, 5
    source = open_source(settings(rtsp.url))
    first = take(source, 1)[0]
    source.close()
    assert number_of(first.image_bgr) == 50 % LEVELS


def test_pictures_above_the_limit_are_refused(rtsp: RtspServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sources.decoding.ffmpeg.MAX_PIXELS", 10_000)
    monkeypatch.setattr("ingest.sources.network.MAX_PIXELS", 10_000)
    sentence = error_of(lambda: read_on(open_source(settings(rtsp.url))))
    assert "160x120" in sentence


def test_size_may_change_while_the_camera_runs(rtsp: RtspServer) -> None:
    source = open_source(settings(rtsp.url))
    before = take(source, 10)[-1]
    rtsp.size_px = (320, 240)
    sizes = [picture.image_bgr.shape for picture in take(source, 60)]
    source.close()
    assert before.image_bgr.shape == (120, 160, 3)
    assert sizes[-1] == (240, 320, 3)


def test_a_camera_that_stalls_is_unavailable(rtsp: RtspServer) -> None:
    source = open_source(settings(rtsp.url))
    take(source, 10)
    rtsp.stalled = True
    assert "1 s" in error_of(lambda: read_on(source))
    source.close()


def test_a_camera_that_closes_the_stream_is_unavailable(rtsp: RtspServer) -> None:
    source = open_source(settings(rtsp.url))
    take(source, 10)
    rtsp.cut()
    assert "closed the stream" in error_of(lambda: read_on(source))
    source.close()


def test_garbage_gives_no_picture_and_is_unavailable(rtsp: RtspServer) -> None:
    source = open_source(settings(rtsp.url))
    shown = {number_of(picture.image_bgr) for picture in take(source, 10)}
    rtsp.garbage = True

    def read_and_look() -> None:
        while (picture := source.read()) is not None:
            shown.add(number_of(picture.image_bgr))
            assert picture.image_bgr.std() < 4, "a damaged picture was delivered"

    assert "no usable picture" in error_of(read_and_look)
    source.close()


def test_a_stream_of_garbage_from_the_start_is_unavailable(rtsp: RtspServer) -> None:
    rtsp.garbage = True
    assert rtsp.url in error_of(lambda: read_on(open_source(settings(rtsp.url, open_timeout_s=2.0))))


@pytest.mark.parametrize(("status", "hint"), [(404, "no such stream"), (401, "refuses the login")])
def test_a_refusal_says_what_to_do_without_the_password(rtsp: RtspServer, status: int, hint: str) -> None:
    rtsp.status = status
    url = rtsp.url.replace("rtsp://", "rtsp://admin:hunter2@")
    sentence = error_of(lambda: open_source(settings(url)))
    assert hint in sentence
    assert "hunter2" not in sentence
    assert "admin" not in sentence


def test_many_connections_leave_no_threads_or_sockets(rtsp: RtspServer) -> None:
    def connect() -> None:
        source = open_source(settings(rtsp.url))
        take(source, 1)
        source.close()

    connect()
    files, threads = open_files(), threading.active_count()
    for _ in range(10):
        connect()
    rtsp.cut()
    # The server's side, in the same process, takes a moment.
    wait_until(
        lambda: open_files() <= files and threading.active_count() <= threads,
        lambda: f"{files} files and {threads} threads; {open_files()} and {threading.active_count()}",
        GENEROUS_S,
    )


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_closed_port_is_reported_without_the_password(scheme: str) -> None:
    port = free_port()
    sentence = error_of(lambda: open_source(settings(f"{scheme}://admin:hunter2@127.0.0.1:{port}/live")))
    assert "refuses the connection" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_accepts_and_never_answers_is_unavailable(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/live"
        assert "did not answer within 1 s" in error_of(lambda: open_source(settings(url, open_timeout_s=1.0)))


def test_an_unknown_scheme_is_rejected() -> None:
    with pytest.raises(SourceRejected, match="use rtsp://"):
        open_source(settings("carrier-pigeon://127.0.0.1/live"))


def test_errors_contain_no_password_in_their_causes() -> None:
    port = free_port()
    with pytest.raises(PoseBusError) as caught:
        open_source(settings(f"rtsp://admin:hunter2@127.0.0.1:{port}/live"))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


class MjpegHandler(BaseHTTPRequestHandler):
    """/stream sends numbered pictures without end; /short sends ten and closes; /stall sends ten and nothing more."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in itertools.count():
            if number == 10 and self.path == "/short":
                return
            if number == 10 and self.path == "/stall":
                time.sleep(5.0)
                return
            data = cv2.imencode(".jpg", np.full((120, 160, 3), level(number), np.uint8))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            try:
                self.wfile.write(head + data + b"\r\n")
            except OSError:
                return
            time.sleep(0.04)

    def log_message(self, format: str, *args: object) -> None: ...


def serve(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def mjpeg() -> Iterator[str]:
    yield from serve(MjpegHandler)


def test_mjpeg_over_http_is_published_as_jpeg_files(mjpeg: str) -> None:
    source = open_source(settings(f"{mjpeg}/stream"))
    pictures = take(source, 20)
    source.close()
    numbers = [number_of(picture.image_bgr) for picture in pictures]
    assert all(0 < (later - earlier) % 28 < 14 for earlier, later in itertools.pairwise(numbers))
    assert {picture.clock for picture in pictures} == {CaptureClock.ARRIVAL}
    times_ns = [picture.captured_at_ns for picture in pictures]
    assert all(later > earlier for earlier, later in itertools.pairwise(times_ns))
    assert all(picture.image.jpeg() for picture in pictures[1:]), "all but the first are published undecoded"


@pytest.mark.parametrize("path", ["short", "stall"])
def test_mjpeg_that_ends_or_stalls_is_unavailable(mjpeg: str, path: str) -> None:
    source = open_source(settings(f"{mjpeg}/{path}"))
    assert mjpeg in error_of(lambda: read_on(source))
    source.close()


@pytest.fixture
def recordings(tmp_path: Path) -> Iterator[str]:
    make_video(tmp_path / "plain.mp4", 20, container_options={"movflags": "faststart"})
    make_video(tmp_path / "list.m3u8", 40, container_options={"hls_time": "0.4"}, codec_options={"g": "10"})

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...

    yield from serve(lambda *args: Quiet(*args, directory=str(tmp_path)))


@pytest.mark.parametrize(("name", "frames"), [("list.m3u8", 40), ("plain.mp4", 20)])
@pytest.mark.parametrize("delivery", ["live", "lossless"])
def test_recordings_at_an_address_are_complete_and_end(recordings: str, name: str, frames: int, delivery: str) -> None:
    source = open_source(settings(f"{recordings}/{name}", delivery=delivery))
    pictures = list(iter(source.read, None))
    source.close()
    assert [number_of(picture.image_bgr) for picture in pictures] == [number % 28 for number in range(frames)]


def test_a_page_that_is_no_video_raises_one_sentence(recordings: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<html>log in</html>")
    assert "no video" in error_of(lambda: open_source(settings(f"{recordings}/index.html")))
    assert "no such stream" in error_of(lambda: open_source(settings(f"{recordings}/nothing.mp4")))
