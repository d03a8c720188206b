"""`infer_fps: auto` and fixed rates on synthetic scenes and cached poses, in minutes instead of hours.

    python -m benchmarks.economy.simulation [--data DIR] [--seeds 3] [--clips TUD-Stadtmitte.mp4 vtest.avi=1280]

Tracker, planner and gate are the real ones, and each frame follows the plan that it would follow in `posebus run`: for
recordings the plan that was decided one second before, for live cameras that of the frames 0.2 s before. Only pictures
are missing: poses are synthetic (benchmarks/scenes/scene.py) or cached from one run of the network over every frame, so
the motion gate and sizes are not simulated. HOTA and IDF1 are by the truth of a scene or clip, or by the tracks of
every frame where there is none. `auto` is compared with fixed rates: a useful policy is better than the fixed rate of
the same cost.
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

from benchmarks.common.annotated import AnnotatedClip, scored
from benchmarks.common.clips import Clip, load_clip
from benchmarks.common.mot import Rows, read_distractors, read_mot
from benchmarks.common.paths import DATA, poses_cache
from benchmarks.scenes.scene import KINDS, scene
from benchmarks.tracking.peers import confirmed
from benchmarks.tracking.scores import rows_of
from ingest.gate.gating import Gate
from posebus.config.policies import AUTO, Policies
from posebus.contract.plan import LAG_S, Directive
from posebus.messages import CaptureClock, Delivery, PoseFrame, Uninferred
from tracking import PoseTracker
from tracking.policies.planning import LIVE_DELAY_S, Planner

CLIPS = ("TUD-Stadtmitte.mp4=640", "vtest.avi=1280", "one-by-one-person-detection.mp4=640")
VARIANTS = {
    "every frame": (Policies(), True),
    "auto": (Policies(infer_fps=AUTO), True),
    "auto, live": (Policies(infer_fps=AUTO), False),
    "12 a second": (Policies(infer_fps=12.0), True),
    "6 a second": (Policies(infer_fps=6.0), True),
    "3 a second": (Policies(infer_fps=3.0), True),
}
EVERY = "every frame"


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """rows: the confirmed tracks by frame number from 1. inferred: the number of inferred frames."""

    rows: Rows
    inferred: int


@dataclass(frozen=True, slots=True)
class VariantScore:
    """share: part of the frames that are inferred; the scores are in 0..1."""

    share: float
    hota: float
    idf1: float


def main() -> None:
    """Print a table: the recordings one after the other, then the means over the scenes of each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the clips")
    parser.add_argument(
        "--clips", nargs="*", default=list(CLIPS), metavar="NAME=IMGSZ", help="clips and input sizes of the network"
    )
    parser.add_argument("--seeds", type=int, default=3, help="synthetic scenes of each kind")
    parser.add_argument("--model", default="yolo11n-pose", help="network that predicts the poses of the clips")
    parser.add_argument("--cache", type=Path, default=poses_cache(), help="folder of cached poses")
    arguments = parser.parse_args()
    print("| scene | policy | inferred | HOTA | IDF1 | IDF1 lost |\n|---|---|---|---|---|---|")
    for title, clip, annotated in clips(arguments):
        show(title, [compared(clip, annotated)])
    for kind in KINDS.values():
        found = []
        for seed in range(arguments.seeds):
            frames, truth = scene(kind, seed)
            clip = Clip(kind.name, None, kind.fps, frames)
            found.append(compared(clip, AnnotatedClip(clip, truth)))
        if found:
            show(f"{kind.name}, {kind.fps:g} fps", found)


def clips(arguments: argparse.Namespace) -> Iterator[tuple[str, Clip, AnnotatedClip | None]]:
    """A title, the recording with its poses, and with its ground truth if it has one. Raises SystemExit."""
    for text in arguments.clips:
        name, _, imgsz = text.partition("=")
        video = arguments.data / name
        if not video.is_file():
            raise SystemExit(f"there is no recording {video}: name the folder of the clips with --data")
        print(f"{name}: poses of every frame at {imgsz or 640}", file=sys.stderr, flush=True)
        clip = load_clip(video, arguments.model, int(imgsz or 640), arguments.cache)
        truth = video.with_suffix(".gt.txt")
        annotated = None
        if truth.is_file():
            annotated = AnnotatedClip(clip, read_mot(truth, truth=True), read_distractors(truth))
        yield f"{video.stem}, {imgsz or 640} px", clip, annotated


def compared(clip: Clip, annotated: AnnotatedClip | None) -> dict[str, VariantScore]:
    """The score of each of VARIANTS, by the tracks of every frame where there is no ground truth."""
    runs = {name: run(clip.frames, policies, lossless=lossless) for name, (policies, lossless) in VARIANTS.items()}
    annotated = annotated or AnnotatedClip(clip, runs[EVERY].rows)
    found = {}
    for name, one in runs.items():
        scores = scored(annotated, one.rows, annotated.frames)
        found[name] = VariantScore(one.inferred / len(clip.frames), scores["HOTA"], scores["IDF1"])
    return found


def show(name: str, found: Sequence[dict[str, VariantScore]]) -> None:
    """Print a row for each variant: means over the scenes; the loss against every frame has its standard error."""
    for variant in VARIANTS:
        share, hota, idf1 = (
            statistics.fmean(getattr(scores[variant], figure) for scores in found)
            for figure in ("share", "hota", "idf1")
        )
        lost = [scores[EVERY].idf1 - scores[variant].idf1 for scores in found]
        error = f" ± {statistics.stdev(lost) / math.sqrt(len(lost)):.3f}" if len(lost) > 1 else ""
        cells = f"{share:.1%} | {hota:.3f} | {idf1:.3f} | {statistics.fmean(lost):+.3f}{error}"
        print(f"| {name} | {variant} | {cells} |", flush=True)


def run(frames: Sequence[PoseFrame], policies: Policies, *, lossless: bool) -> SimulatedRun:
    """Track `frames` as those of a camera with these policies, whose poses arrive without delay."""
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
            uninferred = _uninferred(frame)
            found = tracker.predict(uninferred)
            planner.not_inferred(uninferred, tracker.tracks)
        assert planner.directive is not None
        recent.append((frame.captured_at_ns, planner.directive))
        rows[frame.seq + 1] = rows_of(confirmed(found))
    return SimulatedRun(rows, inferred)


def _uninferred(frame: PoseFrame) -> Uninferred:
    return Uninferred(
        camera=frame.camera,
        epoch=frame.epoch,
        seq=frame.seq,
        captured_at_ns=frame.captured_at_ns,
        clock=CaptureClock.FILE,
        delivery=Delivery.LOSSLESS,
        size_px=frame.size_px,
        reason="rate",
    )


if __name__ == "__main__":
    main()
