"""One frame, prepared once for all rules of a camera."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from posebus.arrays import Float64Array
from posebus.messages import Track, TrackFrame, TrackState
from tracking.feet import feet_and_heights_px
from tracking.geometry import close_pairs
from tracking.rules.bodies.bodies import BodiesOfFrame, bodies_of
from tracking.rules.bodies.speeds import speeds_of_bodies
from tracking.rules.clock import Clock
from tracking.rules.shapes import Located, ShapeTable
from tracking.rules.walks import Walk, Walked, Walks

CONFIRMED, LOST, ENDED = TrackState.CONFIRMED.value, TrackState.LOST.value, TrackState.ENDED.value
"""Plain text, which is compared faster than the members of TrackState."""


class Scene:
    """The people of one frame, in the order of its tracks. Coordinates are pixels of the source."""

    def __init__(
        self,
        frame: TrackFrame,
        shared: dict[int, dict[str, Any]] | None = None,
        shapes: ShapeTable | None = None,
        ended_by: str = "unseen",
        clock: Clock | None = None,
        walks: Walks | None = None,
    ) -> None:
        """Prepare a frame.

        shared: numbers about tracks that the rules of a camera keep in common, by track id; see `shared`. shapes: the
        zones and lines of its rules. ended_by: why tracks ended that this frame ends.
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
        self.ids: list[int] = [one.id for one in people]
        self.lost_ids: list[int] = lost_ids
        self.ended_ids: list[int] = ended_ids
        """Tracks whose last frame this is; their memory is deleted after it."""
        self.shared: dict[int, dict[str, Any]] = {} if shared is None else shared
        """By track id, what several rules remember of a person, such as the standing height. It is kept in the
        snapshot and renamed and deleted like the memory of rules; its keys are those of the module that sets them."""

    @cached_property
    def boxes_px(self) -> Float64Array:
        """Boxes (N, 4) of the people: left, top, right, bottom."""
        if not self.people:
            return np.zeros((0, 4))
        return np.array([one.box_xyxy_px for one in self.people], np.float64)

    @cached_property
    def keypoints_px(self) -> Float64Array | None:
        """Keypoints (N, K, 3) of the people: x, y, confidence; None if the camera has none."""
        found = [one.keypoints_px for one in self.people if one.keypoints_px is not None]
        if not found or len(found) < len(self.people) or len({one.shape for one in found}) > 1:
            return None
        return np.array(found, np.float64)

    @cached_property
    def feet_px(self) -> Float64Array:
        """Where the people stand, (N, 2)."""
        return self._feet_and_heights_px[0]

    @cached_property
    def feet(self) -> list[list[float]]:
        """The same as lists of x and y, which are faster to use one by one."""
        found: list[list[float]] = self.feet_px.tolist()
        return found

    @cached_property
    def heights_px(self) -> Float64Array:
        """Height (N,) of each person's body, upright, in the picture."""
        return np.maximum(self._feet_and_heights_px[1], 1.0)

    @cached_property
    def located(self) -> Located:
        """Where the people are beside each zone and line of the camera's rules."""
        return self._shapes.locate(self.feet_px, self.heights_px, self.frame.size_px)

    @cached_property
    def predicted(self) -> list[int]:
        """Rows of the people who were not detected in this frame."""
        return [row for row, one in enumerate(self.people) if one.coasted]

    @cached_property
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
            found = self.pairs_of_ids(close_pairs(self.feet_px, self.heights_px, body_heights))
            self._close_ids[body_heights] = found
        return found

    def pairs_of_ids(self, rows: Iterable[Sequence[int]]) -> frozenset[tuple[int, int]]:
        """The numbers of the people in pairs of rows, the smaller one first."""
        ids = self.ids
        pairs = ((ids[one], ids[other]) for one, other in rows)
        return frozenset((one, other) if one < other else (other, one) for one, other in pairs)

    @cached_property
    def bodies(self) -> BodiesOfFrame:
        """Posture and way down of each of the people; what is remembered of them is in `shared`."""
        return bodies_of(
            self.people, self.boxes_px, self.keypoints_px, self.frame.size_px, self.captured_at_s, self.shared
        )

    @cached_property
    def speeds(self) -> list[float]:
        """Speeds (N,) of the people in body heights a second, 0 where they are not known or the body is not upright."""
        return speeds_of_bodies(
            *(self.people, self.boxes_px, self.keypoints_px, self.heights_px, self.frame.size_px, self.captured_at_s),
            bodies=self.bodies,
            shared=self.shared,
        )

    @cached_property
    def _feet_and_heights_px(self) -> tuple[Float64Array, Float64Array]:
        return feet_and_heights_px(self.boxes_px, self.keypoints_px, self.frame.size_px)
