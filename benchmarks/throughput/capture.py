"""The cost of capturing: PyAV and OpenCV for decoding, simplejpeg and OpenCV for encoding, and the whole stage.

    python -m benchmarks.throughput.capture ../shared/data/*.mp4 ../shared/data/*.avi

Each figure is the median of alternating rounds in one process; `cpu_ms` is processor time of all threads, which
capturing takes from inference on the same machine. The last row of a clip counts the time stamps of its frames.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from ingest.process import build_capture
from ingest.publishing.encoding import encode
from ingest.sources.decoding.pixels import RowsImage
from ingest.sources.file import FileSource
from posebus.bus.redis.connection import open_broker
from posebus.config.settings import CameraSettings
from posebus.runtime.embedded import EmbeddedBroker

Decoder = Callable[[Path], int]


def ours(path: Path) -> int:
    """PyAV as `ingest.sources.file` uses it, with one thread and one scaler, converted to BGR as the others do."""
    source = FileSource(path)
    count = sum(1 for picture in iter(source.read, None) if picture.image_bgr.size)
    source.close()
    return count


def pyav_plain(path: Path) -> int:
    """PyAV as in its documentation."""
    with av.open(str(path)) as container:
        return sum(1 for frame in container.decode(video=0) if frame.to_ndarray(format="bgr24").size)


def pyav_threads(path: Path) -> int:
    """PyAV with as many threads as FFmpeg chooses."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return sum(1 for frame in container.decode(video=0) if frame.to_ndarray(format="bgr24").size)


def opencv(path: Path) -> int:
    """OpenCV with its FFmpeg backend."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    count = 0
    while capture.read()[0]:
        count += 1
    return count


def stage(path: Path) -> int:
    """Decode, encode and publish to the embedded broker, without consumers."""
    with EmbeddedBroker() as url:
        settings = CameraSettings(source=str(path), max_backlog_bytes=1_000_000_000)
        capture = build_capture("bench", settings, open_broker(url), events_kept=10)
        while capture.step(time.monotonic()):
            pass
        frames = capture.report().captures["bench"].frames or 0
        capture.close()
        return frames


DECODERS: dict[str, Decoder] = {
    "ours (PyAV)": ours,
    "PyAV, plain": pyav_plain,
    "PyAV, threads": pyav_threads,
    "OpenCV": opencv,
    "whole stage": stage,
}


def measure(act: Callable[[], int]) -> tuple[float, float, int]:
    """Wall-clock and processor milliseconds per frame, and the number of frames."""
    wall_s, cpu_s = time.perf_counter(), processor_s()
    frames = act()
    wall_s, cpu_s = time.perf_counter() - wall_s, processor_s() - cpu_s
    return wall_s * 1e3 / frames, cpu_s * 1e3 / frames, frames


def processor_s() -> float:
    """Processor time of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def compare_decoders(path: Path, rounds: int) -> Iterator[dict[str, Any]]:
    """One row for each decoder of `path`."""
    results: dict[str, list[tuple[float, float, int]]] = {name: [] for name in DECODERS}
    for _ in range(rounds):
        for name, run in DECODERS.items():
            results[name].append(measure(lambda run=run: run(path)))  # type: ignore[misc]
    for name, measured in results.items():
        wall_ms, cpu_ms, frames = (statistics.median(column) for column in zip(*measured, strict=True))
        yield {
            "clip": path.name,
            "what": name,
            "frames": int(frames),
            "fps": round(1000 / wall_ms),
            "wall_ms": round(wall_ms, 2),
            "cpu_ms": round(cpu_ms, 2),
        }


def compare_encoders(path: Path, rounds: int) -> Iterator[dict[str, Any]]:
    """One row for each encoder that makes a JPEG of quality 85 from the first frame of `path`."""
    picture = FileSource(path).read()
    assert picture is not None
    image = picture.image_bgr
    settings = CameraSettings(source=str(path))
    quality = [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality]
    encoders: dict[str, Callable[[], int]] = {
        "ours (simplejpeg)": lambda: len(encode(RowsImage(image), settings).data),
        "ours, from planes": lambda: len(encode(picture.image, settings).data),
        "OpenCV": lambda: len(np.asarray(cv2.imencode(".jpg", image, quality)[1])),
    }
    for name, run in encoders.items():
        run()
        times_ms = []
        for _ in range(20 * rounds):
            begin_s = time.perf_counter()
            size_bytes = run()
            times_ms.append((time.perf_counter() - begin_s) * 1e3)
        size_px = f"{image.shape[1]}x{image.shape[0]}"
        yield {"clip": path.name, "what": f"JPEG: {name}", "size": size_px, "bytes": size_bytes,
               "wall_ms": round(statistics.median(times_ms), 2)}  # fmt: skip


def time_stamps(path: Path) -> dict[str, Any]:
    """How many different time stamps each decoder gives."""
    source = FileSource(path)
    ours_ns = {picture.captured_at_ns for picture in iter(source.read, None)}
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    theirs_ms = set()
    while capture.grab():
        theirs_ms.add(capture.get(cv2.CAP_PROP_POS_MSEC))
    return {"clip": path.name, "what": "time stamps", "ours": len(ours_ns), "OpenCV": len(theirs_ms)}


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path, help="videos to decode")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds")
    arguments = parser.parse_args()
    for path in arguments.clips:
        for row in (*compare_decoders(path, arguments.rounds), *compare_encoders(path, arguments.rounds)):
            print(json.dumps(row))
        print(json.dumps(time_stamps(path)))


if __name__ == "__main__":
    main()
