"""One frame, prepared once for all rules of a camera."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from posebus.arrays import Float64Array
from posebus.messages import Track, TrackFrame, TrackState
from tracking.feet import body_heights_px, foot_points_px
from tracking.rules.bodies.bodies import BodiesOfFrame, bodies_of
from tracking.rules.shapes import Located, ShapeTable


class Scene:
    """The people of one frame, in the order of its tracks. Coordinates are pixels of the source."""

    def __init__(
        self,
        frame: TrackFrame,
        shared: dict[int, dict[str, Any]] | None = None,
        shapes: ShapeTable | None = None,
        ended_by: str = "unseen",
    ) -> None:
        """Prepare a frame.

        shared: numbers about tracks that the rules of a camera keep in common, by track id; see `shared`. shapes: the
        zones and lines of its rules. ended_by: why tracks ended that this frame ends.
        """
        self.frame = frame
        self.ended_by = ended_by
        """Why tracks ended that this frame ends: `unseen`, or `cut` where the picture shows another place."""
        self._shapes = ShapeTable() if shapes is None else shapes
        self.captured_at_s = frame.captured_at_ns / 1e9
        """Capture time in seconds; differences of it are elapsed time, whatever the frame rate is."""
        self.people: tuple[Track, ...] = tuple(one for one in frame.tracks if one.state == TrackState.CONFIRMED)
        """The tracks that are present: detected in this frame, or coasted."""
        self.ids: list[int] = [one.id for one in self.people]
        self.lost_ids: list[int] = [one.id for one in frame.tracks if one.state == TrackState.LOST]
        self.ended_ids: list[int] = [one.id for one in frame.tracks if one.state == TrackState.ENDED]
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
        return foot_points_px(self.boxes_px, self.keypoints_px, self.frame.size_px)

    @cached_property
    def feet(self) -> list[list[float]]:
        """The same as lists of x and y, which are faster to use one by one."""
        found: list[list[float]] = self.feet_px.tolist()
        return found

    @cached_property
    def heights_px(self) -> Float64Array:
        """Height (N,) of each person's body, upright, in the picture."""
        return np.maximum(body_heights_px(self.boxes_px, self.keypoints_px), 1.0)

    @cached_property
    def located(self) -> Located:
        """Where the people are beside each zone and line of the camera's rules."""
        return self._shapes.locate(self.feet_px, self.heights_px, self.frame.size_px)

    @cached_property
    def bodies(self) -> BodiesOfFrame:
        """Posture and way down of each of the people; what is remembered of them is in `shared`."""
        return bodies_of(
            self.people, self.boxes_px, self.keypoints_px, self.frame.size_px, self.captured_at_s, self.shared
        )
