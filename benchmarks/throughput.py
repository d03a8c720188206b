"""`posebus run` against ultralytics' `model.track`, end to end on one clip, alternating in one run.

    python -m benchmarks.throughput ../shared/data/TUD-Stadtmitte.mp4 --gt ../shared/data/TUD-Stadtmitte.gt.txt

Both sides run as processes of their own, one after the other, N times; medians are printed and their ratio. Ours counts
from the first frame published to the last track published, theirs from the first frame read to the last result, both
after the engine is warm. Theirs gets its OpenVINO export of exactly the clip's shape and ByteTrack.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.accuracy import score_mot

THEIRS = """
import sys, time
import numpy as np
from ultralytics import YOLO

model_path, video, out, width, height, conf, tracker = sys.argv[1:]
size = (int(height), int(width))
model = YOLO(model_path, task="pose")
model.predict(np.zeros((*size, 3), np.uint8), imgsz=size, verbose=False)
rows, frames, begin = [], 0, time.perf_counter()
for frame, result in enumerate(
    model.track(video, stream=True, tracker=tracker, imgsz=size, conf=float(conf), verbose=False), start=1
):
    frames = frame
    if result.boxes.id is not None:
        for track_id, (x1, y1, x2, y2), score in zip(result.boxes.id, result.boxes.xyxy, result.boxes.conf):
            rows.append(f"{frame},{int(track_id)},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{score:.4f},-1,-1,-1")
seconds = time.perf_counter() - begin
open(out, "w").write("\\n".join(rows) + "\\n")
print("FPS", frames / seconds)
"""


def ours(video: Path, folder: Path, options: list[str]) -> tuple[float, Path]:
    """Frames per second and MOT file of one `posebus run`."""
    command = [sys.executable, "-m", "posebus.cli", "run", str(video), "--out", str(folder), "--no-video", *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    summary = json.loads((folder / "summary.json").read_text())
    return float(summary["fps"]), folder / f"{video.stem}.mot.txt"


def theirs(model: Path, video: Path, folder: Path, size_px: tuple[int, int], tracker: str) -> tuple[float, Path]:
    """Frames per second and MOT file of one `model.track`."""
    out = folder / "theirs.mot.txt"
    arguments = [str(model), str(video), str(out), str(size_px[0]), str(size_px[1]), "0.1", tracker]
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, *arguments], check=True, capture_output=True, text=True, cwd=folder
    )
    return float(done.stdout.rsplit("FPS", 1)[1]), out


def export_theirs(folder: Path, size_px: tuple[int, int]) -> Path:
    """Ultralytics' own OpenVINO export of the default weights, for exactly this input shape."""
    from posebus.config import cache_folder
    from posebus.settings import Settings
    from workers.weights import resolve_weights

    weights = resolve_weights("yolo11n-pose", allow_unknown=False, cache_dir=cache_folder(Settings()))
    copy = folder / "yolo11n-pose.pt"
    copy.write_bytes(weights.path.read_bytes())
    script = (
        "import sys; from ultralytics import YOLO; "
        "YOLO(sys.argv[1]).export(format='openvino', imgsz=(int(sys.argv[3]), int(sys.argv[2])))"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(copy), str(size_px[0]), str(size_px[1])],
        check=True,
        cwd=folder,
        capture_output=True,
    )
    return folder / "yolo11n-pose_openvino_model"


def input_size(video: Path, imgsz: int) -> tuple[int, int]:
    """(width, height) of the network's input for `video`."""
    import av

    from workers.preprocess import Letterbox

    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        return Letterbox.fit((stream.width, stream.height), imgsz).input_px


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--gt", type=Path, help="MOTChallenge ground truth: adds HOTA and IDF1 of both")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--imgsz", type=int, default=640)
    parser.add_argument("--tracker", default="bytetrack.yaml")
    parser.add_argument("options", nargs="*", help="further options of posebus run, after --")
    arguments = parser.parse_args()
    video = arguments.video.resolve()
    speeds: dict[str, list[float]] = {"posebus run": [], "model.track": []}
    files: dict[str, Path] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size_px = input_size(video, arguments.imgsz)
        model = export_theirs(folder, size_px)
        options = ["--imgsz", str(arguments.imgsz), *arguments.options]
        ours(video, folder / "warm-up", options)
        for run in range(arguments.runs):
            for side in speeds:
                if side == "posebus run":
                    fps, files[side] = ours(video, folder / f"ours-{run}", options)
                else:
                    fps, files[side] = theirs(model, video, folder, size_px, arguments.tracker)
                speeds[side].append(fps)
                print(f"{side}: {fps:.1f} fps", file=sys.stderr, flush=True)
        report(speeds, {side: score_mot(arguments.gt, path) for side, path in files.items()} if arguments.gt else {})


def report(speeds: dict[str, list[float]], scores: dict[str, dict[str, float]]) -> None:
    print(f"\n{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
    print("| | fps median | min | max | HOTA | IDF1 |\n|---|---|---|---|---|---|")
    for side, values in speeds.items():
        quality = " | ".join(f"{scores[side][key]:.3f}" if side in scores else "-" for key in ("HOTA", "IDF1"))
        median = statistics.median(values)
        print(f"| {side} | {median:.1f} | {min(values):.1f} | {max(values):.1f} | {quality} |")
    ratios = [one / other for one, other in zip(*speeds.values(), strict=True)]
    print(f"\nratio ours / theirs, pair by pair: median {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
