"""Trackers run over a scene's frames, timed and scored; and the best that is possible with these detections."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchmarks.common.clips import Clip, pictures
from benchmarks.common.hota import METRICS, matched, score, without_distractors
from benchmarks.common.mot import Row, Rows
from benchmarks.tracking.peers import TRACKERS, People
from benchmarks.tracking.stresses import STRESSES, Stress
from posebus.messages import PoseFrame

BOUND = "bound"
"""The row of `bound`."""

Scores = dict[str, float]
"""The METRICS of one tracker and, where it was timed, `us_per_frame`."""

ReportProgress = Callable[[str], None]
"""Is told what was just done, for a display of progress."""


@dataclass(frozen=True, slots=True)
class AnnotatedClip:
    """A clip and what is true in it: rows by frame number, `seq` + 1; distractors: see `accuracy`."""

    clip: Clip
    truth: Rows
    distractors: Rows = field(default_factory=dict)

    @property
    def frames(self) -> list[PoseFrame]:
        """The clip's frames up to the last one that somebody annotated."""
        end = max(self.truth)
        return [frame for frame in self.clip.frames if frame.seq < end]


def run(name: str, clip: Clip, frames: list[PoseFrame]) -> tuple[Rows, float]:
    """One tracker over `frames`: its rows by frame number from 1, and its median microseconds per update."""
    kind = TRACKERS[name]
    contender = kind.make(clip.fps)
    views = pictures(clip, frames) if kind.needs_pictures else None
    rows: Rows = {}
    took_us = []
    gc.collect()
    for frame in frames:
        prepared = contender.prepare(frame, None if views is None else next(views))
        begun_s = time.perf_counter()
        answer = contender.update(*prepared)
        took_us.append((time.perf_counter() - begun_s) * 1e6)
        rows[frame.seq + 1] = rows_of(contender.people(answer))
    return rows, statistics.median(took_us) if took_us else 0.0


def rows_of(people: People) -> list[Row]:
    """Left, top, width and height for corners."""
    return [
        (number, float(left), float(top), float(right - left), float(bottom - top))
        for number, (left, top, right, bottom) in people
    ]


def attempt(name: str, clip: Clip, frames: list[PoseFrame]) -> tuple[Rows, float] | None:
    """`run`, or None and a sentence on stderr: the fault of one peer must not cost the results of all others."""
    try:
        return run(name, clip, frames)
    except Exception as error:
        if name.startswith("posebus"):
            raise
        print(f"{name} fails on {clip.name} and is left out: {type(error).__name__}: {error}", file=sys.stderr)
        return None


def bound(truth: Rows, frames: list[PoseFrame]) -> Rows:
    """The detections themselves under the identity of whom they match, the others left out.

    Matched one to one in each frame, IoU from 0.5 on, largest sum. No tracker that writes these boxes can do much
    better; one that moves them can, a little.
    """
    rows: Rows = {}
    for frame in frames:
        expected = truth.get(frame.seq + 1, [])
        corners = frame.boxes_xyxy_px.astype(float)
        found = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        rows[frame.seq + 1] = [(expected[person][0], *found[row].tolist()) for person, row in matched(expected, found)]
    return rows


def scored(scene: AnnotatedClip, rows: Rows, frames: list[PoseFrame]) -> Scores:
    """The METRICS over those `frames` alone, counted anew from 1: dropped frames are nobody's mistake."""
    numbers = [frame.seq + 1 for frame in frames]
    kept = without_distractors(scene.truth, scene.distractors, rows)
    return score(
        {place: scene.truth.get(number, []) for place, number in enumerate(numbers, 1)},
        {place: kept.get(number, []) for place, number in enumerate(numbers, 1)},
    )


def compared(scene: AnnotatedClip, names: list[str], runs: int, step: ReportProgress) -> dict[str, Scores]:
    """A line for the bound and for each tracker in `names`, timed by the median of `runs` runs.

    Trackers take turns, so that a busy moment of the machine hits all of them.
    """
    frames = scene.frames
    lines: dict[str, Scores] = {BOUND: scored(scene, bound(scene.truth, frames), frames)}
    first: dict[str, Rows] = {}
    times_us: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(runs):
        for name in list(times_us):
            done = attempt(name, scene.clip, frames)
            if done is None:
                del times_us[name]
            else:
                first.setdefault(name, done[0])
                times_us[name].append(done[1])
            step(name)
    for name, taken_us in times_us.items():
        lines[name] = {**scored(scene, first[name], frames), "us_per_frame": statistics.median(taken_us)}
    return lines


def stressed(scene: AnnotatedClip, plain: dict[str, Scores], step: ReportProgress) -> dict[str, dict[str, Scores]]:
    """For each stress a line for the bound and every tracker in `plain`: means over the stress's seeds."""
    results: dict[str, dict[str, Scores]] = {}
    for title, stress in STRESSES.items():
        results[title] = {}
        for name in plain:
            if stress.keypoints_only and (name == BOUND or not TRACKERS[name].uses_keypoints):
                line: Scores | None = {metric: plain[name][metric] for metric in METRICS}
            else:
                line = _under(stress, scene, name)
            if line is not None:
                results[title][name] = line
            step(name)
    return results


def _under(stress: Stress, scene: AnnotatedClip, name: str) -> Scores | None:
    lines = []
    for seed in range(stress.seeds):
        frames = stress.apply(scene.frames, seed)
        done = (bound(scene.truth, frames), 0.0) if name == BOUND else attempt(name, scene.clip, frames)
        if done is None:
            return None
        lines.append(scored(scene, done[0], frames))
    return {metric: statistics.fmean(line[metric] for line in lines) for metric in METRICS}
