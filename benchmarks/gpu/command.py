"""posebus on an NVIDIA GPU: the bare engine, the whole pipeline, and ultralytics' `model.track`, alternating.

    python -m benchmarks.gpu                          (on a machine with CUDA, from a checkout, with an installed
                                                      posebus[worker,embedded]; `pip install lap` for model.track)
    python -m benchmarks.gpu --json gpu.json --batches 16 --workers 1 2 4
    python -m benchmarks.gpu --device cpu --batches 2 --workers 1 --runs 1 --frames 4 --seconds 3 --clip-frames 4

Nothing has been measured yet: the command was written and tried without a GPU, with `--device cpu`, which shows that it
works and gives no figures about GPUs.

All sides run N times, alternating, each in processes of its own: the engine alone, kept full with prepared pictures;
the pipeline, which is real workers (`posebus work`) on one GPU and the embedded broker, fed with JPEGs as fast as
possible, and its poses deleted; and `model.track` (ByteTrack, half precision) on a video of the same pictures. The
pipeline's target is 0.9 of the bare engine at the same batch. Tables in Markdown go to standard output.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.common.options import size_px
from benchmarks.gpu.pipeline import Load, measure
from benchmarks.gpu.report import BareRun, Measurements, PeerRun, report
from benchmarks.gpu.sides import bare_fps, jpegs, write_clip
from posebus.config.loading import cache_folder
from posebus.config.settings import Settings
from posebus.errors import PoseBusError


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--device", choices=("cuda", "cpu"), default="cuda", help="cpu only tries the command")
    add("--batches", type=int, nargs="+", default=[1, 8, 16, 32], help="batches of the engine")
    add("--workers", type=int, nargs="+", default=[1, 2, 4], help="numbers of worker processes on the GPU")
    add("--runs", type=int, default=3, help="alternating runs of each side")
    add("--frames", type=int, default=3000, help="frames of the bare engine")
    add("--seconds", type=float, default=15.0, help="length of the pipeline's measurement")
    add("--warm-up", type=float, default=10.0, help="seconds before the pipeline's measurement")
    add("--clip-frames", type=int, default=1000, help="frames of the video for model.track")
    add("--cameras", type=int, default=32, help="number of simulated cameras")
    add("--size", type=size_px, default=(640, 480), metavar="WxH", help="size of the pictures")
    add("--imgsz", type=int, default=640, help="input size of the network")
    add("--precision", default="auto", choices=("auto", "fp16", "bf16", "fp32"), help="of the engine")
    add("--no-theirs", action="store_false", dest="theirs", help="leave model.track out")
    add("--cache", type=Path, default=cache_folder(Settings()), help="folder of weights and engines")
    add("--json", type=Path, metavar="FILE", help="write the measurements to this file")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print Markdown; returns 1 if it cannot be measured, and 130 after Ctrl-C, with the results until
    then."""
    options = parse(arguments)
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif not has_cuda():
        say("torch finds no CUDA device here: run this on a machine with one, or try the command with --device cpu")
        return 1
    measured = Measurements(machine(options))
    code = 0
    try:
        with tempfile.TemporaryDirectory() as name:
            run_all(measured, options, Path(name))
    except KeyboardInterrupt:
        say("stopped; the report covers what was measured until now")
        code = 130
    except (PoseBusError, SystemExit) as error:
        say(str(error))
        code = 1
    except subprocess.CalledProcessError as error:
        say(f"model.track failed: {(error.stderr or '').strip()}")
        code = 1
    print(report(measured))
    if options.json:
        measured.write(options.json)
    return code


def run_all(measured: Measurements, options: argparse.Namespace, folder: Path) -> None:
    """Fill `measured` in alternating runs, so that a busy moment of the machine affects all sides."""
    load = Load(
        jpegs=jpegs(options.size),
        size_px=options.size,
        cameras=options.cameras,
        warm_up_s=options.warm_up,
        seconds=options.seconds,
    )
    their_fps = theirs_side(options, folder) if options.theirs else None
    for run in range(options.runs):
        for batch in options.batches:
            worker = worker_settings(options, batch)
            measured.bare.append(BareRun(run, batch, bare_fps(worker, options.size, options.frames, options.cache)))
            say(f"run {run + 1}: bare engine, batch {batch}: {measured.bare[-1].fps:.1f} frames/s")
            for workers in options.workers:
                ours = measure(run, load, worker, workers, options.cache)
                measured.ours.append(ours)
                say(f"run {run + 1}: pipeline, batch {batch}, {workers} workers: {ours.fps:.1f} frames/s")
        if their_fps is not None:
            measured.theirs.append(PeerRun(run, their_fps()))
            say(f"run {run + 1}: model.track: {measured.theirs[-1].fps:.1f} frames/s")


def worker_settings(options: argparse.Namespace, batch: int) -> dict[str, Any]:
    """`WorkerSettings` of the pipeline and of the bare engine."""
    chosen = {"engine": "torch", "precision": options.precision, "imgsz": options.imgsz, "batch": batch}
    # On a busy CPU two threads of torch wait for each other most of the time.
    return {**chosen, "threads": 1} if options.device == "cpu" else chosen


def theirs_side(options: argparse.Namespace, folder: Path) -> Callable[[], float] | None:
    """A function that measures `model.track` on a video in `folder`; None, with a message, if it cannot run."""
    from benchmarks.throughput.sides import theirs
    from workers.images.preprocess import Letterbox
    from workers.weights.ultralytics_process import quiet_environment
    from workers.weights.weights import resolve_weights

    if find_spec("lap") is None:
        say("model.track is left out: its trackers need the package lap, 'pip install lap'")
        return None
    os.environ.update(quiet_environment(folder, online=False))
    clip = folder / "people.avi"
    write_clip(clip, options.size, options.clip_frames)
    model = folder / "yolo11n-pose.pt"
    shutil.copy(resolve_weights(model.stem, allow_unknown=False, cache_dir=options.cache).path, model)
    device = "cpu" if options.device == "cpu" else "0"
    input_px = Letterbox.fit(options.size, options.imgsz).input_px
    side = theirs(model, clip, input_px, "bytetrack.yaml", device)
    return lambda: side(folder).fps


def has_cuda() -> bool:
    """Whether torch finds a CUDA device."""
    if find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def machine(options: argparse.Namespace) -> dict[str, Any]:
    """A description of the machine and of the options, for the report."""
    import torch
    import torchvision
    import ultralytics

    gpu = torch.cuda.get_device_name(0) if options.device == "cuda" else "none (tried on the CPU, no measurement)"
    width_px, height_px = options.size
    return {
        "GPU": gpu,
        "CUDA": torch.version.cuda,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "ultralytics": ultralytics.__version__,
        "Python": platform.python_version(),
        "cores": os.cpu_count(),
        "pictures": f"{width_px}x{height_px}",
        "imgsz": options.imgsz,
        "precision": options.precision,
        "cameras": options.cameras,
    }


def say(text: str) -> None:
    """Print a line of progress to standard error."""
    print(text, file=sys.stderr, flush=True)
