"""What each way of a picture through ingest costs in processor time, the shorter one beside the longer one.

    python -m benchmarks.throughput.capture_paths ../shared/data/*.mp4 ../shared/data/*.avi

Processor time of all threads per picture of the source, the least of alternating rounds: what else runs on the machine
slows caches and cores, never the other way. Clips of other kinds (MJPEG, H.264 with pictures that nobody refers to) are
made of the first pictures of each clip.
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
    """The way that ingest went before: rows of BGR, INTER_AREA, and JPEG from these rows."""
    converter = FrameConverter()

    def act() -> int:
        for frame in frames:
            rows = converter.bgr(frame, (frame.width, frame.height))
            encode(RowsImage(rows), SETTINGS, max_size_px)
        return len(frames)

    return act


def direct(frames: Sequence[Any], max_size_px: int | None) -> Act:
    """The way that ingest goes: from the planes."""
    converter = FrameConverter()

    def act() -> int:
        for frame in frames:
            encode(DecodedImage(frame, converter), SETTINGS, max_size_px)
        return len(frames)

    return act


def read_and_encode(path: Path, *, reencode: bool = False, max_size_px: int | None = None) -> Act:
    """A file as ingest reads it, each picture encoded; with `reencode` JPEG files are decoded and made anew."""

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
    """A file under a rate cap, with or without leaving pictures out; per picture of the file, without encoding."""

    def act() -> int:
        source = FileSource(path, max_fps=max_fps if skipping else None)
        cap = RateCap(max_fps)
        for _ in iter(lambda: source.read(cap.admit), None):
            pass
        source.close()
        return pictures

    return act


def made(path: Path, frames: Sequence[Any], codec: str, pixel_format: str, options: dict[str, str]) -> Path:
    """A video of `frames` at 25 pictures a second."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, pixel_format
        if codec == "mjpeg":
            stream.bit_rate = 20_000_000
        stream.options = options
        for number, frame in enumerate(frames):
            picture = frame.reformat(format=pixel_format)
            picture.pts, picture.time_base = number, Fraction(1, 25)
            picture.pict_type = 0  # else it would be of the kind that it was in the clip
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def compare(clip: str, what: str, ways: dict[str, Act], rounds: int) -> Iterator[dict[str, Any]]:
    """One row for each way, in processor milliseconds a picture."""
    least_ms: dict[str, float] = {}
    for _ in range(rounds):
        for name, act in ways.items():
            began_s = time.process_time()
            pictures = act()
            cpu_ms = (time.process_time() - began_s) * 1e3 / pictures
            least_ms[name] = min(cpu_ms, least_ms.get(name, cpu_ms))
    for name, cpu_ms in least_ms.items():
        yield {"clip": clip, "what": what, "way": name, "cpu_ms": round(cpu_ms, 3)}


def rows(path: Path, folder: Path, rounds: int) -> Iterator[dict[str, Any]]:
    """All comparisons for one clip; made-up clips go into `folder`."""
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
    ways = {"decoded and encoded": read_and_encode(jpegs, reencode=True), "as it came": read_and_encode(jpegs)}
    yield from compare(path.name, "MJPEG", ways, rounds)
    options = {"bf": "1", "g": "250", "b_strategy": "0", "crf": "23"}
    film = made(folder / f"{path.stem}.h264.mp4", frames, "libx264", "yuv420p", options)
    ways = {
        "all decoded": capped(film, 10.0, len(frames), skipping=False),
        "what others refer to": capped(film, 10.0, len(frames), skipping=True),
    }
    yield from compare(path.name, "H.264 capped at 10 of 25", ways, rounds)
    often = made(folder / f"{path.stem}.keys.mp4", frames, "libx264", "yuv420p", {"bf": "0", "g": "12", "crf": "23"})
    ways = {
        "all decoded": capped(often, 2.0, len(frames), skipping=False),
        "key frames alone": capped(often, 2.0, len(frames), skipping=True),
    }
    yield from compare(path.name, "H.264 capped at 2 of 25", ways, rounds)


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.clips:
            for row in rows(path, Path(folder), arguments.rounds):
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
