"""Cameras and streams at an address: RTSP, MJPEG over HTTP, HLS, and all other protocols of FFmpeg.

Timeouts are enforced twice: by PyAV's interrupt callback, which FFmpeg polls in all its waits, and by the protocol's
own socket timeout. No picture is black, grey or repeated: decoding starts at a key frame and, after
damage, at the next one. A stream that is decoded too slowly skips ahead to a key frame, so that its lag stays bounded.

FFmpeg's errors quote the address, which may hold a password, so they are not chained to ours.
"""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import av.error
from av.codec.context import Flags

from ingest.sources.base import Admit, CapturedImage, SourceSpec
from ingest.sources.clocks import ArrivalClock, CaptureTimes
from ingest.sources.connecting import NoVideo, connect, describe, read_timeout_s, unknown_scheme
from ingest.sources.containers import BURSTY_FORMATS, is_finite, may_be_picture
from ingest.sources.decoding.decoder import StreamFrame, VideoDecoder
from ingest.sources.decoding.ffmpeg import find_video_stream, nominal_fps
from ingest.sources.decoding.hardware import choose_hardware, open_hardware, usable_hardware
from ingest.sources.decoding.keyframes import KeyframeFilter, LagMeter
from ingest.sources.decoding.pixels import MAX_PIXELS
from ingest.sources.decoding.skipping import FrameSkipping
from ingest.sources.pacing import RealtimePacer
from ingest.sources.snapshots.source import SnapshotSource, open_snapshot
from posebus.config.redaction import redact_url
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected, SourceUnavailable

KEYFRAME_WAIT_FACTOR = 4.0
"""The first key frame may take this many read timeouts; no other wait for a picture may exceed one."""
PACE_JUMP_S = 10.0
SCHEMES_WITH_HOST = frozenset({"rtsp", "rtsps", "http", "https", "rtmp", "rtmps"})
OTHER_SCHEMES = frozenset({"udp", "rtp", "tcp", "srt", "pipe", "fd", "data", "concat", "concatf", "subfile", "cache"})
"""Further schemes that FFmpeg has. Opening them in order to ask would start to read, or to listen."""
UNTIMED_FORMATS = frozenset({"mpjpeg", "mjpeg"})
"""Formats without time stamps: FFmpeg numbers their pictures at 25 a second, which is not their rate."""
MAX_PACKET_BYTES = 64_000_000
"""A larger packet is no encoded picture. Until it is complete, read_timeout_s limits what can arrive."""


