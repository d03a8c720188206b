"""Annotated videos: the source is decoded a second time and its people are drawn; MP4 with H.264 for all players."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import tee
from pathlib import Path
from types import TracebackType

import av
import av.error
import cv2
import numpy as np

from posebus.config.cameras.privacy import HEADS, Privacy
from posebus.config.settings import CameraSettings
from posebus.contract.public_json import parse, track_frame_from_json
from posebus.errors import OutputError
from posebus.messages import TrackFrame
from posebus.square_pixels import SQUARE
from recordings.privacy.timeline import HeadTimeline
from recordings.progress import Progress
from recordings.results.draw import Image, draw_tracks, empty_canvas
from recordings.results.files import partial, writing
from recordings.results.outlines import blur_tracks
from recordings.results.tally import rate

TICKS_PER_S = 90_000
"""Resolution of the frame times: enough for every usual frame rate, and what players expect."""
MAX_SIDE_PX = 4096
"""Larger pictures are reduced: few decoders support more."""
DEFAULT_FPS = 25.0
QUALITY_CRF = "23"
LONGEST_PAUSE_S = 3600
"""A longer pause between two pictures is shortened: the format counts the ticks of one picture in 31 bits."""
MAX_ASPECT_TERM = 65535
"""H.264 stores numerator and denominator of the pixel aspect in 16 bits each."""


@dataclass(frozen=True, slots=True)
class Style:
    """How people are shown. `dark`: on a dark picture instead of the recording; `labels`: with their numbers.

    `blur`: people are blurred and nothing is drawn. `privacy`: `heads` are blurred before anything is drawn, or `none`.
    """

    dark: bool = False
    labels: bool = True
    blur: bool = False
    privacy: Privacy = HEADS

    def apply(self, image_bgr: Image, frame: TrackFrame) -> Image:
        """Return the picture (H, W, 3) of a frame with its people; may draw into `image_bgr`."""
        if self.blur:
            blur_tracks(image_bgr, frame)
            return image_bgr
        if self.dark:
            image_bgr = empty_canvas((image_bgr.shape[1], image_bgr.shape[0]))
        draw_tracks(image_bgr, frame, labels=self.labels)
        return image_bgr


PLAIN = Style()


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
        self._aspect = SQUARE
        self._first_ns = 0
        self._last_ticks = -1

    def add(self, image_bgr: Image, captured_at_ns: int, pixel_aspect: Fraction = SQUARE) -> None:
        """Append a picture (H, W, 3) whose pixels are `pixel_aspect` times as wide as high. Raises OutputError.

        The first one sets size and pixel aspect of the video. Pictures of another shape are shown whole, in the middle.
        """
        try:
            if self._container is None or self._stream is None:
                self._container, self._stream = self._open(image_bgr, captured_at_ns, pixel_aspect)
            frame = av.VideoFrame.from_ndarray(self._fitted(image_bgr, pixel_aspect), format="bgr24")
            frame.pts = self._next_ticks(captured_at_ns)
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

    def _next_ticks(self, captured_at_ns: int) -> int:
        ticks = round((captured_at_ns - self._first_ns) * TICKS_PER_S / 1_000_000_000)
        pause = ticks - self._last_ticks - LONGEST_PAUSE_S * TICKS_PER_S
        if pause > 0:
            self._first_ns += round(pause * 1_000_000_000 / TICKS_PER_S)
            ticks -= pause
        self._last_ticks = max(ticks, self._last_ticks + 1)
        return self._last_ticks

    def _open(
        self, image_bgr: Image, captured_at_ns: int, pixel_aspect: Fraction
    ) -> tuple[av.container.OutputContainer, av.VideoStream]:
        height_px, width_px = image_bgr.shape[:2]
        scale = min(1.0, MAX_SIDE_PX / max(height_px, width_px))
        # H.264 stores colour at half resolution, so sides must be even; odd ones are padded, not stretched.
        self._size_px = (_even(round(width_px * scale)), _even(round(height_px * scale)))
        self._aspect = pixel_aspect
        self._first_ns = captured_at_ns
        # "file:" keeps FFmpeg from reading a colon in a name as an address.
        container = av.open(f"file:{partial(self._path)}", "w", format="mp4", options={"movflags": "+faststart"})
        stream = container.add_stream("libx264", rate=Fraction(self._fps).limit_denominator(1001))
        stream.width, stream.height = self._size_px
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        if pixel_aspect != SQUARE:
            # Reduced sides were rounded; the picture as a whole keeps its proportions.
            rounded = Fraction(width_px * self._size_px[1], height_px * self._size_px[0]) if scale < 1 else SQUARE
            stream.codec_context.sample_aspect_ratio = (pixel_aspect * rounded).limit_denominator(MAX_ASPECT_TERM)
        stream.options = {"preset": "veryfast", "crf": QUALITY_CRF}
        container.start_encoding()  # opens the file, so that an error comes now
        return container, stream

    def _fitted(self, image_bgr: Image, pixel_aspect: Fraction) -> Image:
        width_px, height_px = self._size_px
        have_height_px, have_width_px = image_bgr.shape[:2]
        right_px, bottom_px = width_px - have_width_px, height_px - have_height_px
        if pixel_aspect == self._aspect and right_px == 0 and bottom_px == 0:
            return np.ascontiguousarray(image_bgr)
        if pixel_aspect == self._aspect and 0 <= right_px <= 1 and 0 <= bottom_px <= 1:
            fitted: Image = cv2.copyMakeBorder(image_bgr, 0, bottom_px, 0, right_px, cv2.BORDER_REPLICATE)
            return fitted
        return letterboxed(image_bgr, self._size_px, float(pixel_aspect / self._aspect))

    def _refused(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or str(error)
        return OutputError(f"the video {self._path} cannot be written: {reason}")


def letterboxed(image_bgr: Image, size_px: tuple[int, int], stretch: float) -> Image:
    """Return `image_bgr` (H, W, 3) as large as fits into `size_px` (width, height), with black on the other sides.

    `stretch` is the aspect of its pixels divided by that of the result's. Rounding by a pixel leaves no black line.
    """
    width_px, height_px = size_px
    have_height_px, have_width_px = image_bgr.shape[:2]
    scale = min(width_px / (have_width_px * stretch), height_px / have_height_px)
    inner_width_px = min(width_px, max(1, round(have_width_px * stretch * scale)))
    inner_height_px = min(height_px, max(1, round(have_height_px * scale)))
    if width_px - inner_width_px <= 1 and height_px - inner_height_px <= 1:
        inner_width_px, inner_height_px = size_px
    shorter = inner_width_px < have_width_px or inner_height_px < have_height_px
    inner = cv2.resize(
        image_bgr, (inner_width_px, inner_height_px), interpolation=cv2.INTER_AREA if shorter else cv2.INTER_LINEAR
    )
    left, top = (width_px - inner_width_px) // 2, (height_px - inner_height_px) // 2
    fitted: Image = np.zeros((height_px, width_px, 3), np.uint8)
    fitted[top : top + inner_height_px, left : left + inner_width_px] = inner
    return fitted


def annotate(
    source: CameraSettings,
    jsonl: Path,
    name: str,
    progress: Progress,
    *,
    target: Path | None = None,
    style: Style = PLAIN,
    see: Callable[[Image, int], None] | None = None,
) -> Path:
    """Write NAME.annotated.mp4 into the folder `target` (default: that of `jsonl`); returns its path.

    It shows every frame of `source` that is analysed, with its people. `see` is called with each picture, after heads
    are blurred and before people are drawn, and with its capture time. Pictures and lines of `jsonl` are matched by
    capture time, and both are read one by one. Raises OutputError and the errors of reading the source.
    """
    from ingest.sources import open_source
    from ingest.sources.pacing import RateCap

    path = (target or jsonl.parent) / f"{name}.annotated.mp4"
    # Of a rate limit, the same frames as in the analysis are shown.
    cap = RateCap(source.max_fps)
    task = f"{name} (video)"
    started_at_s = time.monotonic()
    opened = open_source(source)
    try:
        with Mp4Writer(path, opened.fps) as video:
            lines, ahead = tee(read_tracks(jsonl))
            heads = HeadTimeline(ahead) if style.privacy == HEADS else None
            tracks = next(lines, None)
            while (picture := opened.read(cap.admit)) is not None:
                while tracks is not None and tracks.captured_at_ns < picture.captured_at_ns:
                    tracks = next(lines, None)
                image_bgr = picture.image_bgr
                if heads is not None:
                    heads.hide(image_bgr, picture.captured_at_ns)
                if see is not None:
                    see(image_bgr, picture.captured_at_ns)
                if tracks is not None and tracks.captured_at_ns == picture.captured_at_ns:
                    image_bgr = style.apply(image_bgr, tracks)
                elif style.dark:
                    image_bgr = empty_canvas((image_bgr.shape[1], image_bgr.shape[0]))
                video.add(image_bgr, picture.captured_at_ns, picture.image.pixel_aspect)
                fps = rate(video.frames, time.monotonic() - started_at_s)
                progress.update(task, video.frames, opened.frame_count, fps)
            video.complete()
    finally:
        opened.close()
        progress.finish(task)
    return path


def read_tracks(jsonl: Path) -> Iterator[TrackFrame]:
    """Yield the frames in NAME.tracks.jsonl one by one."""
    with jsonl.open(encoding="utf-8") as file:
        for line in file:
            yield track_frame_from_json(parse(line.encode()))[0]


def _even(side_px: int) -> int:
    return max(2, side_px + side_px % 2)
