"""`infer_fps: auto` and fixed rates on made-up scenes and kept poses: minutes for what takes `posebus run` hours.

    python -m benchmarks.economy.simulation [--data DIR] [--seeds 3] [--clips TUD-Stadtmitte.mp4 vtest.avi=1280]

Tracker, planner and gate are the real ones, and each frame follows the plan that it would follow: of a recording the
one that was decided a second before, of a live camera the one of the frames 0.2 s ago. Only the pictures are missing:
their poses are made up (benchmarks/scenes/scene.py) or kept from one run of the network over every frame, so that
nothing is told here of the motion gate and of sizes. HOTA and IDF1 are by the truth of a scene or clip, by the tracks
of every frame where there is none. Beside `auto` stand fixed rates: a policy that is worth anything does better than
the one that costs as much.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.clips import load_clip
from benchmarks.common.hota import score, without_distractors
from benchmarks.common.mot import Rows, read_distractors, read_mot
from benchmarks.scenes.scene import KINDS, scene
from benchmarks.tracking.peers import confirmed
from benchmarks.tracking.scores import rows_of
from ingest.gate.gating import Gate
from posebus.config.policies import AUTO, Policies
from posebus.contract.plan import LAG_S, Directive
from posebus.messages import CaptureClock, Delivery, PoseFrame, Uninferred
from tracking import PoseTracker
from tracking.planning import LIVE_DELAY_S, Planner

CLIPS = ("TUD-Stadtmitte.mp4=640", "vtest.avi=1280", "one-by-one-person-detection.mp4=640")
WAYS = {
    "every frame": (Policies(), True),
    "auto": (Policies(infer_fps=AUTO), True),
    "auto, live": (Policies(infer_fps=AUTO), False),
    "12 a second": (Policies(infer_fps=12.0), True),
    "6 a second": (Policies(infer_fps=6.0), True),
    "3 a second": (Policies(infer_fps=3.0), True),
}
EVERY = "every frame"


@dataclass(frozen=True, slots=True)
class Scene:
    """Frames with their poses, and what is true: rows by frame number from 1; None where nobody annotated them."""

    name: str
    frames: Sequence[PoseFrame]
    truth: Rows | None
    video: Path | None = None


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """rows: who is reported as there, by frame number from 1; inferred: how many frames were looked at."""

    rows: Rows
    inferred: int


def main() -> None:
    """Print tables, one scene after the other, then the means over the made-up ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the clips")
    parser.add_argument("--clips", nargs="*", default=list(CLIPS), metavar="NAME=IMGSZ", help="and at which size")
    parser.add_argument("--seeds", type=int, default=3, help="made-up scenes of each kind; 0: none")
    parser.add_argument("--model", default="yolo11n-pose")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "posebus" / "poses")
    arguments = parser.parse_args()
    print("| scene | policy | inferred | HOTA | IDF1 | IDF1 lost |\n|---|---|---|---|---|---|")
    for one in clips(arguments):
        show(one.name, [compared(one)])
    for kind in KINDS.values():
        found = [compared(Scene(kind.name, *scene(kind, seed))) for seed in range(arguments.seeds)]
        if found:
            show(f"{kind.name}, {kind.fps:g} fps", found)


def clips(arguments: argparse.Namespace) -> Iterator[Scene]:
    """The recordings with their poses. Raises SystemExit for one that is not there."""
    for text in arguments.clips:
        name, _, imgsz = text.partition("=")
        video = arguments.data / name
        if not video.is_file():
            raise SystemExit(f"there is no recording {video}: --data names the folder of the clips")
        print(f"{name}: poses of every frame at {imgsz or 640}", file=sys.stderr, flush=True)
        frames = load_clip(video, arguments.model, int(imgsz or 640), arguments.cache).frames
        annotated = video.with_suffix(".gt.txt")
        truth = read_mot(annotated, truth=True) if annotated.is_file() else None
        yield Scene(f"{video.stem}, {imgsz or 640} px", frames, truth, video)


def compared(one: Scene) -> dict[str, tuple[float, float, float]]:
    """(part that is inferred, HOTA, IDF1) of each way."""
    results = {name: run(one.frames, policies, lossless=lossless) for name, (policies, lossless) in WAYS.items()}
    truth = results[EVERY].rows if one.truth is None else one.truth
    lines = {}
    for name, result in results.items():
        rows = result.rows
        if one.truth is not None and one.video is not None:
            rows = without_distractors(truth, read_distractors(one.video.with_suffix(".gt.txt")), rows)
        scores = score(truth, rows)
        lines[name] = result.inferred / len(one.frames), scores["HOTA"], scores["IDF1"]
    return lines


def show(name: str, found: Sequence[dict[str, tuple[float, float, float]]]) -> None:
    """Means over the scenes, a row a way; what is lost against every frame with its standard error."""
    for way in WAYS:
        share, hota, idf1 = (statistics.fmean(lines[way][column] for lines in found) for column in range(3))
        lost = [lines[EVERY][2] - lines[way][2] for lines in found]
        error = f" ± {statistics.stdev(lost) / math.sqrt(len(lost)):.3f}" if len(lost) > 1 else ""
        cells = f"{share:.1%} | {hota:.3f} | {idf1:.3f} | {statistics.fmean(lost):+.3f}{error}"
        print(f"| {name} | {way} | {cells} |", flush=True)


def run(frames: Sequence[PoseFrame], policies: Policies, *, lossless: bool) -> SimulatedRun:
    """Track `frames` as a camera with these policies would be, its poses coming at once."""
    tracker, gate = PoseTracker(), Gate(policies)
    planner = Planner(frames[0].camera, policies, lossless=lossless)
    lag_ns = round((LAG_S if lossless else LIVE_DELAY_S) * 1e9)
    recent: deque[tuple[int, Directive]] = deque()
    rows: Rows = {}
    inferred = 0
    for frame in frames:
        while len(recent) > 1 and recent[1][0] <= frame.captured_at_ns - lag_ns:
            recent.popleft()
        directive = recent[0][1] if recent else policies.first(frame.epoch)
        if gate.judge(frame.captured_at_ns, None, directive).reason is None:
            inferred += 1
            found = tracker.update(frame)
            planner.inferred(frame, None, tracker.tracks)
        else:
            left_out = _left_out(frame)
            found = tracker.predict(left_out)
            planner.not_inferred(left_out, tracker.tracks)
        assert planner.directive is not None
        recent.append((frame.captured_at_ns, planner.directive))
        rows[frame.seq + 1] = rows_of(confirmed(found))
    return SimulatedRun(rows, inferred)


def _left_out(frame: PoseFrame) -> Uninferred:
    return Uninferred(
        frame.camera,
        frame.epoch,
        frame.seq,
        frame.captured_at_ns,
        clock=CaptureClock.FILE,
        delivery=Delivery.LOSSLESS,
        size_px=frame.size_px,
        reason="rate",
    )


if __name__ == "__main__":
    main()
