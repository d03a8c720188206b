"""Trackers run over a clip's frames, timed and scored; and the best possible result with the same detections."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.common.annotated import AnnotatedClip, scored
from benchmarks.common.clips import Clip, pictures
from benchmarks.common.hota import METRICS, matched
from benchmarks.common.mot import Row, Rows
from benchmarks.tracking.peers import TRACKERS, People
from benchmarks.tracking.stresses import STRESSES, Stress
from posebus.messages import PoseFrame

BOUND = "bound"
"""The name of the row of `bound`."""

Scores = dict[str, float]
"""The METRICS of one tracker and, where it was timed, `us_per_frame`."""

ReportProgress = Callable[[str], None]
"""Called with the name of the tracker that has just run, for a display of progress."""


def run(name: str, clip: Clip, frames: list[PoseFrame]) -> tuple[Rows, float]:
    """One tracker over `frames`: its rows by frame number from 1, and its median microseconds per update."""
    spec = TRACKERS[name]
    contender = spec.make(clip.fps)
    views = pictures(clip, frames) if spec.needs_pictures else None
    people = []
    update_us = []
    gc.collect()
    for frame in frames:
        prepared = contender.prepare(frame, None if views is None else next(views))
        begin_s = time.perf_counter()
        answer = contender.update(*prepared)
        update_us.append((time.perf_counter() - begin_s) * 1e6)
        # At once, since a tracker may change what it has returned.
        people.append(answer if contender.corrected else contender.people(answer))
    if contender.corrected:
        people = [contender.people(answer) for answer in contender.corrected(people)]
    rows = {frame.seq + 1: rows_of(found) for frame, found in zip(frames, people, strict=True)}
    return rows, statistics.median(update_us) if update_us else 0.0


def rows_of(people: People) -> list[Row]:
    """Rows with left, top, width and height, from corners."""
    return [
        (number, float(left), float(top), float(right - left), float(bottom - top))
        for number, (left, top, right, bottom) in people
    ]


def attempt(name: str, clip: Clip, frames: list[PoseFrame]) -> tuple[Rows, float] | None:
    """`run`, or None and a message on stderr: an error of one peer must not cost the results of the others."""
    try:
        return run(name, clip, frames)
    except Exception as error:
        if name.startswith("posebus"):
            raise
        print(f"{name} fails on {clip.name} and is left out: {type(error).__name__}: {error}", file=sys.stderr)
        return None


def bound(truth: Rows, frames: list[PoseFrame]) -> Rows:
    """The detections themselves with the identities of the people that they match; unmatched ones are left out.

    They are matched one to one in each frame, with IoU from 0.5 on and the largest sum. A tracker that publishes the
    detected boxes cannot be better; one that moves them can be slightly better.
    """
    rows: Rows = {}
    for frame in frames:
        expected = truth.get(frame.seq + 1, [])
        corners = frame.boxes_xyxy_px.astype(float)
        found = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        rows[frame.seq + 1] = [(expected[person][0], *found[row].tolist()) for person, row in matched(expected, found)]
    return rows


def compared(annotated: AnnotatedClip, names: list[str], runs: int, step: ReportProgress) -> dict[str, Scores]:
    """The scores of the bound and of each tracker in `names`, timed by the median of `runs` runs.

    Trackers alternate, so that a busy moment of the machine affects all of them.
    """
    frames = annotated.frames
    lines: dict[str, Scores] = {BOUND: scored(annotated, bound(annotated.truth, frames), frames)}
    first: dict[str, Rows] = {}
    times_us: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(runs):
        for name in list(times_us):
            done = attempt(name, annotated.clip, frames)
            if done is None:
                del times_us[name]
            else:
                first.setdefault(name, done[0])
                times_us[name].append(done[1])
            step(name)
    for name, taken_us in times_us.items():
        lines[name] = {**scored(annotated, first[name], frames), "us_per_frame": statistics.median(taken_us)}
    return lines


def stressed(annotated: AnnotatedClip, plain: dict[str, Scores], step: ReportProgress) -> dict[str, dict[str, Scores]]:
    """For each stress the scores of the bound and of every tracker in `plain`: means over the stress's seeds."""
    results: dict[str, dict[str, Scores]] = {}
    for title, stress in STRESSES.items():
        results[title] = {}
        for name in plain:
            if stress.keypoints_only and (name == BOUND or not TRACKERS[name].uses_keypoints):
                line: Scores | None = {metric: plain[name][metric] for metric in METRICS}
            else:
                line = _under(stress, annotated, name)
            if line is not None:
                results[title][name] = line
            step(name)
    return results


def _under(stress: Stress, annotated: AnnotatedClip, name: str) -> Scores | None:
    lines = []
    for seed in range(stress.seeds):
        frames = stress.apply(annotated.frames, seed)
        done = (bound(annotated.truth, frames), 0.0) if name == BOUND else attempt(name, annotated.clip, frames)
        if done is None:
            return None
        lines.append(scored(annotated, done[0], frames))
    return {metric: statistics.fmean(line[metric] for line in lines) for metric in METRICS}
