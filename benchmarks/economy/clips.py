"""The recordings that `benchmarks.economy` runs over, including the simulated day."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.corridor.clip import rate_and_frames, read_frames
from benchmarks.corridor.day import DayRequest, make_day

DAY = "day"
CLIPS = ("TUD-Stadtmitte.mp4", "vtest.avi", "one-by-one-person-detection.mp4")
SOURCE_OF_DAY = "one-by-one-person-detection.mp4"
START_FRAMES = 3


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A recording, and its ground truth in MOTChallenge format where there is one."""

    name: str
    video: Path
    truth: Path | None
    fps: float


def clip_of(video: Path, name: str = "") -> ClipFile:
    """The recording at `video`, with the ground truth NAME.gt.txt beside it if that exists. Raises SystemExit."""
    if not video.is_file():
        raise SystemExit(f"there is no recording {video}: name the folder of the clips with --data")
    truth = video.with_suffix(".gt.txt")
    return ClipFile(name or video.stem, video, truth if truth.is_file() else None, rate_and_frames(video)[0])


def day_of(clip: Path, tracks: Path, minutes: float, folder: Path) -> ClipFile:
    """A day of `minutes` minutes with the people of `clip`, whose places `tracks` holds."""
    out = folder / "day.mp4"
    make_day(DayRequest(clip, tracks, out, minutes))
    return clip_of(out, DAY)


def first_frames(clip: ClipFile, folder: Path, frames: int = START_FRAMES) -> Path:
    """A recording of the first frames of `clip`, so few that a run over them is mostly start-up."""
    import av

    out = folder / f"{clip.name}-first.mp4"
    with av.open(str(out), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(clip.fps).limit_denominator(1001))
        for number, picture in zip(range(frames), read_frames(clip.video), strict=False):
            if number == 0:
                (stream.height, stream.width), stream.pix_fmt = picture.shape[:2], "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return out
