"""How much our tracker reduces the jitter of standing people, and how much delay that adds for running ones.

Synthetic people with known positions: a body height is 170 px, the detector's errors are normal and independent, 1.5 %
of the height on every side of the box and every coordinate of a joint. Standing people show the remaining jitter,
running ones (1.7 body heights a second, about 3 m/s, with turns and swinging limbs) the delay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from posebus.arrays import Float64Array
from posebus.messages import PoseFrame, TrackState

HEIGHT_PX = 170.0
NOISE = 0.015
SPEED = 1.7
RATES = (5.0, 10.0, 25.0, 60.0)
SECONDS = 20.0
SETTLED_S = 1.0
"""Left out at the start, where the track is new."""
SIZE_PX = (1280, 720)

Motion = Callable[[Float64Array], Float64Array]
"""True points (T, P, 2) in pixels at the times (T,) in seconds."""

TRUTH_STEP_S = 0.001

JOINTS = np.array(
    [
        *[(0.0, -0.42), (0.012, -0.44), (-0.012, -0.44), (0.028, -0.43), (-0.028, -0.43)],
        *[(0.08, -0.3), (-0.08, -0.3), (0.12, -0.15), (-0.12, -0.15), (0.12, -0.02), (-0.12, -0.02)],
        *[(0.05, 0.02), (-0.05, 0.02), (0.05, 0.24), (-0.05, 0.24), (0.05, 0.45), (-0.05, 0.45)],
    ]
)
"""A standing person around the middle of the box, (17, 2) in body heights."""

SWING = np.array([0, 0, 0, 0, 0, 0, 0, 0.08, -0.08, 0.16, -0.16, 0, 0, -0.1, 0.1, -0.25, 0.25])
"""The amplitude of each joint's swing along the course of a runner, in body heights."""
STRIDES_PER_S = 1.4


@dataclass(frozen=True, slots=True)
class Smoothness:
    """One row of the table; pixels are for a body of HEIGHT_PX.

    error: root mean square distance from the truth. tremble: root mean square of the second difference from frame to
    frame. lag_ms: the delay that best aligns the output with the truth. reported: part of the frames in which the
    person was reported, under `ids` identities. raw_*: the same of the detections.
    """

    scene: str
    points: str
    fps: float
    raw_error_px: float
    error_px: float
    raw_tremble_px: float
    tremble_px: float
    raw_lag_ms: float
    lag_ms: float
    reported: float
    ids: int


def standing(times_s: Float64Array) -> Float64Array:
    """Joints (T, 17, 2) of a person who does not move."""
    return np.broadcast_to(np.array([640.0, 360.0]) + HEIGHT_PX * JOINTS, (len(times_s), 17, 2)).copy()


def running(times_s: Float64Array) -> Float64Array:
    """Joints (T, 17, 2) of a person who runs to and fro, 3 s each way, with turns of 1.8 s (5 m/s² at most)."""
    joints = standing(times_s)
    swing = SWING * np.sin(2 * np.pi * STRIDES_PER_S * times_s)[:, None]
    joints[:, :, 0] += HEIGHT_PX * (_to_and_fro(times_s, leg_s=3.0, turn_s=1.8)[:, None] * SPEED + swing)
    return joints


def box_corners(joints: Motion) -> Motion:
    """The two corners (T, 2, 2) of the box around a person in this motion; its sides do not swing with the limbs."""

    def corners(times_s: Float64Array) -> Float64Array:
        hips = joints(times_s)[:, 11:13].mean(axis=1)
        middle = hips - HEIGHT_PX * JOINTS[11:13].mean(axis=0)
        half = HEIGHT_PX * np.array([0.2, 0.5])
        return np.stack([middle - half, middle + half], axis=1)

    return corners


def lag_s(times_s: Float64Array, reported: Float64Array, truth: Motion, longest_s: float = 0.4) -> float:
    """The delay in seconds with which the truth is closest to `reported` (T, P, 2), least squares; negative if it is
    ahead.

    It is searched in steps of 2 ms within `longest_s`, then refined by a parabola."""
    delays = np.arange(-longest_s, longest_s + 1e-9, 0.002)
    costs = np.array([float(np.square(reported - truth(times_s - delay)).mean()) for delay in delays])
    best = int(np.clip(costs.argmin(), 1, len(delays) - 2))
    before, here, after = costs[best - 1 : best + 2]
    curvature = before - 2 * here + after
    shift = 0.5 * (before - after) / curvature if curvature > 0 else 0.0
    return float(delays[best] + np.clip(shift, -1, 1) * 0.002)


