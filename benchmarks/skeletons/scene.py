"""A scripted person before a camera: noisy keypoints, boxes and the truth, as messages of the contract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.scenes.camera import Camera
from benchmarks.skeletons.kinds import KINDS, VARIANTS
from benchmarks.skeletons.observed import Observed, observed
from benchmarks.skeletons.script import Interval, Script, played
from posebus.arrays import Float32Array, Float64Array
from posebus.messages import PoseFrame, Track, TrackFrame, TrackState

SIZES_PX = ((640, 480), (1280, 720), (1920, 1080))
COASTED_S = 1.0
"""A track without detection is reported for this long as coasted, with the last box and keypoints, and then lost."""


@dataclass(frozen=True, slots=True)
class SkeletonScene:
    """One person in T frames.

    times_s: (T,) capture times from 0. keypoints_px: (T, 17, 3) x, y, confidence as a network would report them.
    boxes_xyxy_px: (T, 4). detected: (T,) whether a network reports the person at all. true_px: (T, 17, 2) joints
    without noise. truth: what the person does, without gaps; labels are those of `benchmarks.skeletons.script`.
    """

    kind: str
    fps: float
    size_px: tuple[int, int]
    times_s: Float64Array
    keypoints_px: Float32Array
    boxes_xyxy_px: Float32Array
    detected: np.ndarray
    true_px: Float64Array
    truth: tuple[Interval, ...]

    def label_at(self, time_s: float) -> str:
        """The truth at a time; after the script's end, that of its last part."""
        return next((one.label for one in self.truth if time_s < one.end_s), self.truth[-1].label)

    def pose_frames(self, camera: str = "scene") -> list[PoseFrame]:
        """What a worker would publish: for the tracker."""
        return [
            PoseFrame(
                *(camera, 1, seq, self._ns(seq)),
                size_px=self.size_px,
                boxes_xyxy_px=self.boxes_xyxy_px[seq : seq + 1][: int(self.detected[seq])],
                scores=np.full(int(self.detected[seq]), 0.85, np.float32),
                keypoints_px=self.keypoints_px[seq : seq + 1][: int(self.detected[seq])],
            )
            for seq in range(len(self.times_s))
        ]

    def track_frames(self, camera: str = "scene", track_id: int = 1) -> list[TrackFrame]:
        """What a tracker would publish that never confuses anything: for rules and classifiers alone."""
        frames, last, seen_s = [], -1, 0.0
        for seq, time_s in enumerate(self.times_s):
            tracks: tuple[Track, ...] = ()
            last, seen_s = (seq, float(time_s)) if self.detected[seq] else (last, seen_s)
            if last >= 0 and time_s - seen_s <= COASTED_S:
                tracks = (self._track(seq, last, track_id),)
            elif last >= 0:
                tracks, last = (self._track(seq, last, track_id, TrackState.ENDED),), -1
                track_id += 1
            frames.append(TrackFrame(camera, 1, seq, self._ns(seq), size_px=self.size_px, tracks=tracks))
        return frames

    def _track(self, seq: int, row: int, track_id: int, state: str = TrackState.CONFIRMED) -> Track:
        seen = self.keypoints_px[row, :, 2] >= 0.3
        return Track(
            id=track_id,
            box_xyxy_px=self.boxes_xyxy_px[row],
            score=0.85,
            keypoints_px=self.keypoints_px[row],
            state=state,
            age_s=float(self.times_s[seq]),
            keypoint_visibility=np.where(seen & (row == seq), 2, 1).astype(np.uint8),
            pose_index=0 if row == seq else None,
            coasted=row != seq,
        )

    def _ns(self, seq: int) -> int:
        return round(float(self.times_s[seq]) * 1e9)


def scene(
    kind: str,
    fps: float = 15.0,
    seed: int = 0,
    *,
    noise: float = 1.0,
    missing: float = 1.0,
    camera: Camera | None = None,
) -> SkeletonScene:
    """One scene of a kind of `KINDS` or `VARIANTS`; the script does not depend on `fps`, so that rates can be compared.

    noise, missing: factors of the errors of joints, and of how often joints and whole people are not detected.
    camera: None for a random one. Raises ValueError for a kind that does not exist.
    """
    rng = np.random.default_rng([seed, (*sorted(KINDS), *sorted(VARIANTS)).index(kind)])
    script = (KINDS | VARIANTS)[kind](rng)
    return scene_of(script, kind, fps, rng, noise=noise, missing=missing, camera=camera)


def scene_of(
    script: Script,
    kind: str,
    fps: float,
    rng: np.random.Generator,
    *,
    noise: float = 1.0,
    missing: float = 1.0,
    camera: Camera | None = None,
) -> SkeletonScene:
    """The scene of any script, such as one of a test; `rng` draws person, camera and errors."""
    height_m = rng.uniform(1.55, 1.92)
    camera = camera or _random_camera(rng)
    times_s, body_m = played(script, rng, height_m)
    body_m = _placed(body_m, script, camera, rng)
    seen = observed(times_s, body_m, camera, script.hidden_below_m, rng)
    at = np.round(np.arange(0.0, times_s[-1], 1.0 / fps) / (times_s[1] - times_s[0])).astype(int)
    return _scene(kind, fps, camera, times_s[at], seen.rows(at).with_errors(noise, missing, at), script)


def _scene(
    kind: str, fps: float, camera: Camera, times_s: Float64Array, seen: Observed, script: Script
) -> SkeletonScene:
    return SkeletonScene(
        kind=kind,
        fps=fps,
        size_px=camera.size_px,
        times_s=times_s,
        keypoints_px=seen.keypoints_px(),
        boxes_xyxy_px=seen.boxes_xyxy_px.astype(np.float32),
        detected=seen.detected,
        true_px=seen.true_px,
        truth=script.truth,
    )


def _random_camera(rng: np.random.Generator) -> Camera:
    size_px = SIZES_PX[rng.integers(len(SIZES_PX))]
    height_m = rng.uniform(1.4, 4.5)
    # The axis meets the ground, or a person, about seven metres away.
    tilt = np.arctan2(height_m - rng.uniform(0.5, 1.1), 7.0)
    return Camera(size_px, float(rng.uniform(0.7, 1.1)) * size_px[0], float(height_m), float(tilt))


def _placed(body_m: Float64Array, script: Script, camera: Camera, rng: np.random.Generator) -> Float64Array:
    """The body turned to its heading, with the middle of its way in view of the camera unless the script places it."""
    heading = rng.uniform(-np.pi, np.pi) if script.heading is None else script.heading
    cos, sin = np.cos(heading), np.sin(heading)
    x, y = body_m[..., 0], body_m[..., 1]
    placed = np.stack([x * cos - y * sin, x * sin + y * cos, body_m[..., 2]], axis=-1)
    if script.place_m is not None:
        return placed + np.array([*script.place_m, 0.0])
    middle = placed[:, 11:13, :2].mean(axis=1)
    middle_m = (middle.min(axis=0) + middle.max(axis=0)) / 2
    reach_m = float(np.ptp(middle[:, 1])) / 2
    distance_m = rng.uniform(4.0, 10.0) + reach_m
    half_m = float(camera.half_view_m(np.array(distance_m)))
    aside_m = rng.uniform(-0.5, 0.5) * max(half_m - float(np.ptp(middle[:, 0])) / 2, 0.0)
    return placed + np.array([aside_m - middle_m[0], distance_m - middle_m[1], 0.0])
