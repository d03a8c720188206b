"""The visible part of each body, behind nearer bodies, pillars and the picture's border."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.scenes.bodies import CAPSULES, JOINTS, Bodies
from benchmarks.scenes.camera import Camera
from benchmarks.scenes.kinds import Pillar
from posebus.arrays import BoolArray, Float64Array

Indices = npt.NDArray[np.intp]

ALONG, ASIDE = (0.05, 0.35, 0.65, 0.95), (-0.8, 0.0, 0.8)
"""Where on each capsule the body's surface is sampled, as parts of its length and of its radius."""

SHARES = (0.10, *(0.16, 0.06, 0.06), *(0.04,) * 4, *(0.09, 0.09, 0.06, 0.06), *(0.02, 0.02))
"""The part of the body's silhouette that each of the CAPSULES makes up, before normalising."""

HIDING = 1.15
"""A capsule occludes this factor times its radius, because coats flap and people carry bags."""

BODIES_AT_ONCE = 2000
"""About as many bodies, in whole frames, are computed at once, to bound the memory."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """The visible parts of M bodies.

    visible: (M,) visible part of the silhouette. inside: (M,) part within the picture. seen_px: (M, 4) box around the
    visible part, nan where there is none. open_px: (M, 4) the same if bodies did not occlude each other. joints,
    open_joints: (M, 17) whether each joint is visible, and whether it would be without other bodies. hider: (M,) row of
    the body that occludes most of it, -1 for none.
    """

    visible: Float64Array
    inside: Float64Array
    seen_px: Float64Array
    open_px: Float64Array
    joints: BoolArray
    open_joints: BoolArray
    hider: Indices

    def moved(self, rows: int) -> Visibility:
        """The same for bodies whose rows are `rows` further on."""
        return replace(self, hider=np.where(self.hider >= 0, self.hider + rows, -1))

    def spread(self, rows: Indices, count: int) -> Visibility:
        """The same for `count` bodies, of which these are the given `rows`; the others are invisible."""

        def at_rows(values: npt.NDArray[Any], other: float) -> npt.NDArray[Any]:
            result = np.full((count, *values.shape[1:]), other, values.dtype)
            result[rows] = values
            return result

        return Visibility(
            visible=at_rows(self.visible, 0.0),
            inside=at_rows(self.inside, 0.0),
            seen_px=at_rows(self.seen_px, np.nan),
            open_px=at_rows(self.open_px, np.nan),
            joints=at_rows(self.joints, 0),
            open_joints=at_rows(self.open_joints, 0),
            hider=at_rows(np.where(self.hider >= 0, rows[self.hider], -1), -1),
        )


def visibility_of(bodies: Bodies, frame: Indices, camera: Camera, pillars: tuple[Pillar, ...]) -> Visibility:
    """The visibility of the bodies (M,).

    frame: (M,) rising; only bodies of the same frame occlude each other.
    """
    begins = np.flatnonzero(np.diff(frame, prepend=-1))
    parts: list[Visibility] = []
    first = 0
    for end in [*begins[1:].tolist(), len(frame)]:
        if end - first >= BODIES_AT_ONCE or end == len(frame):
            rows = np.arange(first, end)
            parts.append(_visibility_of(bodies.select(rows), frame[rows], camera, pillars).moved(first))
            first = end
    names = [each.name for each in fields(Visibility)]
    return Visibility(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _visibility_of(bodies: Bodies, frame: Indices, camera: Camera, pillars: tuple[Pillar, ...]) -> Visibility:
    surface, share, reach = _surface(bodies)
    samples = surface.shape[1]
    points = np.concatenate([surface, bodies.points_px[:, :JOINTS]], axis=1)
    inside = np.asarray((points >= 0).all(axis=2) & (points < camera.size_px).all(axis=2))
    open_ = inside & ~_behind_pillars(points, bodies, camera, pillars)
    seen, hider, most = open_.copy(), np.full(len(points), -1, np.intp), np.zeros(len(points))
    nearer, farther = _overlapping(bodies, frame)
    covered = _covered(points, farther, bodies, nearer)
    np.logical_and.at(seen, farther, ~covered)
    hidden = covered[:, :samples] @ share
    for one, other, part in zip(nearer.tolist(), farther.tolist(), hidden.tolist(), strict=True):
        if part > most[other]:
            most[other], hider[other] = part, one
    return Visibility(
        visible=seen[:, :samples] @ share,
        inside=inside[:, :samples] @ share,
        seen_px=_around(surface, reach, seen[:, :samples], camera),
        open_px=_around(surface, reach, open_[:, :samples], camera),
        joints=seen[:, samples:],
        open_joints=open_[:, samples:],
        hider=hider,
    )


def _surface(bodies: Bodies) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Sampled points (M, P, 2), the share of each (P,), and the distance to the outline around each (M, P)."""
    ends, radius = bodies.capsules()
    axis = ends[:, :, 1] - ends[:, :, 0]
    length = np.maximum(np.hypot(axis[..., 0], axis[..., 1]), 1e-6)
    normal = np.stack([-axis[..., 1], axis[..., 0]], axis=-1) / length[..., None]
    along, aside = (grid.ravel() for grid in np.meshgrid(ALONG, ASIDE))
    across = (aside * radius[:, :, None])[..., None] * normal[:, :, None]
    points = ends[:, :, None, 0] + along[:, None] * axis[:, :, None] + across
    # Samples on a capsule's axis extend to its outline, so that the box of a fully visible body holds all of it.
    reach = np.repeat(radius, len(along), axis=1) * np.tile(np.where(aside == 0, 1.0, 0.2), len(CAPSULES))
    share = np.repeat(np.array(SHARES) / sum(SHARES) / len(along), len(along))
    return points.reshape(len(points), -1, 2), share, reach