class NetworkSource:
    """One connection to a camera. After SourceUnavailable, close it and open another."""

    frame_count: int | None = None
    warning: str | None = None

    def __init__(self, settings: CameraSettings, *, live: bool = True) -> None:
        """Connect. Raises SourceUnavailable, or SourceRejected for an address that FFmpeg can never open."""
        self.live = live
        self.lost = 0
        self._shown = redact_url(settings.source)
        self._read_timeout_s = read_timeout_s(settings)
        # Recordings at an address have to give the same pictures every time, so they are decoded in software.
        hardware = open_hardware(settings.hardware_decoding) if live else None
        self._container = connect(settings, self._read_timeout_s, hardware)
        stream = find_video_stream(self._container)
        if stream is None:
            self._container.close()
            raise NoVideo(f"{self._shown} answers but sends no video that can be decoded")
        try:
            check_size(stream.codec_context, self._shown)
        except SourceUnavailable:
            self._container.close()
            raise
        self._stream = stream
        self._stream.codec_context.flags |= Flags.copy_opaque
        self.may_be_picture = may_be_picture(self._container)
        name = self._container.format.name
        self.fps = None if name in UNTIMED_FORMATS else nominal_fps(stream)
        finite = is_finite(self._container)
        self._ends = finite or not live
        self._pacer = RealtimePacer(PACE_JUMP_S) if live and (finite or name in BURSTY_FORMATS) else None
        self._lag = None if self._pacer or not live or name in UNTIMED_FORMATS else LagMeter()
        self._keyframes = KeyframeFilter()
        # A longer gap between two pictures would look like a camera that went silent.
        self._decoder = VideoDecoder(stream, FrameSkipping(settings.max_fps, self._read_timeout_s / 2))
        self._clock = ArrivalClock(time.time_ns(), time.monotonic_ns())
        self._times = CaptureTimes()
        self._last_picture_s = time.monotonic()
        self._frames = self._decode_all()

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`. Only a recording at an address ends regularly; a stream is asked for again."""
        for frame in self._frames:
            self._wait_until_due(frame)
            self._last_picture_s = time.monotonic()
            stamp = self._times.stamp(self._clock.at(time.monotonic_ns()), frame.opaque)
            if stamp is None:
                self.lost += 1
                continue
            captured_at_ns, clock = stamp
            if admit is None or admit(captured_at_ns):
                return CapturedImage(frame.image, captured_at_ns, clock)
        if self._ends:
            return None
        raise SourceUnavailable(f"{self._shown} closed the stream")

    def close(self) -> None:
        """Hang up."""
        self._frames = iter(())
        self._container.close()

    def _decode_all(self) -> Iterator[StreamFrame]:
        for packet in self._packets():
            self._check_silence()
            if not packet.size:
                continue
            if self.live and not self._keyframes.passes(is_key=packet.is_keyframe, lag_s=self._lag_s(packet)):
                self.lost += 0 if self._keyframes.starting else 1
                continue
            packet.opaque = camera_time_ns(packet)
            yield from self._decode(packet)
        yield from self._decode(None)

    def _packets(self) -> Iterator[Any]:
        """Yield video packets. All streams are read: sound alone must not look like a camera that works."""
        try:
            for packet in self._container.demux():
                self._check_silence()
                if packet.size > MAX_PACKET_BYTES:
                    raise SourceUnavailable(f"{self._shown} sends packets of more than {MAX_PACKET_BYTES // 10**6} MB")
                if packet.stream_index == self._stream.index:
                    yield packet
        except av.error.FFmpegError as error:
            raise SourceUnavailable(f"{self._shown} {describe(error, self._read_timeout_s)}") from None

    def _decode(self, packet: Any | None) -> Iterator[StreamFrame]:
        try:
            frames = self._decoder.decode(packet)
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            self.lost += 1
            self._keyframes.block()
            return
        for frame in frames:
            if frame.is_corrupt:
                self.lost += 1
                self._keyframes.block()
            else:
                yield frame

    def _lag_s(self, packet: Any) -> float:
        if self._lag is None or packet.pts is None:
            return 0.0
        return self._lag.lag_s(float(packet.pts * self._stream.time_base), time.monotonic())

    def _wait_until_due(self, frame: StreamFrame) -> None:
        if self._pacer is None or frame.pts is None:
            return
        presented_ns = round(frame.pts * self._stream.time_base * 1_000_000_000)
        time.sleep(self._pacer.wait_s(presented_ns, time.monotonic()))

    def _check_silence(self) -> None:
        """Raise SourceUnavailable if packets come but no picture does: sound, garbage, or no key frame."""
        limit_s = self._read_timeout_s * (KEYFRAME_WAIT_FACTOR if self._keyframes.starting else 1.0)
        if self.live and time.monotonic() - self._last_picture_s > limit_s:
            raise SourceUnavailable(f"{self._shown} sent no usable picture for {limit_s:g} s")


def check_size(codec_context: Any, shown: str) -> None:
    """Raise SourceUnavailable for a stream whose pictures are above the limit: the decoder would refuse each."""
    width_px, height_px = codec_context.width, codec_context.height
    if width_px * height_px > MAX_PIXELS:
        raise SourceUnavailable(
            f"{shown} sends pictures of {width_px}x{height_px}, above the limit of {MAX_PIXELS} pixels; let the camera "
            "send smaller ones"
        )


def camera_time_ns(packet: Any) -> int | None:
    """Return the camera's wall clock (Unix ns) at this packet by the last RTCP sender report; None before the first.

    FFmpeg attaches it as a producer reference time: int64 microseconds, then flags. Unlike `start_time_realtime`, it
    follows every report, so the drift between the camera's two clocks does not add up over days.
    """
    if not packet.has_sidedata("prft"):
        return None
    (wall_us,) = struct.unpack_from("=q", bytes(packet.get_sidedata("prft")))
    return int(wall_us) * 1000


def open_network(settings: CameraSettings, *, live: bool) -> NetworkSource | SnapshotSource:
    """Connect to the address in `settings.source`. One that sends single pictures is asked for them at a rate."""
    over_http = urlsplit(settings.source).scheme.lower() in {"http", "https"}
    try:
        source = NetworkSource(settings, live=live)
    except NoVideo:
        snapshot = open_snapshot(settings, live=live) if over_http else None
        if snapshot is None:
            raise
        return snapshot
    if over_http and source.may_be_picture:
        try:
            snapshot = open_snapshot(settings, live=live)
        except SourceUnavailable:
            source.close()
            raise
        if snapshot is not None and not snapshot.is_animation:
            source.close()
            return snapshot
    return source


def _is_address(source: str) -> bool:
    return bool(re.match(r"[a-z][a-z0-9+.-]*://", source, re.I)) and not source.lower().startswith("file://")


def check_network(settings: CameraSettings) -> None:
    """Raise SourceRejected for an address whose scheme FFmpeg does not know, or that names no host. Asks no network.

    Likewise for a graphics card that is not there.
    """
    if settings.hardware_decoding not in ("off", "auto"):
        choose_hardware(settings.hardware_decoding, usable_hardware(Path("/dev")))
    shown = redact_url(settings.source)
    scheme = settings.source.partition(":")[0].lower()
    if scheme in SCHEMES_WITH_HOST:
        try:
            parts = urlsplit(settings.source)
            host, _ = parts.hostname, parts.port
        except ValueError:
            # The error quotes what stands in the place of the port, which may be a password.
            raise SourceRejected(
                # Without the signs themselves: what follows an address up to an at sign is hidden as its password.
                f"the address {shown} cannot be used: it has no valid host and port; in a password, write the number "
                "sign as %23, the slash as %2F, the question mark as %3F and the at sign as %40"
            ) from None
        if not host:
            raise SourceRejected(f"the address {shown} names no host, which belongs behind the two slashes")
    elif scheme not in OTHER_SCHEMES:
        try:
            av.open(f"{scheme}://").close()
        except av.error.ProtocolNotFoundError:
            raise SourceRejected(unknown_scheme(shown)) from None
        except (av.error.FFmpegError, ValueError):
            pass  # FFmpeg knows it, and misses the rest of the address


SPEC = SourceSpec(kind="network", recognises=_is_address, open=open_network, check=check_network)
