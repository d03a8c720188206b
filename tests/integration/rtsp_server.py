"""A small RTSP server for tests: H.264 over interleaved TCP (RFC 2326, RFC 6184), with RTCP sender reports on demand.

It plays numbered frames: the grey level of frame n is `16 + 8 * (n % 25)`, so a test can tell a repeated or black
frame; or the pictures that `draw` returns. It can stall, refuse, send garbage, change the picture's size and have wrong
clocks.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import numpy as np

from tests.ports import free_port

RTP_CLOCK_HZ = 90_000
LEVELS = 25
NTP_OFFSET_S = 2_208_988_800
MAX_PAYLOAD = 1200
SSRC = 0x1234ABCD


Draw = Callable[[int, tuple[int, int]], np.ndarray]
"""Returns the picture of a number and a (width, height), as rows of BGR."""


def grey(number: int, size_px: tuple[int, int]) -> np.ndarray:
    """A picture of one grey level, which its number determines."""
    return np.full((size_px[1], size_px[0], 3), 16 + 8 * (number % LEVELS), np.uint8)


def encoded_frames(fps: int, width: int, height: int, gop: int = 10, draw: Draw = grey) -> Iterator[list[bytes]]:
    """NAL units of frame after frame, without end."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.framerate = fps
    codec.time_base = Fraction(1, fps)
    codec.gop_size = gop
    codec.options = {"tune": "zerolatency", "preset": "ultrafast", "x264-params": "annexb=1:repeat-headers=1"}
    number = 0
    while True:
        frame = av.VideoFrame.from_ndarray(draw(number, (width, height)), format="bgr24")
        frame.pts = number
        for packet in codec.encode(frame):
            yield split_nal_units(bytes(packet))
        number += 1


def split_nal_units(annexb: bytes) -> list[bytes]:
    """The NAL units between start codes."""
    return [unit.rstrip(b"\0") for unit in annexb.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]


def rtp_payloads(units: list[bytes]) -> list[bytes]:
    """Single NAL unit packets, and FU-A fragments of long ones (RFC 6184, 5.8)."""
    payloads = []
    for unit in units:
        if len(unit) <= MAX_PAYLOAD:
            payloads.append(unit)
            continue
        indicator, kind, body = (unit[0] & 0xE0) | 28, unit[0] & 0x1F, unit[1:]
        chunks = [body[start : start + MAX_PAYLOAD] for start in range(0, len(body), MAX_PAYLOAD)]
        for index, chunk in enumerate(chunks):
            flags = (0x80 if index == 0 else 0) | (0x40 if index == len(chunks) - 1 else 0)
            payloads.append(bytes([indicator, flags | kind]) + chunk)
    return payloads


class RtspServer:
    """Serves `rtsp://127.0.0.1:PORT/live` from threads; attributes may be changed while it runs."""

    def __init__(
        self,
        *,
        fps: int = 25,
        size_px: tuple[int, int] = (160, 120),
        gop: int = 10,
        port: int | None = None,
        draw: Draw = grey,
    ) -> None:
        self.draw = draw
        self.fps = fps
        self.size_px = size_px
        self.gop = gop
        self.sender_report_offset_s: float | None = None
        self.report_clock_stands = False
        self.rtp_start = 123_456
        self.rtp_jump_s = 0.0
        self.skipped_frames = 0
        self.stalled = False
        self.garbage = False
        self.status = 200
        self.connections = 0
        self._stopping = threading.Event()
        self._clients: set[socket.socket] = set()
        self.port = port or free_port()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def close(self) -> None:
        """Stop listening and cut every connection."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut the open connections, and continue to listen."""
        for client in list(self._clients):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._clients.add(client)
        try:
            with client, client.makefile("rb") as requests:
                while self._answer(client, requests):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            self._clients.discard(client)

    def _answer(self, client: socket.socket, requests: object) -> bool:
        first = requests.readline().decode("ascii", "replace")
        while first.startswith("$"):  # receiver reports come interleaved
            return False
        if not first.strip():
            return False
        headers = {}
        while line := requests.readline().decode("ascii", "replace").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        method = first.split()[0]
        extra, body = {}, ""
        if method == "OPTIONS":
            extra["Public"] = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"
        elif method == "DESCRIBE":
            extra["Content-Type"] = "application/sdp"
            body = (
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                f"a=rtpmap:96 H264/{RTP_CLOCK_HZ}\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
            )
        elif method == "SETUP":
            extra["Transport"] = "RTP/AVP/TCP;unicast;interleaved=0-1"
        extra |= {"CSeq": headers.get("cseq", "0"), "Session": "1", "Content-Length": str(len(body))}
        status = self.status if method == "DESCRIBE" else 200
        lines = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
        client.sendall(f"RTSP/1.0 {status} {'OK' if status == 200 else 'No'}\r\n{lines}\r\n{body}".encode())
        if method == "PLAY":
            self._stream(client)
            return False
        return method != "TEARDOWN"

    def _stream(self, client: socket.socket) -> None:
        sequence, began_s = 7, time.time()
        frames = itertools.islice(
            encoded_frames(self.fps, *self.size_px, self.gop, self.draw), self.skipped_frames, None
        )
        size_px = self.size_px
        for number in range(1_000_000):
            if self._stopping.is_set():
                return
            while self.stalled and not self._stopping.is_set():
                time.sleep(0.02)
            if size_px != self.size_px:
                size_px = self.size_px
                frames = encoded_frames(self.fps, *size_px, self.gop, self.draw)
            ticks = number * RTP_CLOCK_HZ // self.fps + round(self.rtp_jump_s * RTP_CLOCK_HZ)
            rtp_time = (self.rtp_start + ticks) & 0xFFFFFFFF
            if self.sender_report_offset_s is not None and number % self.fps == 0:
                wall_s = began_s + (0.0 if self.report_clock_stands else number / self.fps)
                client.sendall(interleaved(1, self._sender_report(wall_s, rtp_time)))
            payloads = rtp_payloads(next(frames))
            for index, payload in enumerate(payloads):
                if self.garbage:
                    payload = bytes(byte ^ 0x5A for byte in payload)
                marker = 0x80 if index == len(payloads) - 1 else 0
                header = struct.pack(">BBHII", 0x80, marker | 96, sequence & 0xFFFF, rtp_time, SSRC)
                client.sendall(interleaved(0, header + payload))
                sequence += 1
            time.sleep(max(0.0, began_s + (number + 1) / self.fps - time.time()))

    def _sender_report(self, wall_s: float, rtp_time: int) -> bytes:
        ntp_s = wall_s + (self.sender_report_offset_s or 0.0) + NTP_OFFSET_S
        fraction = int(ntp_s % 1 * 2**32)
        return struct.pack(">BBHIIIIII", 0x80, 200, 6, SSRC, int(ntp_s), fraction, rtp_time, 0, 0)


def interleaved(channel: int, data: bytes) -> bytes:
    """RFC 2326, 10.12."""
    return b"$" + struct.pack(">BH", channel, len(data)) + data
