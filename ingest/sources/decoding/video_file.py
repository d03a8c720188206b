"""One reading of a video file: its pictures in the order in which they are shown, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av.error

from ingest.sources.decoding.decoder import StreamFrame, VideoDecoder
from ingest.sources.decoding.defects import Defects, ends_early, promised_end_s
from ingest.sources.decoding.ffmpeg import explain, find_video_stream, nominal_fps
from ingest.sources.decoding.opening import LinkedFiles, open_container
from ingest.sources.decoding.parts import FORMAT, PartFinder, first_part, packets_of
from ingest.sources.decoding.pixels import MAX_PIXELS, MAX_SIDE_PX
from ingest.sources.decoding.skipping import FrameSkipping
from posebus.errors import SourceRejected

DEFAULT_FPS = 25.0
LEAST_FRAME_BYTES = 188
"""A picture takes at least one packet of a transport stream."""


class VideoFile:
    """An open video file. `frames` yields its pictures; what is wrong is counted in `defects` meanwhile."""

    def __init__(self, path: Path, skipping: FrameSkipping, *, any_files: bool) -> None:
        """Raises SourceRejected if FFmpeg cannot read `path` or it holds no video; see `open_container`."""
        self.defects = Defects(str(path))
        self._skipping = skipping
        self._packets_read = 0
        self._presented_end_s = 0.0
        self._linked = LinkedFiles(path, any_files=any_files)
        self.container = open_container(path, self._linked)
        try:
            stream = find_video_stream(self.container)
            if stream is None:
                raise SourceRejected(f"{path} holds no video that can be decoded")
            self.container, stream = first_part(path, self.container, stream)
            context = stream.codec_context
            self.size_px: tuple[int, int] = (context.width, context.height)
            check_size(path, self.size_px)
        except SourceRejected:
            self.container.close()
            raise
        self.stream: Any = stream
        self.fps = nominal_fps(stream)
        self.step_ns = round(1e9 / (self.fps or DEFAULT_FPS))
        # AVI stores no presentation times: those of reordered pictures are guesses, of decoding order they are right.
        self._guesses_pts = self.container.format.name == "avi" and bool(context.has_b_frames)
        self._decoder = VideoDecoder(self.stream, skipping)
        self._parts = PartFinder(path, self.container, stream)
        self.seekable = True
        """Whether the pictures so far can be found again by seeking."""
        self.frames: Iterator[StreamFrame] = self._decode_all()

    def close(self) -> None:
        """Close the file; `frames` ends."""
        self.frames = iter(())
        self.container.close()

    def __del__(self) -> None:
        # PyAV corrupts memory if it frees a container with files of its own that was not closed.
        if hasattr(self, "container"):
            self.container.close()

    def in_ns(self, time: int | None) -> int | None:
        """Return a time of the stream in ns."""
        return None if time is None else int(time * self.stream.time_base * 1_000_000_000)

    def count_by_header(self) -> int | None:
        """Return the number of frames by the header, or by its duration and rate; None if it says neither.

        A duration across a jump of the time stamps says nothing: the file would be too small for so many frames.
        """
        if self.stream.frames:
            return int(self.stream.frames)
        if not self.container.duration or not self.fps:
            return None
        count = round(float(self.container.duration) / 1e6 * self.fps)
        if self.container.format.name == FORMAT and count * LEAST_FRAME_BYTES > self.container.size:
            return None
        return count

    def times_ns(self, frame: StreamFrame) -> tuple[int | None, int | None]:
        """Note that `frame` was read, and return its times (ns) by presentation and by decoding order."""
        presented_ns = self.presented(frame.pts)
        return None if self._guesses_pts else presented_ns, self.in_ns(frame.dts)

    def presented(self, pts: int | None) -> int | None:
        """Note that the picture at `pts` was read, and return its presentation time in ns."""
        presented_ns = self.in_ns(pts)
        if presented_ns is None:
            return None
        end_s = (presented_ns + self.step_ns) / 1e9
        # Skipped packets count as well, and they come in decoding order.
        self._presented_end_s = max(end_s, self._presented_end_s) if self._skipping.skips else end_s
        return presented_ns

    def note_end(self, frames_read: int) -> None:
        """Complete `defects` after the last picture; `frames_read` is the number of pictures."""
        if not self.defects.cut_reason and self._ends_early(frames_read):
            self.defects.cut_reason = "frames that its header promises are missing"
        self.defects.missing_files = len(self._linked.missing)
        self.defects.odd_degrees = self._decoder.odd_degrees

    def _decode_all(self) -> Iterator[StreamFrame]:
        """Yield all frames in presentation order."""
        yield from self._decode_part()
        while (part := self._parts.next_part()) is not None:
            self._go_on(*part)
            yield from self._decode_part()

    def _go_on(self, container: Any, stream: Any) -> None:
        self.container.close()
        self.container, self.stream = container, stream
        self._decoder = VideoDecoder(stream, self._skipping)
        self.seekable = False

    def _decode_part(self) -> Iterator[StreamFrame]:
        """Yield the frames of one stream. One packet is held back: the last one may be cut off."""
        held = None
        for packet in self._packets():
            if held is not None:
                yield from self._decode(held)
            held = packet
            if (part := self._parts.changed_part()) is not None:
                yield from self._decode(None)
                self._go_on(*part)
                yield from self._decode_part()
                return
        if held is not None:
            # After losses in the middle, the last packet is one more of them.
            if held.is_corrupt and self.defects.corrupt == 1:
                self.defects.cut_reason = "the last frame is incomplete"
            else:
                yield from self._decode(held)
        yield from self._decode(None)

    def _packets(self) -> Iterator[Any]:
        try:
            for packet in packets_of(self.container):
                if packet.size and self._parts.is_own(packet):
                    self._packets_read += 1
                    self.defects.corrupt += packet.is_corrupt
                    if self._skipping.skips:
                        self.presented(packet.pts)
                    yield packet
        except av.error.FFmpegError as error:
            self.defects.cut_reason = explain(error)

    def _decode(self, packet: Any | None) -> list[StreamFrame]:
        try:
            frames = self._decoder.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self.defects.undecodable += 1
            self._note_decoded(packet, 0, failed=True)
            return []
        self._note_decoded(packet, len(frames), failed=False)
        return frames

    def _note_decoded(self, packet: Any | None, frames: int, *, failed: bool) -> None:
        if not self._skipping.skips:  # a decoder that skips gives no picture for most packets
            self._parts.decoded(packet, frames, failed=failed)

    def _ends_early(self, frames_read: int) -> bool:
        """Whether frames are missing and the time line is short, too: an edit list alone may hide frames on purpose."""
        promised = self.stream.frames
        # Frames that were skipped on purpose are not missing.
        read = self._packets_read if self._skipping.skips else frames_read
        if promised and read >= promised:
            return False
        end_s = promised_end_s(self.container, self.stream)
        return ends_early(self._presented_end_s, end_s, self.step_ns / 1e9, counted=bool(promised))


def check_size(path: Path, size_px: tuple[int, int]) -> None:
    """Raise SourceRejected for a video whose pictures are too large to be decoded or published."""
    width_px, height_px = size_px
    if width_px * height_px > MAX_PIXELS or max(size_px) > MAX_SIDE_PX:
        raise SourceRejected(
            f"{path} has pictures of {width_px}x{height_px} pixels, more than {MAX_PIXELS // 10**6} megapixels or "
            f"{MAX_SIDE_PX} pixels a side; reduce it first (ffmpeg -i IN -vf scale=1920:-2 OUT)"
        )
