"""Scenes in which the size of the picture changes: a camera's other stream, another resolution, another shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.moving.actors import Actor, stand, stops, straight
from benchmarks.moving.camera import CameraPath
from benchmarks.moving.film import World, filmed, renumbered, seen_by
from benchmarks.moving.take import Scene, Take

FPS, SECONDS, CHANGE_S = 10.0, 6.0, 3.0


@dataclass(frozen=True, slots=True)
class Change:
    """From one size (width, height) to another; `cropped`: the sides are cut off, otherwise the picture is scaled."""

    before_px: tuple[int, int]
    after_px: tuple[int, int]
    cropped: bool = False


CHANGES = {
    "1920x1080 to 1280x720": Change((1920, 1080), (1280, 720)),
    "1280x720 to 640x360": Change((1280, 720), (640, 360)),
    "640x360 to 1280x720": Change((640, 360), (1280, 720)),
    "16:9 squeezed to 4:3": Change((1280, 720), (640, 480)),
    "16:9 cropped to 4:3": Change((1280, 720), (960, 720), cropped=True),
}


def changed(change: Change, new_epoch: bool, seed: int) -> Take:
    """Three people, one standing, two walking, before and after the size of the picture changes."""
    rng = np.random.default_rng([seed, 41])
    x, y = rng.uniform(-1.5, 0.0), rng.uniform(9.0, 10.5)
    people = [
        Actor(stand(x, y), look=rng.uniform(-3, 3), height_m=rng.uniform(1.6, 1.9)),
        Actor(straight(x - 1.2, y + 0.5, rng.uniform(-0.3, 0.2)), height_m=rng.uniform(1.6, 1.9)),
        Actor(stops((0, 2.0, SECONDS), (x + 1.0, x + 2.0, x + 1.0), (y + 0.8,) * 3), height_m=1.7),
    ]
    world = World(FPS, SECONDS, (1280, 720))
    film = filmed(people, world, seed)
    after = world.times_s >= CHANGE_S
    path = CameraPath(
        matrices=np.where(after[:, None, None], *(_fit(world, *side) for side in _sides(change))),
        shots=np.zeros(len(after), np.intp),
        sizes_px=np.where(after[:, None], change.after_px, change.before_px).astype(np.intp),
    )
    film = seen_by(film, path)
    if not new_epoch:
        return Take(film, FPS, path)
    return Take(renumbered(film, int(np.argmax(after))), FPS)


def _sides(change: Change) -> tuple[tuple[tuple[int, int], bool], tuple[tuple[int, int], bool]]:
    """The size after, and before, and whether the picture of that size is a crop."""
    return (change.after_px, change.cropped), (change.before_px, False)


def _fit(world: World, size_px: tuple[int, int], cropped: bool) -> np.ndarray:
    """The matrix (3, 3) from the world's picture to one of another size."""
    wide, high = size_px
    if cropped:
        scale = high / world.size_px[1]
        return np.array([[scale, 0, (wide - scale * world.size_px[0]) / 2], [0, scale, 0], [0, 0, 1.0]])
    return np.diag([wide / world.size_px[0], high / world.size_px[1], 1.0])


SCENES = tuple(
    Scene("sizes", f"{title}{' in a new epoch' if new_epoch else ''}", partial(changed, change, new_epoch))
    for new_epoch in (False, True)
    for title, change in CHANGES.items()
)
