"""Streams over HTTP that end, whatever their container, and addresses that send one picture for each request."""

from __future__ import annotations

import hashlib
import io
import itertools
import re
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import parse_keqv_list

import numpy as np
import pytest
from PIL import Image

from ingest.capture import CaptureStage
from ingest.process import build_capture
from ingest.sources import Source, open_source
from posebus.bus.redis.connection import open_broker
from posebus.config.settings import CameraSettings
from posebus.contract.codec import decode_frame
from posebus.errors import LoginRefused, SourceUnavailable
from posebus.messages import Frame
from posebus.runtime.embedded import EmbeddedBroker
from tests.integration.made_videos import level, make_video, number_of
from tests.polling import wait_until

Respond = Callable[[BaseHTTPRequestHandler], None]
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
CONTAINERS = {"mp4": FRAGMENTED, "flv": {}, "ts": {}, "mkv": {}}
FRAMES = 20
LOGIN = ("admin", "p@ss:w/ord")
IN_ADDRESS = "admin:p%40ss%3Aw%2Ford@"


class Camera:
    """A server on loopback; `respond` answers each GET, and `requests` are the headers of all."""

    def __init__(self) -> None:
        self.respond: Respond = lambda handler: None
        self.requests: list[dict[str, str]] = []
        camera = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                camera.requests.append(dict(self.headers.items()))
                self.close_connection = True
                camera.respond(self)

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/cgi/snapshot"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def camera() -> Iterator[Camera]:
    made = Camera()
    yield made
    made.close()


def settings(url: str, **values: object) -> CameraSettings:
    return CameraSettings(source=url, **{"open_timeout_s": 3.0, "read_timeout_s": 1.0, "max_fps": 50.0, **values})


def send(handler: BaseHTTPRequestHandler, body: bytes, kind: str = "image/jpeg", **headers: str) -> None:
    handler.send_response(200)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def send_chunked(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")


def picture(number: int, kind: str = "JPEG", size_px: tuple[int, int] = (160, 120), **options: object) -> bytes:
    """A grey picture that shows `number`, made by Pillow."""
    out = io.BytesIO()
    grey = np.full((size_px[1], size_px[0], 3), level(number), np.uint8)
    Image.fromarray(grey).save(out, kind, **options)
    return out.getvalue()


def numbers(source: Source, count: int) -> list[int]:
    found = list(itertools.islice(iter(source.read, None), count))
    times_ns = [one.captured_at_ns for one in found]
    assert times_ns == sorted(set(times_ns))
    return [number_of(one.image_bgr) for one in found]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("ends", [False, True])
def test_stream_of_unknown_length_is_asked_for_again_and_a_file_ends(
    camera: Camera, tmp_path: Path, container: str, ends: bool
) -> None:
    path = make_video(tmp_path / f"a.{container}", FRAMES, container_options=CONTAINERS[container])
    body = path.read_bytes()
    camera.respond = lambda handler: send(handler, body, "video/x") if ends else send_chunked(handler, body)
    source = open_source(settings(camera.url, max_fps=None))
    assert numbers(source, FRAMES) == [number % 28 for number in range(FRAMES)]
    if ends:
        assert source.read() is None
    else:
        with pytest.raises(SourceUnavailable, match="closed the stream"):
            source.read()
    source.close()


def test_recording_of_unknown_length_ends(camera: Camera, tmp_path: Path) -> None:
    body = make_video(tmp_path / "a.ts", FRAMES).read_bytes()
    camera.respond = lambda handler: send_chunked(handler, body)
    source = open_source(settings(camera.url, delivery="lossless", max_fps=None))
    assert numbers(source, FRAMES + 1) == [number % 28 for number in range(FRAMES)]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "AVIF"])
@pytest.mark.parametrize("content_type", ["image/x", "application/octet-stream"])
def test_single_pictures_are_asked_for_again_and_again(camera: Camera, kind: str, content_type: str) -> None:
    shown = itertools.count()
    camera.respond = lambda handler: send(handler, picture(next(shown), kind), content_type)
    source = open_source(settings(camera.url))
    found = numbers(source, 5)
    source.close()
    # The address was asked before, to see what it sends.
    assert found == list(range(found[0], found[0] + 5))
    assert found[0] > 0
    assert source.live


