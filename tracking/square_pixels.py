"""Tracking in square pixels, also for a source with oblong ones: all lengths have one scale in both directions.

Frames are converted before the tracker and its tracks back afterwards. Frames of square pixels are passed through.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from posebus.arrays import Float32Array
from posebus.messages import CameraMotion, PoseFrame, Probe, Track, TrackFrame, Uninferred
from posebus.square_pixels import SQUARE, square_size_px

InferredOrNot = TypeVar("InferredOrNot", PoseFrame, Uninferred)


def squared(frame: InferredOrNot) -> InferredOrNot:
    """Return `frame` with its size and all coordinates in square pixels; masks stay in pixels of the source."""
    if frame.pixel_aspect == SQUARE:
        return frame
    size_px = square_size_px(frame.size_px, frame.pixel_aspect)
    scale = _scale(frame.size_px, size_px)
    motion = _moved_motion(frame.camera_motion, scale)
    if isinstance(frame, Uninferred):
        return replace(frame, size_px=size_px, pixel_aspect=SQUARE, camera_motion=motion)
    return replace(
        frame,
        size_px=size_px,
        pixel_aspect=SQUARE,
        camera_motion=motion,
        boxes_xyxy_px=frame.boxes_xyxy_px * np.tile(scale, 2),
        keypoints_px=_moved(frame.keypoints_px, scale),
        probes=tuple(_probe(probe, scale) for probe in frame.probes),
    )


def of_source(tracks: TrackFrame, frame: PoseFrame | Uninferred) -> TrackFrame:
    """Return `tracks`, the tracker's result for the squared `frame`, in pixels of the source."""
    if frame.pixel_aspect == SQUARE:
        return tracks
    scale = _scale(tracks.size_px, frame.size_px)
    return replace(tracks, size_px=frame.size_px, tracks=tuple(_track(track, scale) for track in tracks.tracks))


def _scale(size_px: tuple[int, int], wanted_px: tuple[int, int]) -> Float32Array:
    return np.array((wanted_px[0] / size_px[0], wanted_px[1] / size_px[1]), np.float32)


def _moved(keypoints_px: Float32Array | None, scale: Float32Array) -> Float32Array | None:
    """Return (…, 3) rows of x, y, confidence with x and y multiplied by `scale` (2,)."""
    return None if keypoints_px is None else keypoints_px * np.append(scale, np.float32(1))


def _moved_motion(motion: CameraMotion | None, scale: Float32Array) -> CameraMotion | None:
    """Return `motion` between pictures whose coordinates are both multiplied by `scale` (2,)."""
    if motion is None:
        return None
    a, b, c, d, e, f = motion.matrix
    x, y = float(scale[0]), float(scale[1])
    return replace(motion, matrix=(a, b * x / y, c * x, d * y / x, e, f * y))


def _probe(probe: Probe, scale: Float32Array) -> Probe:
    return replace(probe, boxes_xyxy_px=probe.boxes_xyxy_px * np.tile(scale, 2))


def _track(track: Track, scale: Float32Array) -> Track:
    return replace(
        track,
        box_xyxy_px=track.box_xyxy_px * np.tile(scale, 2),
        keypoints_px=_moved(track.keypoints_px, scale),
        velocity_px_s=track.velocity_px_s * scale,
    )
