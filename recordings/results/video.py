"""Annotated videos: the source is decoded a second time and its people are drawn; MP4 with H.264 for all players."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import av.error
import cv2
import numpy as np

from posebus.config.settings import CameraSettings
from posebus.contract.public_json import parse, track_frame_from_json
from posebus.errors import OutputError
from posebus.messages import TrackFrame
from recordings.progress import Progress
from recordings.results.draw import Image, draw_tracks
from recordings.results.files import partial, writing
from recordings.results.tally import rate

TICKS_PER_S = 90_000
"""Resolution of the frame times: enough for every usual frame rate, and what players expect."""
MAX_SIDE_PX = 4096
"""Larger pictures are reduced: few decoders support more."""
DEFAULT_FPS = 25.0
QUALITY_CRF = "23"


class Mp4Writer:
    """An MP4 with H.264 (yuv420p). The file has a partial name until `complete`."""

    def __init__(self, path: Path, fps: float | None) -> None:
        """`fps` is nominal; the frame times are those given to `add`."""
        self.frames = 0
        self._path = path
        self._fps = fps or DEFAULT_FPS
        self._container: av.container.OutputContainer | None = None
        self._stream: av.VideoStream | None = None
        self._size_px = (0, 0)
        self._first_ns = 0
        self._last_ticks = -1

    def add(self, image_bgr: Image, captured_at_ns: int) -> None:
        """Append a picture (H, W, 3). The first one sets the size of the video. Raises OutputError."""
        try:
            if self._container is None or self._stream is None:
                self._container, self._stream = self._open(image_bgr, captured_at_ns)
            frame = av.VideoFrame.from_ndarray(self._fitted(image_bgr), format="bgr24")
            ticks = round((captured_at_ns - self._first_ns) * TICKS_PER_S / 1_000_000_000)
            self._last_ticks = frame.pts = max(ticks, self._last_ticks + 1)
            frame.time_base = Fraction(1, TICKS_PER_S)
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
            self.frames += 1
        except (OSError, av.error.FFmpegError) as error:
            raise self._refused(error) from None

    def complete(self) -> None:
        """Finish the file and give it its final name; without a picture there is no file. Raises OutputError."""
        if self._stream is None:
            return
        self.close()
        with writing(self._path):
            partial(self._path).replace(self._path)

    def close(self) -> None:
        """Close the file with the pictures added so far, so that it can be played. Raises OutputError."""
        container, stream = self._container, self._stream
        self._container = self._stream = None
        if container is None or stream is None:
            return
        try:
            for packet in stream.encode(None):  # flushes the encoder
                container.mux(packet)
            container.close()
        except (OSError, av.error.FFmpegError) as error:
            raise self._refused(error) from None

    def __enter__(self) -> Mp4Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, image_bgr: Image, captured_at_ns: int) -> tuple[av.container.OutputContainer, av.VideoStream]:
        height_px, width_px = image_bgr.shape[:2]
        scale = min(1.0, MAX_SIDE_PX / max(height_px, width_px))
        # H.264 stores colour at half resolution, so sides must be even; odd ones are padded, not stretched.
        self._size_px = (_even(round(width_px * scale)), _even(round(height_px * scale)))
        self._first_ns = captured_at_ns
        # "file:" keeps FFmpeg from reading a colon in a name as an address.
        container = av.open(f"file:{partial(self._path)}", "w", format="mp4", options={"movflags": "+faststart"})
        stream = container.add_stream("libx264", rate=Fraction(self._fps).limit_denominator(1001))
        stream.width, stream.height = self._size_px
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        stream.options = {"preset": "veryfast", "crf": QUALITY_CRF}
        container.start_encoding()  # opens the file, so that an error comes now
        return container, stream

    def _fitted(self, image_bgr: Image) -> Image:
        width_px, height_px = self._size_px
        have_height_px, have_width_px = image_bgr.shape[:2]
        right_px, bottom_px = width_px - have_width_px, height_px - have_height_px
        if right_px == 0 and bottom_px == 0:
            return np.ascontiguousarray(image_bgr)
        if 0 <= right_px <= 1 and 0 <= bottom_px <= 1:
            fitted: Image = cv2.copyMakeBorder(image_bgr, 0, bottom_px, 0, right_px, cv2.BORDER_REPLICATE)
        else:
            fitted = cv2.resize(image_bgr, self._size_px, interpolation=cv2.INTER_AREA)
        return fitted

    def _refused(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or str(error)
        return OutputError(f"the video {self._path} cannot be written: {reason}")


def annotate(source: CameraSettings, jsonl: Path, name: str, progress: Progress) -> Path:
    """Write NAME.annotated.mp4 beside NAME.tracks.jsonl: every frame of `source` with its people; returns its path.

    Pictures and lines are matched by capture time, and both are read one by one. Raises OutputError and the errors of
    reading the source.
    """
    from ingest.sources import open_source

    target = jsonl.with_name(f"{name}.annotated.mp4")
    task = f"{name} (video)"
    started_at_s = time.monotonic()
    opened = open_source(source)
    try:
        with Mp4Writer(target, opened.fps) as video:
            lines = read_tracks(jsonl)
            tracks = next(lines, None)
            while (picture := opened.read()) is not None:
                while tracks is not None and tracks.captured_at_ns < picture.captured_at_ns:
                    tracks = next(lines, None)
                image_bgr = picture.image_bgr
                if tracks is not None and tracks.captured_at_ns == picture.captured_at_ns:
                    draw_tracks(image_bgr, tracks)
                video.add(image_bgr, picture.captured_at_ns)
                fps = rate(video.frames, time.monotonic() - started_at_s)
                progress.update(task, video.frames, opened.frame_count, fps)
            video.complete()
    finally:
        opened.close()
        progress.finish(task)
    return target


def read_tracks(jsonl: Path) -> Iterator[TrackFrame]:
    """Yield the frames in NAME.tracks.jsonl one by one."""
    with jsonl.open(encoding="utf-8") as file:
        for line in file:
            yield track_frame_from_json(parse(line.encode()))[0]


def _even(side_px: int) -> int:
    return max(2, side_px + side_px % 2)