def test_without_a_rate_it_is_one_picture_a_second_and_as_a_recording_one_alone(camera: Camera) -> None:
    camera.respond = lambda handler: send(handler, picture(7))
    assert open_source(settings(camera.url, max_fps=None)).fps == 1.0
    source = open_source(settings(camera.url, delivery="lossless"))
    assert numbers(source, 5) == [7]
    assert source.frame_count == 1


def test_pictures_are_upright_and_jpeg_files_pass_undecoded(camera: Camera) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    shown = [picture(1), picture(2, exif=turned)]
    camera.respond = lambda handler: send(handler, shown[0])
    source = open_source(settings(camera.url))
    first = source.read()
    assert first is not None
    assert first.image.jpeg() == shown[0]
    camera.respond = lambda handler: send(handler, shown[1])
    second = source.read()
    assert second is not None
    assert second.image.size_px == (120, 160)
    assert second.image.jpeg() is None


def test_unchanged_picture_is_not_sent_again(camera: Camera) -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers["If-None-Match"] == '"3"':
            handler.send_response(304)
            handler.end_headers()
        else:
            send(handler, picture(3), ETag='"3"')

    camera.respond = respond
    assert numbers(open_source(settings(camera.url)), 4) == [3] * 4
    assert [headers.get("If-None-Match") for headers in camera.requests[-3:]] == ['"3"'] * 3


def wants_basic(handler: BaseHTTPRequestHandler) -> bool:
    expected = "Basic " + b64encode(":".join(LOGIN).encode()).decode()
    return handler.headers["Authorization"] == expected


def wants_digest(handler: BaseHTTPRequestHandler) -> bool:
    """By RFC 7616, computed here."""
    scheme, _, text = (handler.headers["Authorization"] or "").partition(" ")
    if scheme != "Digest":
        return False
    given = parse_keqv_list(re.split(r",\s*", text))

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode()).hexdigest()

    secret, asked = md5(LOGIN[0], "camera", LOGIN[1]), md5("GET", handler.path)
    return given["response"] == md5(secret, "n1", given["nc"], given["cnonce"], "auth", asked)


CHALLENGES = {
    "basic": (['Basic realm="camera"'], wants_basic),
    "digest": (['Digest realm="camera", nonce="n1", qop="auth", algorithm=MD5'], wants_digest),
    "both": (
        ['Digest realm="camera", nonce="n1", qop="auth"', 'Basic realm="camera"'],
        lambda handler: wants_basic(handler) or wants_digest(handler),
    ),
}


@pytest.mark.parametrize("kind", CHALLENGES)
def test_login_is_shown_when_the_camera_asks_and_a_wrong_one_is_told(camera: Camera, kind: str) -> None:
    challenges, accepts = CHALLENGES[kind]
    locked = False

    def respond(handler: BaseHTTPRequestHandler) -> None:
        if not locked and accepts(handler):
            send(handler, picture(5))
            return
        handler.send_response(401)
        for challenge in challenges:
            handler.send_header("WWW-Authenticate", challenge)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    camera.respond = respond
    source = open_source(settings(camera.url.replace("//", f"//{IN_ADDRESS}")))
    assert numbers(source, 2) == [5, 5]
    asked, locked = len(camera.requests), True
    with pytest.raises(LoginRefused):
        source.read()
    shown = [headers for headers in camera.requests[asked:] if "Authorization" in headers]
    assert len(shown) == 1, "cameras lock an account after a few attempts"
    locked = False
    for login in ("", "admin:wrong@"):
        with pytest.raises(LoginRefused, match="put the right user and password") as caught:
            open_source(settings(camera.url.replace("//", f"//{login}")))
        assert "wrong" not in str(caught.value)


def html(handler: BaseHTTPRequestHandler) -> None:
    send(handler, b"<html>log in</html>", "text/html")


def test_redirection_is_followed_with_the_login(camera: Camera) -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        if handler.path != "/moved/here":
            handler.send_response(302)
            handler.send_header("Location", "/moved/here")
        elif wants_basic(handler):
            send(handler, picture(4))
            return
        else:
            handler.send_response(401)
            handler.send_header("WWW-Authenticate", 'Basic realm="camera"')
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    camera.respond = respond
    assert numbers(open_source(settings(camera.url.replace("//", f"//{IN_ADDRESS}"))), 2) == [4, 4]


