"""Recordings in every format that FFmpeg decodes: each frame exactly once, on the time line of the recording."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error

from ingest.sources.base import Admit, CapturedImage, SourcePosition, SourceSpec
from ingest.sources.decoding.decoder import StreamFrame, VideoDecoder
from ingest.sources.decoding.ffmpeg import explain, find_video_stream, nominal_fps
from ingest.sources.decoding.skipping import FrameSkipping
from ingest.sources.file_position import FilePosition, checksum, seek_before
from ingest.sources.timeline import Timeline, TimelinePosition
from posebus.config.local_files import check_readable, local_path
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected
from posebus.messages import CaptureClock

DEFAULT_FPS = 25.0
UNCOUNTED_MARGIN_S = 1.0
TEXT_DEMUXERS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""FFmpeg would draw text files as video of a terminal, which is never wanted."""


class FileSource:
    """A video file, read as fast as its reader asks; `PacedSource` plays it at its own pace.

    `warning` says after the end whether the file was cut off or damaged.
    """

    def __init__(
        self,
        path: Path,
        *,
        live: bool = False,
        loop: bool = False,
        recorded_at_ns: int | None = None,
        max_fps: float | None = None,
    ) -> None:
        """Raises SourceRejected if `path` is missing, unreadable or holds no video.

        No more than `max_fps` pictures a second have to be decoded.
        """
        self.live = live
        self.warning: str | None = None
        self._path = path
        self._loop = loop
        self._skipping = FrameSkipping(max_fps)
        # Which frames a rate cap skips depends on all frames before, and a loop has no single position for a frame.
        self._has_positions = max_fps is None and not loop
        self._last_pts: int | None = None
        self._frames_this_pass = 0
        self._packets_this_pass = 0
        self.lost = 0
        self._cut_reason: str | None = None
        self._presented_end_s = 0.0
        self._frames: Iterator[StreamFrame] = iter(())
        self._container: Any = None
        self._stream: Any = None
        self._open()
        self.fps = nominal_fps(self._stream)
        self._step_ns = round(1e9 / (self.fps or DEFAULT_FPS))
        self.frame_count = None if loop else self._count_by_header()
        self._timeline = Timeline(self._step_ns, recorded_at_ns or 0)

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`. A file without a single frame raises SourceRejected at the first call."""
        while True:
            frame = next(self._frames, None)
            if frame is None:
                self._note_end()
                if not self._loop:
                    return None
                self._rewind()
                continue
            self._frames_this_pass += 1
            captured_at_ns = self._timeline.next(self._presented_ns(frame.pts))
            position = self._position(frame)
            if admit is None or admit(captured_at_ns):
                return CapturedImage(frame.image, captured_at_ns, CaptureClock.FILE, position)

    def resume(self, position: SourcePosition) -> bool:
        """See `Seekable.resume`."""
        wanted = FilePosition.of(position)
        if wanted is None or not self._has_positions:
            return False
        if seek_before(wanted, self._container, self._stream) and self._find(wanted):
            self._frames_this_pass, self.lost, self._last_pts = wanted.pictures, wanted.lost, wanted.pts
            self._timeline.resume(TimelinePosition(last_ns=wanted.last_ns, offset_ns=wanted.offset_ns))
            self._presented_ns(wanted.pts)
            return True
        self._rewind()
        self.lost = 0
        return False

    def close(self) -> None:
        """Close the file; `read` returns None from now on, or raises if it never returned a picture."""
        self._frames = iter(())
        self._container.close()

    def _position(self, frame: StreamFrame) -> SourcePosition:
        """The position of `frame`, which is in the time line already; empty if seeking could miss it."""
        in_order = frame.pts is not None and (self._last_pts is None or frame.pts > self._last_pts)
        self._has_positions = self._has_positions and in_order
        self._last_pts = frame.pts
        in_timeline = self._timeline.position
        if not self._has_positions or frame.pts is None or in_timeline is None:
            return ()
        position = FilePosition(
            pts=frame.pts,
            pictures=self._frames_this_pass,
            lost=self.lost,
            last_ns=in_timeline.last_ns,
            offset_ns=in_timeline.offset_ns,
            checksum=checksum(frame.sample()),
        )
        return tuple(position)

    def _find(self, wanted: FilePosition) -> bool:
        """Decode up to the picture at `wanted`; return whether it is there and unchanged."""
        for frame in self._frames:
            if frame.pts is None or frame.pts > wanted.pts:
                return False
            if frame.pts == wanted.pts:
                return not frame.is_corrupt and checksum(frame.sample()) == wanted.checksum
        return False

    def _open(self) -> None:
        check_readable(self._path)
        try:  # the prefix keeps FFmpeg from reading "a:b.mp4" as an address
            self._container = av.open(f"file:{self._path}", metadata_errors="replace")
        except av.error.FFmpegError as error:
            raise SourceRejected(
                f"{self._path} is not a video that FFmpeg can read, or is cut off before its index: {explain(error)}"
            ) from error
        stream = find_video_stream(self._container)
        if stream is None or self._container.format.name in TEXT_DEMUXERS:
            self._container.close()
            raise SourceRejected(f"{self._path} holds no video that can be decoded")
        self._stream = stream
        self._decoder = VideoDecoder(stream, self._skipping)
        self._frames = self._decode_all()

    def _rewind(self) -> None:
        self._container.close()
        self._frames_this_pass = 0
        self._packets_this_pass = 0
        self._presented_end_s = 0.0
        self._skipping.restart()
        self._timeline.restart()
        self._open()

    def _decode_all(self) -> Iterator[StreamFrame]:
        """Yield all frames in presentation order. One packet is held back: the last one may be cut off."""
        held = None
        for packet in self._packets():
            if held is not None:
                yield from self._decode(held)
            held = packet
        if held is not None:
            if held.is_corrupt:
                self._cut_reason = "the last frame is incomplete"
            else:
                yield from self._decode(held)
        yield from self._decode(None)

    def _packets(self) -> Iterator[Any]:
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    self._packets_this_pass += 1
                    if self._skipping.skips:
                        self._presented_ns(packet.pts)
                    yield packet
        except av.error.FFmpegError as error:
            self._cut_reason = explain(error)

    def _decode(self, packet: Any | None) -> list[StreamFrame]:
        try:
            return self._decoder.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self.lost += 1
            return []

    def _presented_ns(self, pts: int | None) -> int | None:
        if pts is None:
            return None
        presented_ns = int(pts * self._stream.time_base * 1_000_000_000)
        end_s = (presented_ns + self._step_ns) / 1e9
        # Skipped packets count as well, and they come in decoding order.
        self._presented_end_s = max(end_s, self._presented_end_s) if self._skipping.skips else end_s
        return presented_ns

    def _count_by_header(self) -> int | None:
        if self._stream.frames:
            return int(self._stream.frames)
        if self._container.duration and self.fps:
            return round(float(self._container.duration) / 1e6 * self.fps)
        return None

    def _note_end(self) -> None:
        """Raise SourceRejected if no frame came; set `warning` if some are missing."""
        read = self._frames_this_pass
        if read == 0:
            raise SourceRejected(f"{self._path} holds no frame that can be decoded")
        if self._cut_reason or self._ends_early():
            reason = self._cut_reason or "frames that its header promises are missing"
            self.warning = f"{self._path} is cut off: {reason}; {read} frames were read"
        elif self.lost:
            self.warning = f"{self._path} is damaged: {self.lost} packets did not decode; {read} frames read"

    def _ends_early(self) -> bool:
        """Whether frames are missing and the time line is short, too: an edit list alone may hide frames on purpose."""
        promised = self._stream.frames
        # Frames that were skipped on purpose are not missing.
        read = self._packets_this_pass if self._skipping.skips else self._frames_this_pass
        if promised and read >= promised:
            return False
        end_s = promised_end_s(self._container, self._stream)
        # Without a frame count, the last frame may have been shown for a long time.
        margin_s = 1.5 * self._step_ns / 1e9 if promised else UNCOUNTED_MARGIN_S
        return end_s is not None and self._presented_end_s < end_s - margin_s


def promised_end_s(container: Any, stream: Any) -> float | None:
    """Return when the video ends by its headers, in seconds of its time line; None if they do not say."""
    if stream.duration:
        end_s = float((stream.start_time or 0) + stream.duration) * float(stream.time_base)
    elif tag := stream.metadata.get("DURATION"):  # Matroska: hours:minutes:seconds
        parts = tag.split(":")
        if len(parts) != 3 or not all(part.replace(".", "", 1).isdecimal() for part in parts):
            return None
        end_s = int(parts[0]) * 3600 + int(parts[1]) * 60 + float(parts[2])
    elif len(container.streams) == 1:
        end_s = math.inf
    else:
        return None  # the container's duration is that of its longest stream, which may be the sound
    if container.duration:
        end_s = min(end_s, ((container.start_time or 0) + container.duration) / 1e6)
    return end_s if math.isfinite(end_s) else None


def open_file(settings: CameraSettings, *, live: bool) -> FileSource:
    """Open the video file that `settings.source` names."""
    path = local_path(settings.source)
    return FileSource(
        path, live=live, loop=settings.loop, recorded_at_ns=settings.recorded_at_ns, max_fps=settings.max_fps
    )


def check_file(settings: CameraSettings) -> None:
    """Raise SourceRejected if there is no such file; a pipe is not opened, because its writer would notice."""
    path = Path(settings.source.removeprefix("file://"))
    if not path.is_fifo():
        check_readable(path)


SPEC = SourceSpec(kind="file", recognises=lambda source: True, open=open_file, recorded=True, check=check_file)
"""A file is what no other kind recognises."""
