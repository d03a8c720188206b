"""What each idea of the tracker contributes: HOTA and IDF1 without it, less those with all of them.

    python -m benchmarks.tracking.ablation [--data DIR] [--imgsz 640] [--seeds 2]

On every clip with ground truth, also with half of its frames and with four fifths of its detections, and on made-up
scenes of each kind (which have no colours). An idea that earns its place shows negative numbers.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.common.clips import Clip
from benchmarks.common.mot import Rows
from benchmarks.scenes.scene import KINDS, scene
from benchmarks.tracking.command import ROOT, load_scene, sequences
from benchmarks.tracking.peers import confirmed
from benchmarks.tracking.scores import AnnotatedClip, Scores, rows_of, scored
from benchmarks.tracking.stresses import STRESSES, Stress
from benchmarks.tracking.table import Table
from posebus.config.settings import TrackerSettings
from posebus.messages import PoseFrame
from tracking import PoseTracker, body_model
from tracking.motion import smoothing

SHOWN = ("HOTA", "IDF1")
HARD = ("50 % of frames", "80 % of detections")
AS_IT_IS = Stress(lambda frames, seed: frames)
ALL = "with all"

Frames = list[PoseFrame]


def untouched(frames: Frames) -> Frames:
    return frames


@dataclass(frozen=True, slots=True)
class Variant:
    """A tracker without one idea: settings, tables of constants changed by name, or frames that lack something."""

    settings: dict[str, float] = field(default_factory=dict)
    borders: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, float] = field(default_factory=dict)
    motion: dict[str, tuple[float, ...]] = field(default_factory=dict)
    box_share: tuple[float, ...] | None = None
    frames: Callable[[Frames], Frames] = untouched


def _without_joints(frames: Frames) -> Frames:
    return [replace(frame, keypoints_px=None) for frame in frames]


def _without_colours(frames: Frames) -> Frames:
    return [replace(frame, appearance=None) for frame in frames]


def _counted(frames: Frames) -> Frames:
    """Times as of a tracker that counts frames: every two are one usual step apart, whatever was dropped between."""
    if len(frames) < 2:
        return frames
    steps = [(b.captured_at_ns - a.captured_at_ns) / (b.seq - a.seq) for a, b in pairwise(frames)]
    step_ns = round(statistics.median(steps))
    return [replace(frame, captured_at_ns=place * step_ns) for place, frame in enumerate(frames)]


_SETTINGS = TrackerSettings()

VARIANTS: dict[str, Variant] = {
    ALL: Variant(),
    "skeletons": Variant(frames=_without_joints),
    "mirrored skeletons": Variant(evidence={"mirrored": 0.0}),
    "skeleton for a box that leapt": Variant(evidence={"pose_alone_visible": 2.0}),
    "colours": Variant(frames=_without_colours),
    "elapsed time (frames counted)": Variant(frames=_counted),
    "doubtful detections": Variant(settings={"low_score": _SETTINGS.high_score}),
    "coasting of who is missed": Variant(settings={"missed_s": 0.0}),
    "coasting of who is hidden": Variant(borders={"hidden_share": 2.0}),
    "memory of who is lost": Variant(settings={"lost_s": _SETTINGS.in_sight_s, "report_lost_s": 0.1}),
    "not waiting for who walked out": Variant(settings={"leaving_s": _SETTINGS.lost_s}),
    "slivers do not count": Variant(borders={"sliver": 0.0}),
    "steady width": Variant(
        motion={name: (*values[:2], values[3], values[3]) for name, values in body_model.MOTION._asdict().items()},
        box_share=(*smoothing.BOX_SHARE[:2], smoothing.BOX_SHARE[0], smoothing.BOX_SHARE[3]),
    ),
    "smoothed boxes": Variant(box_share=(0.0, 0.0, 0.0, 0.0)),
}


@contextmanager
def lacking(variant: Variant) -> Iterator[None]:
    """The tracker's tables as the variant wants them."""
    tables: list[tuple[Any, str, Any]] = [
        (body_model, "BORDERS", body_model.BORDERS._replace(**variant.borders)),
        (body_model, "EVIDENCE", body_model.EVIDENCE._replace(**variant.evidence)),
        (body_model, "MOTION", body_model.MOTION._replace(**variant.motion)),
        (smoothing, "BOX_SHARE", variant.box_share or smoothing.BOX_SHARE),
    ]
    kept = [(module, name, getattr(module, name)) for module, name, _ in tables]
    try:
        for module, name, value in tables:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


def tracked(variant: Variant, frames: Frames) -> Rows:
    """Rows of who is confirmed, by frame number from 1."""
    tracker = PoseTracker(_SETTINGS.model_copy(update=variant.settings))
    rows: Rows = {}
    for frame, seen in zip(frames, variant.frames(frames), strict=True):
        rows[frame.seq + 1] = rows_of(confirmed(tracker.update(seen)))
    return rows


def measured(variant: Variant, scenes: list[AnnotatedClip], stress: Stress) -> Scores:
    """Means of SHOWN over the scenes and the stress's seeds."""
    lines = []
    with lacking(variant):
        for one in scenes:
            for seed in range(stress.seeds):
                frames = stress.apply(one.frames, seed)
                lines.append(scored(one, tracked(variant, frames), frames))
    return {metric: statistics.fmean(line[metric] for line in lines) for metric in SHOWN}


def columns(options: argparse.Namespace) -> dict[str, tuple[list[AnnotatedClip], Stress]]:
    found: dict[str, tuple[list[AnnotatedClip], Stress]] = {}
    for name, (video, truth) in sequences(options.data).items():
        clip = [load_scene(video, truth, options.imgsz, None, options)]
        found[name] = (clip, AS_IT_IS)
        found |= {f"{name}, {title}": (clip, STRESSES[title]) for title in HARD}
    made = [(kind, *scene(kind, seed)) for kind in KINDS.values() for seed in range(options.seeds)]
    if made:
        scenes = [AnnotatedClip(Clip(kind.name, None, kind.fps, frames), truth) for kind, frames, truth in made]
        found[f"{len(made)} made-up scenes"] = (scenes, AS_IT_IS)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="videos and NAME.gt.txt")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "posebus" / "poses")
    parser.add_argument("--model", default="yolo11n-pose")
    parser.add_argument("--imgsz", type=int, default=640, help="of the network (640)")
    parser.add_argument("--seeds", type=int, default=2, help="made-up scenes of each kind (2)")
    options = parser.parse_args()
    over = columns(options)
    whole: dict[str, Scores] = {}
    rows = []
    for name, variant in VARIANTS.items():
        cells = [name if name == ALL else f"without: {name}"]
        for title, (scenes, stress) in over.items():
            line = measured(variant, scenes, stress)
            base = whole.setdefault(title, line)
            cells += [f"{line[m]:.3f}" if name == ALL else f"{line[m] - base[m]:+.3f}" for m in SHOWN]
        rows.append(cells)
        print(f"{len(rows)} of {len(VARIANTS)}: {cells[0]}", file=sys.stderr, flush=True)
    header = ["", *(cell for title in over for cell in (f"{title}: HOTA", "IDF1"))]
    print(Table("what each idea contributes", header, rows).markdown())


if __name__ == "__main__":
    main()