def _overlapping(bodies: Bodies, frame: Indices) -> tuple[Indices, Indices]:
    """Pairs (nearer, farther) of rows of one frame whose boxes overlap."""
    boxes = bodies.boxes_px()
    near: list[Indices] = [np.empty(0, np.intp)]
    far: list[Indices] = [np.empty(0, np.intp)]
    for rows in np.split(np.arange(len(frame)), np.flatnonzero(np.diff(frame)) + 1):
        box, distance = boxes[rows], bodies.distance_m[rows]
        begins_before = (box[:, None, :2] < box[None, :, 2:]).all(axis=2)
        first, second = np.nonzero(begins_before & begins_before.T & (distance[:, None] < distance[None]))
        near.append(rows[first])
        far.append(rows[second])
    return np.concatenate(near), np.concatenate(far)


def _covered(points: Float64Array, far: Indices, bodies: Bodies, near: Indices) -> BoolArray:
    """(Q, P) whether the points (M, P, 2) of the rows `far` (Q,) lie within the bodies of the rows `near` (Q,)."""
    boxes = bodies.boxes_px()[near][:, None]
    candidates = points[far]
    within = (candidates > boxes[..., :2]).all(axis=2) & (candidates < boxes[..., 2:]).all(axis=2)
    pair, place = np.nonzero(within)
    at = candidates[pair, place]
    ends, radius = bodies.select(near).capsules()
    hit = np.zeros(len(at), bool)
    for capsule in range(len(CAPSULES)):
        start, axis = ends[:, capsule, 0], ends[:, capsule, 1] - ends[:, capsule, 0]
        length2 = np.maximum((axis * axis).sum(axis=1), 1e-9)
        to = at - start[pair]
        along = np.clip(np.einsum("nc,nc->n", to, axis[pair]) / length2[pair], 0, 1)
        gap = to - along[:, None] * axis[pair]
        hit |= np.einsum("nc,nc->n", gap, gap) < ((HIDING * radius[:, capsule]) ** 2)[pair]
    covered = np.zeros(within.shape, bool)
    covered[pair, place] = hit
    return covered


def _behind_pillars(points: Float64Array, bodies: Bodies, camera: Camera, pillars: tuple[Pillar, ...]) -> BoolArray:
    hidden = np.zeros(points.shape[:2], bool)
    for pillar in pillars:
        low, high, distance_m = pillar_px(pillar, camera)
        within = (points > low).all(axis=2) & (points < high).all(axis=2)
        hidden |= within & (bodies.distance_m > distance_m)[:, None]
    return hidden


def pillar_px(pillar: Pillar, camera: Camera) -> tuple[Float64Array, Float64Array, float]:
    """The pillar's corners top left (2,) and bottom right (2,) in the picture, and its distance in metres."""
    half = pillar.width_m / 2
    corners = [(pillar.x_m + side, pillar.y_m, z) for side in (-half, half) for z in (0.0, pillar.top_m)]
    at, depth = camera.project(np.array(corners))
    return at.min(axis=0), at.max(axis=0), float(depth.mean())


def _around(points: Float64Array, reach: Float64Array, seen: BoolArray, camera: Camera) -> Float64Array:
    """Boxes (M, 4), within the picture, around the visible ones of the points (M, P, 2); nan where none is visible."""
    low = np.where(seen[..., None], points - reach[..., None], np.inf).min(axis=1)
    high = np.where(seen[..., None], points + reach[..., None], -np.inf).max(axis=1)
    boxes = np.concatenate([np.maximum(low, 0), np.minimum(high, camera.size_px)], axis=1)
    boxes[~seen.any(axis=1)] = np.nan
    return boxes