def error_px(reported: Float64Array, truth: Float64Array) -> float:
    """Root mean square distance between points (T, P, 2)."""
    return float(np.sqrt(np.square(reported - truth).sum(axis=2).mean()))


def tremble_px(times_s: Float64Array, error: Float64Array) -> float:
    """Root mean square second difference of errors (T, P, 2) from frame to frame, over frames without gaps."""
    steps = np.diff(times_s)
    even = np.abs(np.diff(steps)) < 0.25 * np.median(steps)
    jumps = np.diff(error, n=2, axis=0)[even]
    return float(np.sqrt(np.square(jumps).sum(axis=2).mean())) if len(jumps) else 0.0


def measured(scene: str, motion: Motion, fps: float, seed: int = 0) -> list[Smoothness]:
    """Two rows for our tracker in this motion at this rate: the box and the keypoints."""
    from tracking import PoseTracker

    times_s = np.arange(0, SECONDS, 1 / fps)
    rng = np.random.default_rng(seed)
    truths = {"box": box_corners(motion), "keypoints": motion}
    raw = {name: truth(times_s) for name, truth in truths.items()}
    raw = {name: points + rng.normal(0, NOISE * HEIGHT_PX, points.shape) for name, points in raw.items()}
    tracker = PoseTracker()
    kept: list[int] = []
    ids: set[int] = set()
    found: dict[str, list[Float64Array]] = {name: [] for name in raw}
    for index, time_s in enumerate(times_s):
        frame = _pose_frame(index, float(time_s), raw["box"][index], raw["keypoints"][index])
        tracks = [track for track in tracker.update(frame).tracks if track.state == TrackState.CONFIRMED]
        if time_s < SETTLED_S or not tracks:
            continue
        kept.append(index)
        ids.add(tracks[0].id)
        found["box"].append(tracks[0].box_xyxy_px.reshape(2, 2).astype(float))
        joints = tracks[0].keypoints_px
        found["keypoints"].append(raw["keypoints"][index] if joints is None else joints[:, :2].astype(float))
    wanted = int((times_s >= SETTLED_S).sum())
    lines = []
    for name, truth in truths.items():
        at_s, true = times_s[kept], truth(times_s[kept])
        rows = {"raw_": raw[name][kept], "": np.array(found[name]).reshape(true.shape)}
        figures = {}
        for side, points in rows.items():
            figures[f"{side}error_px"] = error_px(points, true)
            figures[f"{side}tremble_px"] = tremble_px(at_s, points - true)
            figures[f"{side}lag_ms"] = 1000 * lag_s(at_s, points, truth) if scene == "running" else 0.0
        lines.append(Smoothness(scene, name, fps, **figures, reported=len(kept) / wanted, ids=len(ids)))
    return lines


def all_measured() -> list[Smoothness]:
    """The rows for standing and running at all RATES."""
    motions = {"standing": standing, "running": running}
    return [line for scene, motion in motions.items() for fps in RATES for line in measured(scene, motion, fps)]


def _to_and_fro(times_s: Float64Array, leg_s: float, turn_s: float) -> Float64Array:
    """The position of a person who goes at speed 1 for leg_s, turns within turn_s by a cosine, and goes back,
    repeatedly."""
    period_s = 2 * (leg_s + turn_s)
    grid_s = np.arange(0, period_s, TRUTH_STEP_S)
    phase_s = grid_s % (leg_s + turn_s)
    speed = np.where(phase_s < leg_s, 1.0, np.cos(np.pi * (phase_s - leg_s) / turn_s))
    speed = np.where(grid_s < leg_s + turn_s, speed, -speed)
    path = np.concatenate([[0.0], np.cumsum(speed) * TRUTH_STEP_S])
    return np.interp(times_s % period_s, np.append(grid_s, period_s), path - path.max() / 2)


def _pose_frame(seq: int, time_s: float, corners: Float64Array, joints: Float64Array) -> PoseFrame:
    scored = np.concatenate([joints, np.full((17, 1), 0.9)], axis=1)
    return PoseFrame(
        camera="smoothness",
        epoch=1,
        seq=seq,
        captured_at_ns=round(time_s * 1e9),
        size_px=SIZE_PX,
        boxes_xyxy_px=corners.reshape(1, 4).astype(np.float32),
        scores=np.array([0.9], np.float32),
        keypoints_px=scored[None].astype(np.float32),
    )
