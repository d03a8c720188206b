"""A script's people filmed by a still camera: detections with a network's errors, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.common.mot import Rows
from benchmarks.moving.actors import Actor, posed_m, walks_of
from benchmarks.moving.camera import CameraPath, clipped_boxes, moved, moved_rows
from benchmarks.scenes.bodies import projected
from benchmarks.scenes.camera import Camera
from benchmarks.scenes.detector import detect
from benchmarks.scenes.kinds import Detector, SceneKind
from benchmarks.scenes.occlusion import visibility_of
from benchmarks.scenes.scene import IN_PICTURE, pose_frame
from posebus.arrays import Float64Array
from posebus.messages import PoseFrame

VISIBLE = 0.3
"""A person counts as visible from this part of the body on."""

FOCAL_PX = 1152.0
"""A person of 1.75 m at a distance of 10 m is 200 px high."""


@dataclass(frozen=True, slots=True)
class World:
    """Where a script plays: the still camera's picture and rate, and the camera's height and tilt."""

    fps: float
    seconds: float
    size_px: tuple[int, int] = (1280, 720)
    camera_height_m: float = 2.5
    tilt_deg: float = 4.0

    @property
    def times_s(self) -> Float64Array:
        """The times of the frames, from 0."""
        return np.asarray(np.arange(max(1, round(self.seconds * self.fps))) / self.fps)

    @property
    def kind(self) -> SceneKind:
        """The same for the synthetic network: its input has the size of the picture, and there are no false
        detections."""
        return SceneKind(
            name="moving",
            size_px=self.size_px,
            fps=self.fps,
            seconds=self.seconds,
            hand_drawn=False,
            detector=Detector(imgsz=max(self.size_px), clutter=0.0),
        )


@dataclass(frozen=True, slots=True)
class Film:
    """T frames with their truth.

    truth: rows by number of the frame from 1 (its place in `frames`, not its `seq`); people are numbered from 1.
    visible: people of whose bodies at least the share VISIBLE is in view, for each frame.
    """

    frames: list[PoseFrame]
    truth: Rows
    visible: list[frozenset[int]]


def filmed(actors: Sequence[Actor], world: World, seed: int) -> Film:
    """The script in front of a still camera. The same script and seed give the same film."""
    times_s, kind = world.times_s, world.kind
    camera = Camera(world.size_px, FOCAL_PX, world.camera_height_m, float(np.deg2rad(world.tilt_deg)))
    walks = walks_of(actors, times_s)
    bodies = projected(posed_m(actors, walks, times_s), walks, camera)
    steady_px = projected(posed_m(actors, walks, times_s, steady=True), walks, camera).boxes_px()
    boxes = bodies.boxes_px()
    near = (boxes[:, 2:] > 0).all(axis=1) & (boxes[:, :2] < world.size_px).all(axis=1)
    rows = np.flatnonzero(near & (walks.person.ravel() >= 0))
    frame = np.repeat(np.arange(len(times_s)), len(actors))
    visibility = visibility_of(bodies.select(rows), frame[rows], camera, ()).spread(rows, len(boxes))
    found = detect(bodies, steady_px, visibility, walks.person, kind, np.random.default_rng([seed, 1]))
    truth: Rows = {number: [] for number in range(1, len(times_s) + 1)}
    visible: list[set[int]] = [set() for _ in times_s]
    clipped, inside = clipped_boxes(boxes, world.size_px)
    for row in rows[inside[rows] >= IN_PICTURE].tolist():
        person = int(walks.person.flat[row]) + 1
        left, top, right, bottom = clipped[row].round(1).tolist()
        truth[int(frame[row]) + 1].append((person, left, top, right - left, bottom - top))
        if visibility.visible[row] >= VISIBLE:
            visible[int(frame[row])].add(person)
    frames = [pose_frame(kind, place, detections) for place, detections in enumerate(found)]
    return Film(frames, truth, [frozenset(people) for people in visible])


def seen_by(film: Film, path: CameraPath) -> Film:
    """What a moving camera films of the same scene; people outside its picture are not visible."""
    truth = {place + 1: moved_rows(film.truth[place + 1], path, place) for place in range(len(path))}
    visible = [people & {row[0] for row in truth[place + 1]} for place, people in enumerate(film.visible)]
    return Film(moved(film.frames, path), truth, visible)


def renumbered(film: Film, begin: int) -> Film:
    """The same with a new epoch from the frame at the place `begin` on; times run on."""
    frames = [
        frame if place < begin else replace(frame, epoch=frame.epoch + 1, seq=place - begin)
        for place, frame in enumerate(film.frames)
    ]
    return replace(film, frames=frames)
