"""Scenes in which the camera moves: shaken, panned, zoomed, turned, held in a hand, flown by a drone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np

from benchmarks.moving import paths
from benchmarks.moving.actors import Actor, stand, stops, straight
from benchmarks.moving.camera import path_of
from benchmarks.moving.film import Film, World, filmed, seen_by
from benchmarks.moving.take import Scene, Take
from benchmarks.scenes.kinds import KINDS, Detector, SceneKind
from benchmarks.scenes.scene import scene
from posebus.arrays import Float64Array

VIEW_PX = (1280, 720)
MARGIN_PX = (1440, 240)
"""The world is larger than the view by this much on each side."""

SECONDS, EVENT_S = 8.0, 3.0
JUMP_PX, FAR_PX = 400.0, 1500.0
"""A preset of the same place, and one of another place: wider than the view."""

Moves = Callable[[Float64Array, np.random.Generator], Float64Array]
"""From times and random numbers to matrices (T, 3, 3) from the still view to the moving one."""

MIDDLE = (VIEW_PX[0] / 2, VIEW_PX[1] / 2)


@lru_cache(maxsize=8)
def three_people(fps: float, seed: int) -> Film:
    """Three people in the view, one standing, two walking, and two more far to the left, in a world beyond the view."""
    rng = np.random.default_rng([seed, 7])
    size_px = (VIEW_PX[0] + 2 * MARGIN_PX[0], VIEW_PX[1] + 2 * MARGIN_PX[1])
    near, apart = rng.uniform(9.0, 10.5), rng.uniform(0.9, 1.2)
    x, far = rng.uniform(-1.5, 0.5), rng.uniform(9.5, 11.0)
    turn_s = rng.uniform(2.5, 5.0)
    people = [
        Actor(stand(x + 1.0, near), look=rng.uniform(-np.pi, np.pi)),
        Actor(stops((0, turn_s, SECONDS), (x - 2.2, x - 1.0, x - 2.0), (near, far, far)), height_m=1.65),
        Actor(straight(x + 1.0 + apart, far + 0.8, rng.uniform(-0.25, 0.2)), height_m=1.85),
        Actor(stand(x - 12.5, near), look=rng.uniform(-np.pi, np.pi)),
        Actor(straight(x - 14.5, far, 0.3), height_m=1.7),
    ]
    tall = [replace(person, phase=rng.uniform(0, 2 * np.pi), girth=rng.uniform(0.95, 1.3)) for person in people]
    return filmed(tall, World(fps, SECONDS, size_px), seed)


def three_seen(fps: float, moves: Moves, cut: float | None, seed: int) -> Take:
    """Three people before a camera that moves; a new shot begins at the time `cut`."""
    film = three_people(fps, seed)
    times_s = np.arange(len(film.frames)) / fps
    matrices = moves(times_s, np.random.default_rng([seed, 8]))
    matrices = matrices @ paths.shifts(*(-np.full(len(times_s), float(side)) for side in MARGIN_PX))
    shots = np.zeros(len(times_s), np.intp) if cut is None else (times_s >= cut).astype(np.intp)
    path = path_of(matrices, VIEW_PX, shots)
    return Take(seen_by(film, path), fps, path)


def shaken_kind(kind: SceneKind, amplitude_px: float, seed: int) -> Take:
    """A synthetic scene of walking people, seen by a shaking camera whose picture is smaller by the shaking."""
    frames, truth = scene(replace(kind, seconds=min(kind.seconds, 20.0)), seed)
    visible = [frozenset(row[0] for row in truth[place + 1]) for place in range(len(frames))]
    border = int(amplitude_px)
    times_s = np.arange(len(frames)) / kind.fps
    matrices = paths.shake(times_s, amplitude_px, np.random.default_rng([seed, 8]))
    matrices[:, :2, 2] -= border
    size_px = (kind.size_px[0] - 2 * border, kind.size_px[1] - 2 * border)
    path = path_of(matrices, size_px)
    return Take(seen_by(Film(frames, truth, visible), path), kind.fps, path)


DRONE = SceneKind(
    name="drone",
    size_px=(2200, 1800),
    fps=10.0,
    seconds=12.0,
    people=28.0,
    camera_height_m=22.0,
    tilt_deg=50.0,
    focal_widths=1152 / 2200,
    near_m=8.0,
    far_m=32.0,
    flow="any",
    hand_drawn=False,
    detector=Detector(imgsz=4400, clutter=0.0),
)


def flown(fps: float, seed: int) -> Take:
    """People on a square, seen obliquely from above by a drone that drifts, turns and sinks or climbs."""
    kind = replace(DRONE, fps=fps)
    frames, truth = scene(kind, seed)
    visible = [frozenset(row[0] for row in truth[place + 1]) for place in range(len(frames))]
    times_s = np.arange(len(frames)) / fps
    matrices = paths.drone(times_s, np.random.default_rng([seed, 8]), MIDDLE)
    sides = [(kind.size_px[axis] - VIEW_PX[axis]) / 2 for axis in range(2)]
    still = paths.shifts(*(-np.full(len(times_s), side) for side in sides))
    path = path_of(matrices @ still, VIEW_PX)
    return Take(seen_by(Film(frames, truth, visible), path), fps, path)


def _scene(group: str, name: str, fps: float, moves: Moves, cut: float | None = None) -> Scene:
    return Scene(group, f"{name} at {fps:g} fps", partial(three_seen, fps, moves, cut))


def _shake(amplitude_px: float) -> Moves:
    return lambda times_s, rng: paths.shake(times_s, amplitude_px, rng)


def _pan(distance_px: float, length_s: float) -> Moves:
    return lambda times_s, rng: paths.pan(times_s, distance_px, EVENT_S, length_s)


def _zoom(factor: float) -> Moves:
    return lambda times_s, rng: paths.zoom(times_s, factor, EVENT_S, 0.5, MIDDLE)


def _hand(strength: float) -> Moves:
    return lambda times_s, rng: paths.hand(times_s, rng, MIDDLE, strength)


def _kind_scene(kind: SceneKind) -> Scene:
    return Scene("shake", f"20 px in {kind.name}", partial(shaken_kind, kind, 20.0))


SCENES = (
    *(_scene("still", "still", fps, _shake(0)) for fps in (10.0, 25.0)),
    *(_scene("shake", f"{px} px", fps, _shake(px)) for px in (10, 20, 40) for fps in (10.0, 25.0)),
    *(_kind_scene(kind) for kind in KINDS.values()),
    *(_scene("pan", "400 px in 0.4 s", fps, _pan(JUMP_PX, 0.4)) for fps in (10.0, 25.0)),
    *(_scene("pan", "400 px in 4 s", fps, _pan(JUMP_PX, 4.0)) for fps in (10.0, 25.0)),
    *(_scene("zoom", "2x in 0.5 s", fps, _zoom(2.0)) for fps in (10.0, 25.0)),
    *(_scene("zoom", "0.5x in 0.5 s", fps, _zoom(0.5)) for fps in (10.0, 25.0)),
    *(_scene("ptz", "jump of 400 px", fps, _pan(JUMP_PX, 0.0)) for fps in (10.0, 25.0)),
    *(_scene("ptz", "jump to another place", fps, _pan(FAR_PX, 0.0), EVENT_S) for fps in (10.0, 25.0)),
    *(Scene("drone", f"drifting and turning at {fps:g} fps", partial(flown, fps)) for fps in (10.0, 25.0)),
    *(
        _scene("handheld", title, fps, _hand(strength))
        for title, strength in (("standing", 1.0), ("walking", paths.WALKING))
        for fps in (10.0, 25.0)
    ),
)
