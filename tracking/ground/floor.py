"""The people of one camera on its floor: adds positions, speeds and distances to frames of tracks. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from posebus.arrays import Float32Array, Float64Array
from posebus.config.cameras.ground import GroundSettings
from posebus.messages import Renaming, Track, TrackFrame, TrackState
from tracking.body_model.skeleton import JOINTS
from tracking.feet import ANKLES, BOX, KNEES, UNKNOWN, body_heights_px, standing_points_px
from tracking.ground.pace import KEPT, Pace
from tracking.ground.plane import Plane

ERRORS = {ANKLES: 0.03, KNEES: 0.08, BOX: 0.08}
"""Standard deviations of the place of the feet, in heights of the person, by what it was taken from."""
LEAST_ERROR_PX = 1.0

_SUMS = ("weight", "times", "times2", "xs", "ys", "times_xs", "times_ys")
_ANCHOR = ("anchor_x", "anchor_y", "anchor_variance", "counted_m", "distance_m")


class Floor:
    """Follows the people of a camera on the floor; without a ground plane, frames stay as they are."""

    def __init__(self, ground: GroundSettings | None) -> None:
        self._ground = ground
        self._plane: Plane | None = None
        self._size_px = (0, 0)
        self._paces: dict[int, Pace] = {}
        self._epoch = -1

    def use(self, ground: GroundSettings | None) -> None:
        """Go on by another ground plane; distances so far are kept where the floor stays in metres."""
        if ground == self._ground:
            return
        self._ground, self._plane = ground, None
        for pace in self._paces.values():
            pace.weight, pace.anchor_variance = 0.0, -1.0
        if ground is None:
            self._paces.clear()

    def update(self, frame: TrackFrame) -> TrackFrame:
        """Return `frame` with the fields of its tracks that the floor gives."""
        if self._ground is None:
            return frame
        if frame.epoch != self._epoch:
            self._epoch = frame.epoch
            for pace in self._paces.values():
                pace.recent.clear()
        self._rename(frame.renamed)
        return replace(frame, tracks=self._followed(frame, self._plane_of(self._ground, frame.size_px)))

    def end_source(self) -> None:
        """Forget all people."""
        self._paces.clear()

    def state_dict(self) -> dict[str, Any]:
        """The walks of all people: JSON scalars and lists, and numpy arrays."""
        paces = self._paces.values()
        recent = np.full((len(self._paces), KEPT, 3), -1.0)
        for row, pace in enumerate(paces):
            if pace.recent:
                recent[row, : len(pace.recent)] = [(seq, at - pace.now_ns, walked) for seq, at, walked in pace.recent]
        return {
            "ground": None if self._ground is None else self._ground.model_dump(mode="json"),
            "epoch": self._epoch,
            "ids": np.array([*self._paces], np.int64),
            "times_ns": np.array([(p.first_ns, p.last_ns, p.now_ns) for p in paces], np.int64).reshape(-1, 3),
            "numbers": np.array(
                [[getattr(pace, name) for name in (*_SUMS, *_ANCHOR)] for pace in paces], np.float64
            ).reshape(-1, len(_SUMS) + len(_ANCHOR)),
            "recent": recent,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore `state_dict()`, with its ground plane, so that `use` notices another one.

        Raises KeyError, TypeError or ValueError for an invalid state.
        """
        self._paces = {}
        for track_id, times, numbers, recent in zip(
            *(np.asarray(state[name]).tolist() for name in ("ids", "times_ns", "numbers", "recent")), strict=True
        ):
            first_ns, last_ns, now_ns = map(int, times)
            kept = [(int(seq), now_ns + int(at), walked) for seq, at, walked in recent if seq >= 0]
            fields = dict(zip((*_SUMS, *_ANCHOR), numbers, strict=True))
            self._paces[int(track_id)] = Pace(first_ns, last_ns, now_ns, recent=kept, **fields)
        self._epoch = int(state["epoch"])
        given = state["ground"]
        self._ground = None if given is None else GroundSettings.model_validate(given)
        self._plane = None

    def _plane_of(self, ground: GroundSettings, size_px: tuple[int, int]) -> Plane:
        if self._plane is None or self._size_px != size_px:
            self._plane, self._size_px = Plane(ground, size_px), size_px
        return self._plane

    def _followed(self, frame: TrackFrame, plane: Plane) -> tuple[Track, ...]:
        rows = [row for row, track in enumerate(frame.tracks) if not track.coasted and track.state != TrackState.ENDED]
        places = _places([frame.tracks[row] for row in rows], frame.size_px, plane)
        seen = dict(zip(rows, places.tolist(), strict=True))
        tracks = []
        for row, track in enumerate(frame.tracks):
            if track.state == TrackState.ENDED:
                pace = self._paces.pop(track.id, None)
                tracks.append(track if pace is None else replace(track, distance_m=pace.distance_m))
                continue
            pace = self._paces.get(track.id)
            x_m, y_m, error_m = seen.get(row, (np.nan,) * 3)
            if error_m == error_m:
                if pace is None:
                    at_ns = frame.captured_at_ns
                    pace = self._paces[track.id] = Pace(at_ns, at_ns, at_ns)
                pace.see(frame.seq, frame.captured_at_ns, x_m, y_m, error_m)
            elif pace is not None:
                pace.pass_to(frame.captured_at_ns)
            tracks.append(track if pace is None else _with(track, pace))
        return tuple(tracks)

    def _rename(self, renamed: tuple[Renaming, ...]) -> None:
        """Give each walk the corrected number: the line is the body's, the distance before the mistake the number's."""
        if not renamed:
            return
        before = dict(self._paces)
        for one in renamed:
            self._paces.pop(one.from_id, None)
        for one in renamed:
            body, owner = before.get(one.from_id), before.get(one.to_id)
            if body is None:
                continue
            own_m = 0.0 if owner is None else owner.distance_before(one.since_seq)
            moved_m = own_m - body.distance_before(one.since_seq)
            distance_m, counted_m = body.distance_m + moved_m, body.counted_m + moved_m
            self._paces[one.to_id] = replace(body, distance_m=distance_m, counted_m=counted_m, recent=[])


def _places(tracks: list[Track], size_px: tuple[int, int], plane: Plane) -> Float64Array:
    """Return x, y and error in metres (N, 3) of the feet of each track, not a number where they are unknown."""
    if not tracks:
        return np.zeros((0, 3))
    boxes, joints = np.stack([track.box_xyxy_px for track in tracks]), _joints(tracks)
    points_px, sources = standing_points_px(boxes, joints, size_px)
    positions_m, per_px = plane.positions_m(points_px)
    shares = np.array([ERRORS.get(source, np.nan) for source in sources.tolist()])
    errors_m = np.maximum(shares * body_heights_px(boxes, joints), LEAST_ERROR_PX) * per_px
    errors_m[sources == UNKNOWN] = np.nan
    return np.column_stack([positions_m, errors_m])


def _joints(tracks: list[Track]) -> Float32Array | None:
    """Return the skeletons (N, K, 3), all of no confidence where a person has none."""
    known = [track.keypoints_px for track in tracks if track.keypoints_px is not None]
    if not known or any(len(one) != len(known[0]) or len(one) < JOINTS for one in known):
        return None
    none = np.zeros_like(known[0])
    return np.stack([none if track.keypoints_px is None else track.keypoints_px for track in tracks])


def _with(track: Track, pace: Pace) -> Track:
    return replace(track, position_m=pace.position_m, speed_m_s=pace.speed_m_s, distance_m=pace.distance_m)