def refuse(code: int) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return respond


def break_off(handler: BaseHTTPRequestHandler) -> None:
    send(handler, picture(1)[:-50], **{"Content-Length": str(len(picture(1)))})


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    send(handler, picture(1)[:-50])


@pytest.mark.parametrize(
    ("respond", "sentence"),
    [
        (refuse(404), "no such picture; check the path"),
        (refuse(503), "answers with the error 503"),
        (refuse(401), "refuses the login"),
        (html, "sends something that is no picture"),
        (break_off, "broke off in the middle"),
        (cut_off, "pictures of no use: it cannot be decoded, or is cut off"),
        (lambda handler: time.sleep(4), "did not answer within 1 s"),
    ],
)
def test_camera_that_sends_no_picture_any_more_is_unavailable(camera: Camera, respond: Respond, sentence: str) -> None:
    camera.respond = lambda handler: send(handler, picture(1))
    source = open_source(settings(camera.url.replace("//", "//u:hunter2@"), open_timeout_s=1.0))
    assert numbers(source, 2) == [1, 1]
    camera.respond = respond
    with pytest.raises(SourceUnavailable, match=sentence) as caught:
        source.read()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_one_damaged_picture_is_counted_and_the_next_one_taken(camera: Camera) -> None:
    camera.respond = lambda handler: send(handler, picture(1))
    source = open_source(settings(camera.url))
    assert numbers(source, 1) == [1]
    bodies = iter([picture(2)[:-50], picture(3)])
    camera.respond = lambda handler: send(handler, next(bodies))
    assert numbers(source, 1) == [3]
    assert source.lost == 1


def test_stream_of_jpeg_files_is_no_single_picture(camera: Camera) -> None:
    camera.respond = lambda handler: send(handler, b"".join(map(picture, range(6))), "video/x-motion-jpeg")
    assert numbers(open_source(settings(camera.url, max_fps=None)), 9) == list(range(6))
    assert len(camera.requests) == 2


def test_animation_is_played_and_ends(camera: Camera) -> None:
    first, *others = [Image.open(io.BytesIO(picture(number, "PNG"))) for number in (1, 9, 17)]
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=others, duration=100)
    camera.respond = lambda handler: send(handler, out.getvalue(), "image/gif")
    source = open_source(settings(camera.url, delivery="lossless", max_fps=None))
    assert [abs(shown - number) <= 1 for shown, number in zip(numbers(source, 9), (1, 9, 17), strict=True)] == [
        True
    ] * 3


def test_slow_polling_is_no_outage_and_a_failure_is_announced_once(camera: Camera) -> None:
    camera.respond = lambda handler: send(handler, picture(1))
    with EmbeddedBroker() as url:
        broker = open_broker(url)
        chosen = settings(camera.url, max_fps=3.0, read_timeout_s=0.25, reconnect_min_s=0.01, reconnect_max_s=0.05)
        stage = build_capture("door", chosen, broker, events_kept=100)

        def kinds() -> list[str]:
            events = broker.client.xrange(broker.topology.events(0))
            return [fields[b"type"].decode().removeprefix("posebus.camera.") for _, fields in events]

        def step_until(condition: Callable[[], object], what: str) -> None:
            wait_until(condition, what, meanwhile=lambda: step(stage), poll_s=0.0)

        step_until(lambda: broker.client.xlen(broker.topology.frames("door")) >= 4, "four frames")
        assert kinds() == ["online"]
        camera.respond = refuse(404)
        step_until(lambda: "offline" in kinds(), "offline")
        camera.respond = lambda handler: send(handler, picture(1))
        step_until(lambda: kinds() == ["online", "offline", "online"], "online again")
        frames = [decode_frame(fields) for _, fields in broker.client.xrange(broker.topology.frames("door"))]
        stage.close()
    assert all(isinstance(frame, Frame) and frame.data == picture(1) for frame in frames)


def step(stage: CaptureStage) -> None:
    stage.step(time.monotonic())
