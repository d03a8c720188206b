"""The processor time of each path of a picture through ingest, the shorter path compared with the longer one.

    python -m benchmarks.throughput.capture_paths ../shared/data/*.mp4 ../shared/data/*.avi

Figures are processor time of all threads per picture of the source, the minimum of alternating rounds, because other
work on the machine can only slow caches and cores down. Clips of other formats (MJPEG, H.264 with pictures that no
other refers to) are made from the first pictures of each clip.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2

from ingest.publishing.encoding import encode
from ingest.sources.decoding.decoded import DecodedImage, FrameConverter
from ingest.sources.decoding.pixels import RowsImage
from ingest.sources.file import FileSource
from ingest.sources.pacing import RateCap
from posebus.config.settings import CameraSettings

PICTURES = 150
FULL_HD_PX = (1920, 1080)
IMGSZ = 640
SETTINGS = CameraSettings(source="-")

Act = Callable[[], int]


def frames_of(path: Path, size_px: tuple[int, int] | None = None, count: int = PICTURES) -> list[Any]:
    """The first decoded frames of `path`, enlarged to `size_px` if that is given."""
    with av.open(str(path)) as container:
        frames = itertools.islice(container.decode(video=0), count)
        return [frame.reformat(*size_px) if size_px else frame for frame in frames]


def over_bgr(frames: Sequence[Any], max_size_px: int | None) -> Act:
    """The former path of ingest: rows of BGR, INTER_AREA, and JPEG from these rows."""
    converter = FrameConverter()

    def act() -> int:
        for frame in frames:
            rows = converter.bgr(frame, (frame.width, frame.height))
            encode(RowsImage(rows), SETTINGS, max_size_px)
        return len(frames)

    return act


def direct(frames: Sequence[Any], max_size_px: int | None) -> Act:
    """The present path of ingest: JPEG from the decoded planes."""
    converter = FrameConverter()

    def act() -> int:
        for frame in frames:
            encode(DecodedImage(frame, converter), SETTINGS, max_size_px)
        return len(frames)

    return act


def read_and_encode(path: Path, *, reencode: bool = False, max_size_px: int | None = None) -> Act:
    """A file as ingest reads it, each picture encoded; with `reencode` JPEG files are decoded and encoded again."""

    def act() -> int:
        source = FileSource(path)
        count = 0
        for picture in iter(source.read, None):
            encode(RowsImage(picture.image_bgr) if reencode else picture.image, SETTINGS, max_size_px)
            count += 1
        source.close()
        return count

    return act


def capped(path: Path, max_fps: float, pictures: int, *, skipping: bool) -> Act:
    """A file under a rate cap, with or without skipping pictures in the decoder; per picture of the file, without
    encoding."""

    def act() -> int:
        source = FileSource(path, max_fps=max_fps if skipping else None)
        cap = RateCap(max_fps)
        for _ in iter(lambda: source.read(cap.admit), None):
            pass
        source.close()
        return pictures

    return act


def made(path: Path, frames: Sequence[Any], codec: str, pixel_format: str, options: dict[str, str]) -> Path:
    """Write a video of `frames` at 25 pictures a second; returns its path."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, pixel_format
        if codec == "mjpeg":
            stream.bit_rate = 20_000_000
        stream.options = options
        for number, frame in enumerate(frames):
            picture = frame.reformat(format=pixel_format)
            picture.pts, picture.time_base = number, Fraction(1, 25)
            picture.pict_type = 0  # lets the encoder choose the type, instead of keeping that of the clip
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def compare(clip: str, what: str, ways: dict[str, Act], rounds: int) -> Iterator[dict[str, Any]]:
    """One row for each path, in processor milliseconds a picture."""
    least_ms: dict[str, float] = {}
    for _ in range(rounds):
        for name, act in ways.items():
            begin_s = time.process_time()
            pictures = act()
            cpu_ms = (time.process_time() - begin_s) * 1e3 / pictures
            least_ms[name] = min(cpu_ms, least_ms.get(name, cpu_ms))
    for name, cpu_ms in least_ms.items():
        yield {"clip": clip, "what": what, "way": name, "cpu_ms": round(cpu_ms, 3)}


def rows(path: Path, folder: Path, rounds: int) -> Iterator[dict[str, Any]]:
    """All comparisons for one clip; clips of other formats are written to `folder`."""
    frames, large = frames_of(path), frames_of(path, FULL_HD_PX, PICTURES // 3)
    for what, pictures, limit_px in (
        ("encode", frames, None),
        (f"reduce to {IMGSZ} and encode", frames, IMGSZ),
        (f"reduce to {IMGSZ} and encode, from 1080p", large, IMGSZ),
        ("encode 1080p", large, None),
    ):
        ways = {"over BGR": over_bgr(pictures, limit_px), "from planes": direct(pictures, limit_px)}
        yield from compare(path.name, what, ways, rounds)
    jpegs = made(folder / f"{path.stem}.jpeg.avi", frames, "mjpeg", "yuvj420p", {})
    ways = {"decoded and encoded": read_and_encode(jpegs, reencode=True), "passed through": read_and_encode(jpegs)}
    yield from compare(path.name, "MJPEG", ways, rounds)
    options = {"bf": "1", "g": "250", "b_strategy": "0", "crf": "23"}
    capped_at_10 = made(folder / f"{path.stem}.h264.mp4", frames, "libx264", "yuv420p", options)
    ways = {
        "all decoded": capped(capped_at_10, 10.0, len(frames), skipping=False),
        "reference pictures only": capped(capped_at_10, 10.0, len(frames), skipping=True),
    }
    yield from compare(path.name, "H.264 capped at 10 of 25", ways, rounds)
    capped_at_2 = made(
        folder / f"{path.stem}.keys.mp4", frames, "libx264", "yuv420p", {"bf": "0", "g": "12", "crf": "23"}
    )
    ways = {
        "all decoded": capped(capped_at_2, 2.0, len(frames), skipping=False),
        "key frames only": capped(capped_at_2, 2.0, len(frames), skipping=True),
    }
    yield from compare(path.name, "H.264 capped at 2 of 25", ways, rounds)


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path, help="videos to read")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.clips:
            for row in rows(path, Path(folder), arguments.rounds):
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
