"""The bare engines: milliseconds a frame with the engine kept full, and the cost of the other steps of a worker.

    python -m benchmarks.throughput.engine [--size 640x480] [--imgsz 640] [--frames 60] [--engines openvino onnx]

Engines alternate, so that a busy moment of the machine affects all of them; the median and the range of the rounds are
printed. Frames are views of the picture of people that ultralytics ships.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg

from benchmarks.common.options import size_px
from posebus.config.settings import WorkerSettings
from workers.detections import ImageArray
from workers.engine_loading import choose_engine, load_engine
from workers.engines.base import Engine
from workers.images.picture import Picture, decode_image
from workers.inference.estimator import PoseEstimator
from workers.outputs.appearance import describe
from workers.weights.int8_cache import find_built
from workers.weights.weights import resolve_weights

CANDIDATES = (
    ("torch", "fp16"),
    ("torch", "fp32"),
    ("onnx", "fp32"),
    ("openvino", "fp32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
)


def views(size_px: tuple[int, int], count: int) -> list[ImageArray]:
    """Different crops of a picture of real people, u8 RGB (H, W, 3), of this (width, height)."""
    from ultralytics.utils import ASSETS

    image = cv2.imread(str(ASSETS / "bus.jpg"))
    if image is None:
        raise SystemExit("ultralytics' picture bus.jpg is missing: install ultralytics again")
    width_px, height_px = image.shape[1], image.shape[0]
    crop_height_px = min(height_px - count, width_px * size_px[1] // size_px[0])
    crops = [image[n : n + crop_height_px, :, ::-1] for n in range(count)]
    return [np.ascontiguousarray(cv2.resize(crop, size_px)) for crop in crops]


def engine_ms(engine: Engine, inputs: list[Any]) -> float:
    """Milliseconds a frame while `in_flight` submissions of prepared pictures are in flight all the time."""
    batches = [inputs[n : n + engine.batch] for n in range(0, len(inputs), engine.batch)]
    running = deque(engine.submit(batch) for batch in batches[: engine.in_flight])
    start_s = time.perf_counter()
    done = 0
    for index in range(len(batches)):
        done += len(running.popleft().result())
        following = index + engine.in_flight
        running.append(engine.submit(batches[following % len(batches)]))
    elapsed_s = time.perf_counter() - start_s
    while running:
        running.popleft().result()
    return elapsed_s / done * 1000


def step_ms(step: Callable[[], object], repeats: int = 200) -> float:
    """Median milliseconds of one call."""
    times_s = []
    for _ in range(repeats):
        start_s = time.perf_counter()
        step()
        times_s.append(time.perf_counter() - start_s)
    return statistics.median(times_s) * 1000


def load(engines: list[str], imgsz: int, threads: int | None, cache: Path) -> dict[str, PoseEstimator]:
    """Estimators of all candidates that run on this machine, by a name for the table."""
    found = {}
    for name, precision in CANDIDATES:
        wanted = {"engine": name, "precision": precision, "imgsz": imgsz, "threads": threads}
        if name not in engines or not _runs_here(wanted, cache):
            continue
        settings = WorkerSettings.model_validate(wanted)
        found[f"{name} {precision}"] = PoseEstimator(load_engine(settings, cache), settings)
    return found


def _runs_here(wanted: dict[str, object], cache: Path) -> bool:
    """Whether a candidate runs on this machine.

    fp32 always does, int8 if `posebus engines build` has made it, and of the other precisions the machine's native one.
    """
    settings = WorkerSettings.model_validate(wanted)
    if settings.precision == "fp32":
        return True
    if settings.precision == "int8":
        weights = resolve_weights(settings.model, allow_unknown=False, cache_dir=cache, download=False)
        return find_built(weights, cache) is not None
    return choose_engine(settings.model_copy(update={"precision": "auto"})).precision == settings.precision


def main() -> None:
    """Print the table of engines and the cost of the other steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=size_px, default=(640, 480), metavar="WxH", help="size of the frames")
    parser.add_argument("--imgsz", type=int, default=640, help="input size of the network")
    parser.add_argument("--frames", type=int, default=60, help="frames of each round")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds")
    parser.add_argument("--threads", type=int, help="threads of the engines")
    parser.add_argument("--engines", nargs="+", default=["torch", "onnx", "openvino"], help="engines to measure")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "posebus", help="folder of weights")
    arguments = parser.parse_args()
    width_px, height_px = arguments.size
    images = views(arguments.size, arguments.frames)
    estimators = load(arguments.engines, arguments.imgsz, arguments.threads, arguments.cache)
    times_ms: dict[str, list[float]] = {name: [] for name in estimators}
    for estimator in estimators.values():
        estimator.warm_up(arguments.size)
    for _ in range(arguments.rounds):
        for name, estimator in estimators.items():
            inputs = [estimator.prepare(Picture.of(image))[0] for image in images]
            times_ms[name].append(engine_ms(estimator.engine, inputs))
    rounds_text = f"{arguments.rounds} rounds of {len(images)} frames"
    print(f"frames of {width_px}x{height_px} at imgsz {arguments.imgsz}, {rounds_text}")
    for name, rounds in times_ms.items():
        engine = estimators[name].engine
        print(
            f"{name:16s}{engine.device:8s}{statistics.median(rounds):7.2f} ms/frame "
            f"({min(rounds):.2f} to {max(rounds):.2f}), batch {engine.batch}, in flight {engine.in_flight}"
        )
    print_steps(next(iter(estimators.values())), images[0])
    for estimator in estimators.values():
        estimator.engine.close()


def print_steps(estimator: PoseEstimator, image: ImageArray) -> None:
    """Print the cost of one frame outside the network."""
    size_px = (image.shape[1], image.shape[0])
    jpeg = simplejpeg.encode_jpeg(image, quality=85)
    fit = estimator.fit(size_px)
    people = estimator.estimate(image)
    print(
        f"decode JPEG      {step_ms(lambda: decode_image(jpeg, 'jpeg', size_px)):7.2f} ms ({len(jpeg) / 1000:.0f} kB)"
    )
    print(f"letterbox        {step_ms(lambda: fit.apply(image)):7.2f} ms")
    print(f"colours          {step_ms(lambda: describe(image, people, size_px)):7.2f} ms ({len(people.scores)} people)")


if __name__ == "__main__":
    main()
