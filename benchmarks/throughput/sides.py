"""The sides that `benchmarks.throughput` compares: each runs as a process of its own and reports its frames a
second."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.child import child_environment
from posebus.runtime.python_child import python_command

THEIRS = """
import sys, time
import numpy as np
from ultralytics import YOLO

model_path, video, out, width, height, conf, tracker, device = sys.argv[1:]
size = (int(height), int(width))
where = {"device": device, "half": device != "cpu"} if device else {}
model = YOLO(model_path, task="pose")
model.predict(np.zeros((*size, 3), np.uint8), imgsz=size, verbose=False, **where)
rows, frames, begin = [], 0, time.perf_counter()
for frame, result in enumerate(
    model.track(video, stream=True, tracker=tracker, imgsz=size, conf=float(conf), verbose=False, **where), start=1
):
    frames = frame
    if result.boxes.id is not None:
        for track_id, (x1, y1, x2, y2), score in zip(result.boxes.id, result.boxes.xyxy, result.boxes.conf):
            rows.append(f"{frame},{int(track_id)},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{score:.4f},-1,-1,-1")
seconds = time.perf_counter() - begin
open(out, "w").write("\\n".join(rows) + "\\n")
print("FPS", frames / seconds)
"""

BARE_FRAMES = 150
"""Evenly spaced frames of the clip that the bare engine infers."""


@dataclass(frozen=True, slots=True)
class SideResult:
    """The result of one run of one side; `mot` holds its tracks, a MOTChallenge file."""

    fps: float
    mot: Path | None = None


Side = Callable[[Path], SideResult]
"""Measures one run, in a folder of its own."""


def ours(video: Path, options: Sequence[str]) -> Side:
    """`posebus run`, from the first frame published to the last track published."""

    def run(folder: Path) -> SideResult:
        command = python_command("-m", "posebus_cli", "run", str(video), "--out", str(folder), "--no-video", *options)
        silent = subprocess.DEVNULL
        subprocess.run(command, check=True, env=child_environment(), stdout=silent, stderr=silent)
        summary = json.loads((folder / "summary.json").read_text())
        return SideResult(float(summary["fps"]), folder / f"{video.stem}.mot.txt")

    return run


def bare(video: Path, precision: str, imgsz: int) -> Side:
    """The engine alone, kept full with frames of the clip that are ready in memory."""

    def run(folder: Path) -> SideResult:
        command = python_command("-m", __name__, str(video), precision, str(imgsz))
        done = subprocess.run(command, check=True, env=child_environment(), capture_output=True, text=True)
        return SideResult(float(done.stdout.split()[-1]))

    return run


def theirs(model: Path, video: Path, size_px: tuple[int, int], tracker: str, device: str = "") -> Side:
    """`model.track`, from the first frame read to the last result, after a warm-up.

    `device` is ultralytics' name of it, with half precision unless it is `cpu`; by default ultralytics chooses.
    """

    def run(folder: Path) -> SideResult:
        out = folder / "theirs.mot.txt"
        arguments = [str(model), str(video), str(out), str(size_px[0]), str(size_px[1]), "0.1", tracker, device]
        command = python_command("-c", THEIRS, *arguments)
        done = subprocess.run(command, check=True, env=child_environment(), capture_output=True, text=True, cwd=folder)
        return SideResult(float(done.stdout.rsplit("FPS", 1)[1]), out)

    return run


def export_theirs(folder: Path, size_px: tuple[int, int]) -> tuple[Path, Path]:
    """The default weights for ultralytics: as .pt, and as its own OpenVINO export for exactly this input shape."""
    from posebus.config.loading import cache_folder
    from posebus.config.settings import Settings
    from workers.weights.weights import resolve_weights

    weights = resolve_weights("yolo11n-pose", allow_unknown=False, cache_dir=cache_folder(Settings()))
    copy = folder / "yolo11n-pose.pt"
    copy.write_bytes(weights.path.read_bytes())
    script = (
        "import sys; from ultralytics import YOLO; "
        "YOLO(sys.argv[1]).export(format='openvino', imgsz=(int(sys.argv[3]), int(sys.argv[2])))"
    )
    subprocess.run(
        python_command("-c", script, str(copy), str(size_px[0]), str(size_px[1])),
        check=True,
        env=child_environment(),
        cwd=folder,
        capture_output=True,
    )
    return copy, folder / "yolo11n-pose_openvino_model"


def bare_fps(video: Path, precision: str, imgsz: int) -> float:
    """Frames a second of our engine alone, in this process."""
    import av
    import numpy as np

    from benchmarks.throughput.engine import engine_ms
    from posebus.config.loading import cache_folder
    from posebus.config.settings import Settings, WorkerSettings
    from workers.engine_loading import load_engine
    from workers.images.picture import Picture
    from workers.inference.estimator import PoseEstimator

    settings = WorkerSettings.model_validate({"precision": precision, "imgsz": imgsz})
    estimator = PoseEstimator(load_engine(settings, cache_folder(Settings())), settings)
    with av.open(str(video)) as container:
        images = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    chosen = [images[int(index)] for index in np.linspace(0, len(images) - 1, BARE_FRAMES)]
    prepared = [estimator.prepare(Picture.of(image))[0] for image in chosen]
    engine_ms(estimator.engine, prepared[:10])
    return 1000 / engine_ms(estimator.engine, prepared)


if __name__ == "__main__":
    print(bare_fps(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
