"""The tracker's state of a camera: where it looked in the last frame, and how it moved recently. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from posebus.messages import CameraMotion, PoseFrame, Uninferred
from tracking.motion.picture_map import PictureMap, between
from tracking.motion.size_change import resizing

SHAKE_MEMORY_S = 2.0
"""A camera that was seen moving is expected to move again for about this long: some periods of a shaking hand or mast
(1 to 10 Hz), and the time between two bumps of a road."""

SHAKE = 0.005
"""Motion, in widths of the picture from frame to frame, below which a camera no longer counts as shaking: a few pixels,
which the motion model of people covers."""

PAN_MEMORY_S = 1.0
"""Time over which the motion of the picture is averaged: a shake cancels itself out, a pan does not."""

PUSH_MEMORY_S = 4.0
"""Time over which it is remembered that the camera turned away from people: it may turn back as long as they live."""


Sides = tuple[float, float, float, float]
"""One value for each side of the picture: left, top, right, bottom."""


class Passage(NamedTuple):
    """How the picture changed from the last frame to this one, as far as is known before people are matched.

    continues: whether people go on; False where time jumped back, after a cut, and with the first frame of all.
    is_cut: whether another shot begins.
    elapsed_s: seconds since the last frame.
    moved: the map of the last frame's pixels to those of this one; None for the same pixels.
    others: alternatives, to be applied after `moved`: the picture has another size, and the frame does not say how the
    view changed.
    certainty: of `moved`, 0 to 1; 0 where the frame gives no motion of the camera.
    shake_px: how far the picture typically moves between frames although no frame says so; 0 for a still camera.
    last_ns: capture time of the last frame.
    size_px: (width, height) of this frame's picture.
    """

    continues: bool
    is_cut: bool = False
    elapsed_s: float = 0.0
    moved: PictureMap | None = None
    others: tuple[PictureMap, ...] = ()
    certainty: float = 0.0
    shake_px: float = 0.0
    last_ns: int = 0
    size_px: tuple[int, int] = (1, 1)


NOTHING_BEFORE = Passage(continues=False)


@dataclass(frozen=True, slots=True)
class CameraMemory:
    """The camera in the frame before.

    size_px: (width, height) of its picture, None before the first frame.
    motion: the `camera_motion` of the frame.
    shake: typical motion from frame to frame that no frame announced, in lengths of the picture's longer side; fades
        over SHAKE_MEMORY_S.
    drift: mean speed of the picture's left, top, right and bottom side in its sizes per second, over PAN_MEMORY_S.
    push: the largest speed at which that took the scene out of the picture across each of these sides; fades over
        PUSH_MEMORY_S.
    """

    size_px: tuple[int, int] | None = None
    motion: CameraMotion | None = None
    shake: float = 0.0
    drift: Sides = (0.0, 0.0, 0.0, 0.0)
    push: Sides = (0.0, 0.0, 0.0, 0.0)

    def passage_to(self, frame: PoseFrame | Uninferred, last_epoch: int, last_ns: int) -> Passage:
        """What happens between the last frame, of that epoch and capture time, and `frame`.

        A picture of another size is taken for the same view, stretched, unless the frame says how it moved.
        """
        elapsed_ns = frame.captured_at_ns - last_ns
        before = self.motion if last_epoch == frame.epoch else None
        now = frame.camera_motion
        is_cut = before is not None and now is not None and before.shot != now.shot
        if is_cut or elapsed_ns <= 0:
            return Passage(continues=False, is_cut=is_cut)
        moved: PictureMap | None = None
        others: tuple[PictureMap, ...] = ()
        certainty = 0.0
        resized = self.size_px is not None and self.size_px != frame.size_px
        if before is not None and now is not None and not (resized and _repeats(before, now)):
            moved, certainty = between(before.matrix, now.matrix), now.certainty
        elif self.size_px is not None and resized:
            moved, others = resizing(self.size_px, frame.size_px)
        shake_px = self.shake * max(frame.size_px)
        return Passage(True, False, elapsed_ns / 1e9, moved, others, certainty, shake_px, last_ns, frame.size_px)

    def followed(self, frame: PoseFrame | Uninferred, passage: Passage, found: PictureMap | None) -> CameraMemory:
        """The state after `frame`; `found`: the motion that the people showed on top of that of the `passage`."""
        if not passage.continues:
            return CameraMemory(frame.size_px, frame.camera_motion)
        at_rest = passage.moved is None and found is None and not (self.shake or any(self.push) or any(self.drift))
        if at_rest and self.motion == frame.camera_motion and self.size_px == frame.size_px:
            return self
        drift = self._drift(frame.size_px, passage, found)
        faded = math.exp(-passage.elapsed_s / PUSH_MEMORY_S)
        outward = (-drift[0], -drift[1], drift[2], drift[3])
        left, top, right, bottom = (max(before * faded, now) for before, now in zip(self.push, outward, strict=True))
        shake = self._shake(frame.size_px, passage, found)
        return CameraMemory(frame.size_px, frame.camera_motion, shake, drift, (left, top, right, bottom))

    def push_px_s(self, size_px: tuple[int, int]) -> Sides:
        """The same in pixels per second of a picture of `size_px`."""
        left, top, right, bottom = self.push
        return left * size_px[0], top * size_px[1], right * size_px[0], bottom * size_px[1]

    def _shake(self, size_px: tuple[int, int], passage: Passage, found: PictureMap | None) -> float:
        if found is None and self.shake == 0.0:
            return 0.0
        shake = self.shake * math.exp(-passage.elapsed_s / SHAKE_MEMORY_S)
        # A picture of another size is no motion of the camera.
        if found is not None and found not in passage.others:
            corners = (0, 0), size_px
            shake = max(shake, *(math.dist(found.at(*corner), corner) / max(size_px) for corner in corners))
        return shake if shake >= SHAKE else 0.0

    def _drift(self, size_px: tuple[int, int], passage: Passage, found: PictureMap | None) -> Sides:
        moved = passage.moved
        if found is not None:
            moved = found if moved is None else moved.then(found)
        before = self.drift
        if moved is None and not any(before):
            return before
        kept = math.exp(-passage.elapsed_s / PAN_MEMORY_S)
        left = top = right = bottom = 0.0
        if moved is not None and self.size_px is not None:
            share = (1.0 - kept) / passage.elapsed_s
            x, y = moved.at(0.0, 0.0)
            left, top = share * x / size_px[0], share * y / size_px[1]
            x, y = moved.at(*self.size_px)
            right, bottom = share * (x / size_px[0] - 1.0), share * (y / size_px[1] - 1.0)
        return before[0] * kept + left, before[1] * kept + top, before[2] * kept + right, before[3] * kept + bottom


def _repeats(before: CameraMotion, now: CameraMotion) -> bool:
    """Whether a motion could not be estimated, so that its matrix is in pixels of the frame before."""
    return now.certainty == 0.0 and before.matrix == now.matrix


def camera_to_dict(state: CameraMemory) -> dict[str, Any]:
    """JSON scalars and lists."""
    motion = state.motion
    return {
        "size_px": None if state.size_px is None else list(state.size_px),
        "motion": None if motion is None else [motion.shot, list(motion.matrix), motion.certainty],
        "shake": state.shake,
        "drift": list(state.drift),
        "push": list(state.push),
    }


def camera_from_dict(plain: dict[str, Any]) -> CameraMemory:
    """The inverse of `camera_to_dict`; raises KeyError, TypeError or ValueError for anything else."""
    size_px, motion = plain["size_px"], plain["motion"]
    if size_px is not None:
        width, height = size_px
        size_px = int(width), int(height)
    if motion is not None:
        shot, matrix, certainty = motion
        a, b, c, d, e, f = (float(value) for value in matrix)
        motion = CameraMotion(int(shot), (a, b, c, d, e, f), float(certainty))
    return CameraMemory(size_px, motion, float(plain["shake"]), _sides(plain["drift"]), _sides(plain["push"]))


def _sides(values: Iterable[float]) -> Sides:
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom
