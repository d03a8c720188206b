"""One frame, prepared once for all rules of a camera."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np

from posebus.arrays import BoolArray, Float64Array
from posebus.messages import Track, TrackFrame, TrackState
from tracking.body_model.skeleton import JOINTS
from tracking.feet import feet_and_heights_px
from tracking.geometry import close_pairs
from tracking.rules.bodies.bodies import BodiesOfFrame, bodies_of
from tracking.rules.bodies.kept import Kept
from tracking.rules.bodies.speeds import speeds_of_bodies
from tracking.rules.clock import Clock
from tracking.rules.shapes import Located, ShapeTable
from tracking.rules.sound import are_sound
from tracking.rules.walks import Walk, Walked, Walks

CONFIRMED, LOST, ENDED = TrackState.CONFIRMED.value, TrackState.LOST.value, TrackState.ENDED.value
"""Plain text, which is compared faster than the members of TrackState."""

NO_JOINTS = np.zeros((0, 0, 3))

Value = TypeVar("Value")


class computed(Generic[Value]):  # noqa: N801 - a decorator, as property is
    """A property computed when it is first read: functools.cached_property without its lock, a microsecond each."""

    def __init__(self, function: Callable[[Any], Value]) -> None:
        self._function, self.__doc__, self._name = function, function.__doc__, function.__name__

    @overload
    def __get__(self, instance: None, owner: type) -> computed[Value]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> computed[Value] | Value:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._function(instance)
        return value


class Scene:
    """The people of one frame, in the order of its tracks. Coordinates are pixels of the source."""

    def __init__(
        self,
        frame: TrackFrame,
        kept: Kept | None = None,
        shapes: ShapeTable | None = None,
        ended_by: str = "unseen",
        clock: Clock | None = None,
        walks: Walks | None = None,
    ) -> None:
        """Prepare a frame.

        kept: what the rules of a camera remember of tracks in common; see `shared`. shapes: the zones and lines of its
        rules. ended_by: why tracks ended that this frame ends.
        clock: has the time of the frame. walks: where people were in the frames before.
        """
        self.frame = frame
        self.clock = Clock() if clock is None else clock
        """The time of the rules of a camera: that which has passed since they began, and never goes back."""
        self._walks = Walks() if walks is None else walks
        self.ended_by = ended_by
        """Why tracks ended that this frame ends: `unseen`, or `cut` where the picture shows another place."""
        self._close_ids: dict[float, frozenset[tuple[int, int]]] = {}
        self._shapes = ShapeTable() if shapes is None else shapes
        self._kept = Kept() if kept is None else kept
        self.captured_at_s = frame.captured_at_ns / 1e9
        """Capture time in seconds; differences of it are elapsed time at any frame rate."""
        people, lost_ids, ended_ids = [], [], []
        for one in frame.tracks:
            state = one.state
            if state == CONFIRMED:
                people.append(one)
            elif state == LOST:
                lost_ids.append(one.id)
            elif state == ENDED:
                ended_ids.append(one.id)
        self.people: tuple[Track, ...] = tuple(people)
        """The tracks that are present: detected in this frame, or coasted."""
        self.ids: list[int] = self._shapes.same_ids([one.id for one in people])
        """Their numbers; it is the list of the frame before where it is equal."""
        self.lost_ids: list[int] = lost_ids
        self.ended_ids: list[int] = ended_ids
        """Tracks whose last frame this is; their memory is deleted after it."""

    @property
    def is_sound(self) -> bool:
        """Whether rules may take the frame as it is, see `sound_frame`."""
        try:
            boxes, joints = self.boxes_px, self.keypoints_px
        except (AttributeError, TypeError, ValueError):
            return False
        if boxes.shape != (len(self.ids), 4) or (joints is not None and (joints.ndim, joints.shape[-1]) != (3, 3)):
            return False
        if len({one.id for one in self.frame.tracks}) < len(self.frame.tracks):
            return False
        if joints is None and any(one.keypoints_px is not None for one in self.people):
            return False  # not all of them have the same joints: these are looked at one by one
        return are_sound(boxes, NO_JOINTS if joints is None else joints)

    @property
    def shared(self) -> dict[int, dict[str, Any]]:
        """By track id, what several rules remember of a person, such as the standing height. It is kept in the snapshot
        and renamed and deleted like the memory of rules; its keys are those of the module that sets them."""
        return self._kept.by_id

    @computed
    def boxes_px(self) -> Float64Array:
        """Boxes (N, 4) of the people: left, top, right, bottom."""
        if not self.people:
            return np.zeros((0, 4))
        joined = np.concatenate([one.box_xyxy_px for one in self.people], dtype=np.float64)
        return joined.reshape(-1, 4)

    @computed
    def keypoints_px(self) -> Float64Array | None:
        """Keypoints (N, K, 3) of the people: x, y, confidence; None if the camera has none."""
        found = [one.keypoints_px for one in self.people if one.keypoints_px is not None]
        if not found or len(found) < len(self.people):
            return None
        shape = found[0].shape
        for one in found:
            if one.shape != shape:
                return None
        return np.concatenate(found, dtype=np.float64).reshape(-1, *shape)

    @computed
    def joints_px(self) -> Float64Array:
        """Keypoints (N, 17, 3) of the people, with confidence 0 where the camera has not these 17."""
        found = self.keypoints_px
        return np.zeros((len(self.ids), JOINTS, 3)) if found is None or found.shape[1] != JOINTS else found

    @computed
    def feet_px(self) -> Float64Array:
        """Where the people stand, (N, 2)."""
        return self._feet_and_heights_px[0]

    @computed
    def feet(self) -> list[list[float]]:
        """The same as lists of x and y, which are faster to use one by one."""
        found: list[list[float]] = self.feet_px.tolist()
        return found

    @computed
    def heights_px(self) -> Float64Array:
        """Height (N,) of each person's body, upright, in the picture."""
        return self._feet_and_heights_px[1]

    @computed
    def heights(self) -> list[float]:
        """The same as a list, which is faster to use one by one."""
        found: list[float] = self.heights_px.tolist()
        return found

    @computed
    def located(self) -> Located:
        """Where the people are beside each zone and line of the camera's rules."""
        return self._shapes.locate(self.feet_px, self.heights_px, self.frame.size_px)

    @computed
    def everywhere(self) -> list[int]:
        """The marks of an area that is the whole picture, see `Located`."""
        return [1] * len(self.ids)

    @computed
    def predicted(self) -> list[int]:
        """Rows of the people who were not detected in this frame."""
        return [row for row, one in enumerate(self.people) if one.coasted]

    @computed
    def fresh(self) -> BoolArray:
        """Whether each of the people (N,) was detected in this frame; nothing is learned from predicted boxes."""
        found = np.ones(len(self.ids), np.bool_)
        for row in self.predicted:
            found[row] = False
        return found

    @computed
    def walked(self) -> Walked:
        """How the people came to where they are."""
        return self._walks.update(self.ids, self.predicted, self.feet_px, self.heights_px, self.clock)

    def last_walk(self, track_id: int) -> Walk | None:
        """Where a person was last seen, who may have left; of people of this frame, only after `walked` was read."""
        return self._walks.last(track_id)

    def close_ids(self, body_heights: float) -> frozenset[tuple[int, int]]:
        """Pairs of numbers of people whose feet are at most so many body heights apart, those of the smaller person.

        The smaller number is the first.
        """
        found = self._close_ids.get(body_heights)
        if found is None:
            rows = close_pairs(self.feet_px, self.heights_px, body_heights)
            found = self._close_ids[body_heights] = self.pairs_of_ids(rows) if rows else frozenset()
        return found

    def pairs_of_ids(self, rows: Iterable[Sequence[int]]) -> frozenset[tuple[int, int]]:
        """The numbers of the people in pairs of rows, the smaller one first."""
        ids = self.ids
        return frozenset([(a, b) if (a := ids[one]) < (b := ids[other]) else (b, a) for one, other in rows])

    @computed
    def bodies(self) -> BodiesOfFrame:
        """Posture and way down of each of the people; what is remembered of them is in `shared`."""
        people = (self.ids, self.fresh, self.boxes_px, self.joints_px)
        return bodies_of(*people, self.frame.size_px, self.captured_at_s, self._kept)

    @computed
    def speeds(self) -> list[float]:
        """Speeds (N,) of the people in body heights a second, 0 where they are not known or the body is not upright."""
        if not self.people:
            return []
        velocities = np.concatenate([one.velocity_px_s for one in self.people], dtype=np.float64).reshape(-1, 2)
        (width, height), now_s = self.frame.size_px, self.captured_at_s
        people = (self.ids, self.fresh, self.boxes_px, self.joints_px, self.heights_px, velocities)
        return speeds_of_bodies(*people, (float(width), float(height), now_s), (self.bodies, self._kept))

    @computed
    def _feet_and_heights_px(self) -> tuple[Float64Array, Float64Array]:
        return feet_and_heights_px(self.boxes_px, self.keypoints_px, self.frame.size_px)
