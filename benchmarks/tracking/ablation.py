"""The contribution of each idea of the tracker: HOTA and IDF1 without it, minus those of the whole tracker.

    python -m benchmarks.tracking.ablation [--data DIR] [--imgsz 640] [--seeds 2] [--moving [1]]

The variants run on every clip with ground truth, also with half of its frames and with four fifths of its detections,
and on synthetic scenes of each kind, whose people wear clothes (`benchmarks.tracking.clothes`); with --moving also on
the scenes of `benchmarks.moving`, as the share of takes in which everybody kept one number. Corrections are applied to
the frames before them (`posebus.subscribing.renaming`). An idea that helps shows negative numbers.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.common.annotated import AnnotatedClip, scored
from benchmarks.common.clips import Clip
from benchmarks.common.mot import Rows
from benchmarks.common.paths import DATA, poses_cache
from benchmarks.moving.camera import with_true_motion
from benchmarks.moving.catalogue import SCENES as MOVING
from benchmarks.moving.judging import judged
from benchmarks.moving.take import Take
from benchmarks.scenes.scene import KINDS, scene
from benchmarks.tracking.clothes import dressed
from benchmarks.tracking.command import load_annotated, sequences
from benchmarks.tracking.peers import confirmed
from benchmarks.tracking.scores import Scores, rows_of
from benchmarks.tracking.stresses import STRESSES, Stress
from benchmarks.tracking.table import Table
from posebus.config.settings import TrackerSettings
from posebus.messages import PoseFrame
from posebus.subscribing.renaming import with_final_ids
from tracking import PoseTracker, body_model
from tracking.motion import smoothing

SHOWN = ("HOTA", "IDF1")
STRESSED = ("50 % of frames", "80 % of detections")
UNSTRESSED = Stress(lambda frames, seed: frames)
ALL = "whole tracker"

Frames = list[PoseFrame]


def unchanged(frames: Frames) -> Frames:
    """The frames themselves."""
    return frames


@dataclass(frozen=True, slots=True)
class Variant:
    """A tracker without one idea: changed settings, changed constants by table and name, or frames that lack
    something."""

    settings: dict[str, float] = field(default_factory=dict)
    borders: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, float] = field(default_factory=dict)
    one_body: dict[str, float] = field(default_factory=dict)
    motion: dict[str, tuple[float, ...]] = field(default_factory=dict)
    doubts: dict[str, float] = field(default_factory=dict)
    box_share: tuple[float, ...] | None = None
    frames: Callable[[Frames], Frames] = unchanged


def _without_joints(frames: Frames) -> Frames:
    return [replace(frame, keypoints_px=None) for frame in frames]


def _without_colours(frames: Frames) -> Frames:
    return [replace(frame, appearance=None) for frame in frames]


def _counted(frames: Frames) -> Frames:
    """Frames with the times that a tracker assumes that counts frames: all are one usual step apart."""
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
    "skeleton for a box that jumped": Variant(evidence={"pose_alone_visible": 2.0}),
    "colours": Variant(frames=_without_colours),
    "second thoughts": Variant(doubts={"margin": math.inf}),
    "elapsed time (frames counted)": Variant(frames=_counted),
    "doubtful detections": Variant(settings={"low_score": _SETTINGS.high_score}),
    "coasting of missed people": Variant(settings={"missed_s": 0.0}),
    "coasting of occluded people": Variant(borders={"hidden_share": 2.0}),
    "memory of lost tracks": Variant(settings={"lost_s": _SETTINGS.in_sight_s, "report_lost_s": 0.1}),
    "ending tracks of people who left": Variant(settings={"leaving_s": _SETTINGS.lost_s}),
    "ignoring slivers": Variant(borders={"sliver": 0.0}),
    "one person for two detections of a body": Variant(one_body={"contained": 2.0}),
    "steady width": Variant(
        motion={name: (*values[:2], values[3], values[3]) for name, values in body_model.MOTION._asdict().items()},
        box_share=(*smoothing.BOX_SHARE[:2], smoothing.BOX_SHARE[0], smoothing.BOX_SHARE[3]),
    ),
    "smoothed boxes": Variant(box_share=(0.0, 0.0, 0.0, 0.0)),
}


@contextmanager
def applied(variant: Variant) -> Iterator[None]:
    """Replace the tracker's tables of constants by the variant's while the context is open."""
    tables: list[tuple[Any, str, Any]] = [
        (body_model, "BORDERS", body_model.BORDERS._replace(**variant.borders)),
        (body_model, "EVIDENCE", body_model.EVIDENCE._replace(**variant.evidence)),
        (body_model, "ONE_BODY", body_model.ONE_BODY._replace(**variant.one_body)),
        (body_model, "MOTION", body_model.MOTION._replace(**variant.motion)),
        (body_model, "DOUBTS", body_model.DOUBTS._replace(**variant.doubts)),
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
    """The confirmed tracks of a variant with their final numbers, by place of the frame from 1."""
    tracker = PoseTracker(_SETTINGS.model_copy(update=variant.settings))
    found = with_final_ids(tracker.update(changed) for changed in variant.frames(frames))
    return {place: rows_of(confirmed(frame)) for place, frame in enumerate(found, 1)}


Measure = Callable[[Variant], Scores]
"""The figures of a variant, by the name of the column."""


def measured(clips: list[AnnotatedClip], stress: Stress, variant: Variant) -> Scores:
    """Means of SHOWN over the clips and the stress's seeds."""
    lines = []
    with applied(variant):
        for clip in clips:
            for seed in range(stress.seeds):
                frames = stress.apply(clip.frames, seed)
                rows = tracked(variant, frames)
                lines.append(
                    scored(clip, {frame.seq + 1: rows[place] for place, frame in enumerate(frames, 1)}, frames)
                )
    return {metric: statistics.fmean(line[metric] for line in lines) for metric in SHOWN}


