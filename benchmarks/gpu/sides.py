"""The inputs of `benchmarks.gpu` and the sides that the pipeline is compared with: pictures, a video, the bare
engine."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.common.child import child_environment
from posebus.runtime.python_child import python_command

PICTURES = 64
"""The number of different pictures, which are repeated."""
JPEG_QUALITY = 85
CLIP_FPS = 25.0


def jpegs(size_px: tuple[int, int]) -> tuple[bytes, ...]:
    """Views of people in this (width, height), encoded as cameras do."""
    import simplejpeg

    from benchmarks.throughput.engine import views

    return tuple(simplejpeg.encode_jpeg(image, JPEG_QUALITY) for image in views(size_px, PICTURES))


def write_clip(path: Path, size_px: tuple[int, int], frames: int) -> None:
    """Write the same views as a video of JPEGs, forwards and backwards, so that people move without jumps."""
    import cv2

    from benchmarks.throughput.engine import views

    images = views(size_px, PICTURES)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), CLIP_FPS, size_px)
    if not writer.isOpened():
        raise SystemExit(f"OpenCV cannot write {path}: leave model.track out with --no-theirs")
    there_and_back = itertools.cycle([*images, *images[-2:0:-1]])
    for image in itertools.islice(there_and_back, frames):
        writer.write(image[..., ::-1])
    writer.release()


def bare_fps(worker: dict[str, Any], size_px: tuple[int, int], frames: int, cache: Path) -> float:
    """Frames a second of the engine alone with these `WorkerSettings`.

    It runs in a process of its own, which leaves nothing in the device's memory. At least `frames` frames are computed,
    after as many to warm up. Raises SystemExit.
    """
    arguments = json.dumps({"worker": worker, "size_px": size_px, "frames": frames, "cache": str(cache)})
    command = python_command("-m", __name__, arguments)
    done = subprocess.run(command, env=child_environment(), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit("the bare engine failed; its message is above")
    return float(done.stdout.split()[-1])


def bare_here(worker: dict[str, Any], size_px: tuple[int, int], frames: int, cache: Path) -> float:
    """Frames a second of the engine alone, measured in this process."""
    from benchmarks.throughput.engine import engine_ms, views
    from posebus.config.settings import WorkerSettings
    from workers.engine_loading import load_engine
    from workers.images.picture import Picture
    from workers.inference.estimator import PoseEstimator

    settings = WorkerSettings.model_validate(worker)
    estimator = PoseEstimator(load_engine(settings, cache), settings)
    engine = estimator.engine
    prepared = [estimator.prepare(Picture.of(image))[0] for image in views(size_px, PICTURES)]
    # Only full batches, and enough of them to keep the engine full.
    count = max(-(-frames // engine.batch), 2 * engine.in_flight) * engine.batch
    inputs = list(itertools.islice(itertools.cycle(prepared), count))
    engine_ms(engine, inputs)
    fps = 1000 / engine_ms(engine, inputs)
    engine.close()
    return fps


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    print(bare_here(request["worker"], tuple(request["size_px"]), request["frames"], Path(request["cache"])))
