"""Recordings in every format that FFmpeg decodes: each frame exactly once, on the time line of the recording."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import NamedTuple

from ingest.sources.base import Admit, CapturedImage, SourcePosition, SourceSpec
from ingest.sources.decoding.decoder import StreamFrame
from ingest.sources.decoding.skipping import FrameSkipping
from ingest.sources.decoding.video_file import VideoFile
from ingest.sources.file_position import FilePosition, checksum, seek_before, seek_before_time
from ingest.sources.timeline import WINDOW, Stamp, Timeline, TimelinePosition
from posebus.config.local_files import check_readable, local_path
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected
from posebus.messages import CaptureClock

INDEXED = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi"})
"""FFmpeg's names of the formats in which a time can be found by seeking. In a stream without an index, such as MPEG-TS,
times may start again on the way, so only reading all of it tells where a picture is."""
EARLIER_NS = 1000
"""Times of parts are rounded to microseconds."""
HELD_PIXELS = 25_000_000
"""Pictures that wait for their capture times have no more pixels than this in all, but two always may wait."""


class HeldFrame(NamedTuple):
    """A picture that waits for its capture time; `lost` counts the packets before it that did not decode."""

    frame: StreamFrame
    lost: int


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
        any_files: bool = False,
    ) -> None:
        """Raises SourceRejected if `path` is missing, unreadable or holds no video.

        No more than `max_fps` pictures a second have to be decoded. `any_files` lets a playlist name files of all
        folders.
        """
        self.live = live
        self.warning: str | None = None
        self._path = path
        self._loop = loop
        self._any_files = any_files
        self._skipping = FrameSkipping(max_fps)
        # Which frames a rate cap skips depends on all frames before, and a loop has no single position for a frame.
        self._has_positions = max_fps is None and not loop
        self._last_pts: int | None = None
        self._frames_this_pass = 0
        self._held: deque[HeldFrame] = deque()
        self._video = self._open()
        self.fps = self._video.fps
        self.frame_count = None if loop else self._video.count_by_header()
        width_px, height_px = self._video.size_px
        window = min(WINDOW, max(2, HELD_PIXELS // max(1, width_px * height_px)))
        self._timeline = Timeline(self._video.step_ns, recorded_at_ns or 0, window)

    @property
    def lost(self) -> int:
        """See `Source.lost`."""
        return self._video.defects.undecodable

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`. A file without a single frame raises SourceRejected at the first call."""
        while True:
            captured_at_ns = self._timeline.next()
            if captured_at_ns is not None:
                held = self._held.popleft()
                self._frames_this_pass += 1
                self._video.defects.damaged += held.frame.is_corrupt
                position = self._position(held)
                if admit is None or admit(captured_at_ns):
                    return CapturedImage(held.frame.image, captured_at_ns, CaptureClock.FILE, position)
            elif not self._hold_next():
                self._note_end()
                if not self._loop:
                    return None
                self._rewind()

    def resume(self, position: SourcePosition) -> bool:
        """See `Seekable.resume`."""
        wanted = FilePosition.of(position)
        if wanted is None or not self._has_positions:
            return False
        video = self._video
        if seek_before(wanted, video.container, video.stream) and self._find(wanted):
            self._frames_this_pass, self._last_pts = wanted.pictures, wanted.pts
            video.defects.undecodable, video.defects.damaged = wanted.lost, wanted.damaged
            video.defects.corrupt = 0
            self._timeline.resume(TimelinePosition(wanted.last_ns, wanted.offset_ns, wanted.step_ns))
            video.presented(wanted.pts)
            return True
        self._rewind()
        return False

    def skip_to(self, time_ns: int) -> None:
        """See `StartsLater.skip_to`: seeks in a file with an index whose time stamps are in order."""
        if self._loop or self._video.container.format.name not in INDEXED:
            return
        origin_ns = self._first_time_ns()
        clock = self._timeline.position
        sound = not (self._timeline.wrong or self._timeline.jumps or self._timeline.equal)
        self._rewind()
        if origin_ns is None or clock is None or not sound or not self._video.seekable:
            return
        begin = clock._replace(last_ns=origin_ns + time_ns - EARLIER_NS)
        container, stream = self._video.container, self._video.stream
        if seek_before_time(begin.last_ns - begin.offset_ns, container, stream) and not self._drop_until(begin):
            self._rewind()

    def close(self) -> None:
        """Close the file; `read` returns None from now on, or raises if it never returned a picture."""
        self._held.clear()
        self._timeline.restart()
        self._video.close()

    def _hold_next(self) -> bool:
        """Decode one more picture and enter it into the time line; False if all have their times."""
        frame = next(self._video.frames, None)
        if frame is None:
            self._timeline.finish()
            return bool(self._held)
        self._held.append(HeldFrame(frame, self.lost))
        self._timeline.add(Stamp(*self._video.times_ns(frame)))
        return True

    def _position(self, held: HeldFrame) -> SourcePosition:
        """The position of a picture that has its time; empty if seeking could miss it."""
        frame = held.frame
        in_order = frame.pts is not None and (self._last_pts is None or frame.pts > self._last_pts)
        repaired = self._timeline.wrong or self._timeline.jumps or not self._video.seekable
        self._has_positions = self._has_positions and in_order and not repaired
        self._last_pts = frame.pts
        in_timeline = self._timeline.position
        if not self._has_positions or frame.pts is None or in_timeline is None:
            return ()
        position = FilePosition(
            pts=frame.pts,
            pictures=self._frames_this_pass,
            lost=held.lost,
            damaged=self._video.defects.damaged,
            last_ns=in_timeline.last_ns,
            offset_ns=in_timeline.offset_ns,
            step_ns=in_timeline.step_ns,
            checksum=checksum(frame.sample()),
        )
        return tuple(position)

    def _find(self, wanted: FilePosition) -> bool:
        """Decode up to the picture at `wanted`; return whether it is there and unchanged."""
        for frame in self._video.frames:
            if frame.pts is None or frame.pts > wanted.pts:
                return False
            if frame.pts == wanted.pts:
                return not frame.is_corrupt and checksum(frame.sample()) == wanted.checksum
        return False

    def _first_time_ns(self) -> int | None:
        """Return the capture time of the first picture, None without one; the file has to be read anew after this."""
        while (time_ns := self._timeline.next()) is None:
            if not self._hold_next():
                return None
        return time_ns

    def _drop_until(self, begin: TimelinePosition) -> bool:
        """Decode up to the first picture from `begin.last_ns` on, or else the last one, and make it the next picture.

        Returns False if that cannot be relied on: the seek was not exact, or time stamps are missing or in disorder.
        """
        video = self._video
        before: tuple[StreamFrame, Stamp] | None = None
        before_ns = -1
        for frame in video.frames:
            stamp = Stamp(*video.times_ns(frame))
            if stamp.pts_ns is None:
                return False
            captured_at_ns = stamp.pts_ns + begin.offset_ns
            arrived = captured_at_ns >= begin.last_ns
            if (before is None and arrived) or captured_at_ns <= before_ns:
                return False
            if arrived:
                self._continue_with(frame, stamp, begin._replace(last_ns=before_ns))
                return True
            before, before_ns = (frame, stamp), captured_at_ns
        if before is None:
            return False
        self._continue_with(*before, begin._replace(last_ns=before_ns - 1))
        return True

    def _continue_with(self, frame: StreamFrame, stamp: Stamp, after: TimelinePosition) -> None:
        # What is damaged before the part does not concern it.
        self._video.defects.undecodable = self._video.defects.corrupt = 0
        self._timeline.resume(after)
        self._held.append(HeldFrame(frame, 0))
        self._timeline.add(stamp)

    def _open(self) -> VideoFile:
        check_readable(self._path)
        return VideoFile(self._path, self._skipping, any_files=self._any_files)

    def _rewind(self) -> None:
        self._video.close()
        self._frames_this_pass = 0
        self._held.clear()
        self._skipping.restart()
        self._timeline.restart()
        self._video = self._open()

    def _note_end(self) -> None:
        """Raise SourceRejected if no frame came; set `warning` if some are missing."""
        if self._frames_this_pass == 0:
            raise SourceRejected(f"{self._path} holds no frame that can be decoded")
        defects = self._video.defects
        self._video.note_end(self._frames_this_pass)
        timeline = self._timeline
        defects.wrong_stamps, defects.jumps, defects.equal_stamps = timeline.wrong, timeline.jumps, timeline.equal
        self.warning = defects.sentence(self._frames_this_pass)


def open_file(settings: CameraSettings, *, live: bool) -> FileSource:
    """Open the video file that `settings.source` names."""
    path = local_path(settings.source)
    return FileSource(
        path,
        live=live,
        loop=settings.loop,
        recorded_at_ns=settings.recorded_at_ns,
        max_fps=settings.max_fps,
        any_files=settings.linked_files == "any",
    )


def check_file(settings: CameraSettings) -> None:
    """Raise SourceRejected if there is no such file; a pipe is not opened, because its writer would notice."""
    path = Path(settings.source.removeprefix("file://"))
    if not path.is_fifo():
        check_readable(path)


SPEC = SourceSpec(kind="file", recognises=lambda source: True, open=open_file, recorded=True, check=check_file)
"""A file is what no other kind recognises."""