def kept(takes: list[tuple[str, Take]], variant: Variant) -> Scores:
    """The share of takes of moving scenes in which everybody kept one number: the mean over the groups of scenes."""
    perfect: dict[str, list[bool]] = defaultdict(list)
    with applied(variant):
        for group, take in takes:
            rows = tracked(variant, take.film.frames)
            found = judged(take.film.truth, take.film.visible, rows, take.fps, take.focus)
            perfect[group].append(found.perfect)
    return {"perfect": statistics.fmean(statistics.fmean(of_group) for of_group in perfect.values())}


def moving_takes(seeds: int) -> dict[str, list[tuple[str, Take]]]:
    """Takes of all moving scenes with their groups: without the camera's motion, and of moving cameras with it."""
    takes = [(scene.group, scene.make(seed)) for scene in MOVING for seed in range(seeds)]
    with_motion = [
        (group, replace(take, film=replace(take.film, frames=with_true_motion(take.film.frames, take.path))))
        for group, take in takes
        if take.path is not None
    ]
    return {"moving scenes": takes, "moving cameras, motion given": with_motion}


def columns(options: argparse.Namespace) -> dict[str, Measure]:
    """What is measured, by the title of its columns."""
    found: dict[str, Measure] = {}
    for name, (video, truth) in sequences(options.data).items():
        clip = [load_annotated(video, truth, options.imgsz, None, options)]
        found[name] = partial(measured, clip, UNSTRESSED)
        found |= {f"{name}, {title}": partial(measured, clip, STRESSES[title]) for title in STRESSED}
    made = [(kind, seed, *scene(kind, seed)) for kind in KINDS.values() for seed in range(options.seeds)]
    if made:
        scenes = [
            AnnotatedClip(Clip(kind.name, None, kind.fps, dressed(kind, seed, frames)), truth)
            for kind, seed, frames, truth in made
        ]
        found[f"{len(made)} synthetic scenes"] = partial(measured, scenes, UNSTRESSED)
    if options.moving:
        moving = moving_takes(options.moving)
        found |= {f"{len(takes)} takes of {title}": partial(kept, takes) for title, takes in moving.items()}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of videos and NAME.gt.txt")
    parser.add_argument("--cache", type=Path, default=poses_cache(), help="folder of cached poses")
    parser.add_argument("--model", default="yolo11n-pose", help="network whose poses are tracked")
    parser.add_argument("--imgsz", type=int, default=640, help="input size of the network (640)")
    parser.add_argument("--seeds", type=int, default=2, help="synthetic scenes of each kind (2)")
    parser.add_argument(
        "--moving", type=int, nargs="?", const=1, default=0, help="takes of each scene of benchmarks.moving (0; 1)"
    )
    options = parser.parse_args()
    over = columns(options)
    whole: dict[str, Scores] = {}
    rows = []
    for name, variant in VARIANTS.items():
        cells = [name if name == ALL else f"without: {name}"]
        for title, measure in over.items():
            line = measure(variant)
            base = whole.setdefault(title, line)
            cells += [f"{line[m]:.3f}" if name == ALL else f"{line[m] - base[m]:+.3f}" for m in line]
        rows.append(cells)
        print(f"{len(rows)} of {len(VARIANTS)}: {cells[0]}", file=sys.stderr, flush=True)
    header = [
        f"{title}: {metric}" if metric == next(iter(line)) else metric
        for title, line in whole.items()
        for metric in line
    ]
    print(Table("contribution of each idea", ["", *header], rows).markdown())


if __name__ == "__main__":
    main()
