"""`posebus.track.finished`: all of a track's journey as one event, when the track has ended. Pure.

The event of a finished track follows its `ended`, in the same frame; a number that was corrected away has none, since
its person goes on under another number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from posebus.arrays import Float32Array
from posebus.contract.events import EVENT_BYTES, Position, published, track_event
from posebus.contract.public_json import ENTRY_BYTES, dump, event_to_json
from posebus.messages import Event, EventType, Track, TrackFrame, TrackState
from tracking.events.journey import Journey, Sample, Visit
from tracking.events.path import MAX_POINTS, PathPoint, simplified
from tracking.events.showing import qualities
from tracking.events.way import NUMBERS, PersonWay, trunk_of
from tracking.feet import standing_points_px

MAX_BYTES = EVENT_BYTES - ENTRY_BYTES
FEW_POINTS = 8
"""Visits of zones and lines are left out only if the path has no more points than this."""
LATEST_NS = 2**62
"""A time with as many digits as any."""
_KEPT_OF_ENDED = ("track_id", "first_seen_ns", "last_seen_ns", "duration_s", "reason")
_UNKNOWN = (math.nan, math.nan)


class Journeys:
    """The journeys of one camera's tracks. Each frame is given to `see`, its rule events to `note`, and the events of
    its tracks' lives to `finished`, in this order."""

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._journeys: dict[int, Journey] = {}

    def see(self, frame: TrackFrame) -> None:
        """Take the tracks of a frame, and the corrections that it announces."""
        if frame.renamed:
            self._rename(frame)
        due = [track for track in frame.tracks if self._is_due(track, frame)]
        for track, sample in zip(due, _samples(due, frame), strict=True):
            self._journeys.setdefault(track.id, Journey()).see(sample)
        for track in frame.tracks:
            if track.distance_m is not None and track.id in self._journeys:
                self._journeys[track.id].distance_m = track.distance_m

    def note(self, events: Iterable[Event]) -> None:
        """Take events of rules; those about other things than a track that is known are left out."""
        for event in events:
            journey = self._journeys.get(event.data.get("track_id", -1))
            if journey is not None:
                journey.note(event)

    def finished(self, lives: Iterable[Event], frame: TrackFrame | None = None) -> list[Event]:
        """The events of the tracks that ended, by the events of their lives.

        frame: the frame with which they ended; None at the end of the source, which ends all.
        """
        found = [
            self._finish(event, self._journeys.pop(event.data["track_id"], Journey()))
            for event in lives
            if event.type == EventType.TRACK_ENDED and event.data["reason"] != "renamed"
        ]
        if frame is None:
            self._journeys.clear()
        else:
            for track in frame.tracks:
                if track.state == TrackState.ENDED:  # never confirmed
                    self._journeys.pop(track.id, None)
        return found

    def state_dict(self) -> dict[str, Any]:
        """All journeys: JSON scalars and lists, and numpy arrays, which are packed fast."""
        journeys = self._journeys.values()
        samples = [[*one.recent, *([] if one.best is None else [one.best])] for one in journeys]
        points = [point for one in journeys for point in one.path]
        return {
            "ids": np.array([*self._journeys], np.int64),
            "facts": [one.state_dict() for one in journeys],
            "lengths": np.array(
                [(len(one.recent), one.best is not None, len(one.path)) for one in journeys], np.int64
            ).reshape(-1, 3),
            "ways": np.array([one.way.numbers for one in journeys], np.float64).reshape(-1, NUMBERS),
            "sample_frames": np.array([one[:3] for part in samples for one in part], np.int64).reshape(-1, 3),
            "samples": np.array([one[3:] for part in samples for one in part], np.float32).reshape(-1, 11),
            "point_times_ns": np.array([point.at_ns for point in points], np.int64),
            "points": np.array([point[1:5] for point in points], np.float32).reshape(-1, 4),
            "owed_px": np.array([point.owed_px for point in points], np.float64),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError for an invalid state."""
        rows = zip(state["sample_frames"].tolist(), state["samples"].tolist(), strict=True)
        samples = iter([Sample(*map(int, frame), *values) for frame, values in rows])
        places = zip(state["point_times_ns"].tolist(), state["points"].tolist(), state["owed_px"].tolist(), strict=True)
        points = iter([PathPoint(int(at_ns), *map(float, (*place, owed_px))) for at_ns, place, owed_px in places])
        self._journeys = {}
        for number, facts, (recent, best, path), way in zip(
            *(state["ids"].tolist(), state["facts"], state["lengths"].tolist(), state["ways"].tolist()), strict=True
        ):
            self._journeys[int(number)] = Journey(
                recent=[next(samples) for _ in range(recent)],
                best=next(samples) if best else None,
                path=[next(points) for _ in range(path)],
                way=PersonWay.from_numbers(way),
                zones={str(rule): Visit(*map(int, visit)) for rule, visit in facts["zones"].items()},
                lines=[(str(rule), int(at_ns), str(way)) for rule, at_ns, way in facts["lines"]],
                distance_m=None if facts["distance_m"] is None else float(facts["distance_m"]),
            )

    def _is_due(self, track: Track, frame: TrackFrame) -> bool:
        if track.coasted or track.state not in (TrackState.TENTATIVE, TrackState.CONFIRMED):
            return False
        journey = self._journeys.get(track.id)
        return journey is None or journey.is_due(frame.captured_at_ns)

    def _rename(self, frame: TrackFrame) -> None:
        parts = {}
        for one in frame.renamed:
            if one.from_id in self._journeys:
                parts[one.to_id] = self._journeys[one.from_id].part_since(frame.epoch, one.since_seq)
        ceased = {one.from_id for one in frame.renamed} - {one.to_id for one in frame.renamed}
        for track_id in ceased:
            self._journeys.pop(track_id, None)
        for track_id, part in parts.items():
            self._journeys.setdefault(track_id, Journey()).join(part)

    def _finish(self, ended: Event, journey: Journey) -> Event:
        """The event, with as many points of the path as fit into an event, and else with fewer visits."""
        journey.finish()
        points = min(len(journey.path), MAX_POINTS)
        while True:
            event = self._event(ended, journey, simplified(journey.path, points))
            sent = published([event], LATEST_NS)[0]
            if len(dump(event_to_json(sent)).encode()) <= MAX_BYTES:
                return event
            if points > FEW_POINTS or (points > 2 and not (journey.lines or journey.zones)):
                points -= 1
            elif journey.lines:
                del journey.lines[0]
            elif journey.zones:
                journey.zones.popitem()
            else:
                return event

    def _event(self, ended: Event, journey: Journey, path: Sequence[PathPoint]) -> Event:
        first_ns = ended.data["first_seen_ns"]
        data: dict[str, Any] = {name: ended.data[name] for name in _KEPT_OF_ENDED}
        data["distance_px"] = round(journey.way.measured.length_px)
        data["path"] = [[_seconds(one.at_ns - first_ns), round(one.x_px), round(one.y_px)] for one in path]
        if journey.distance_m is not None:
            data["distance_m"] = round(journey.distance_m, 2)
            data["path_m"] = [None if math.isnan(one.x_m) else [round(one.x_m, 2), round(one.y_m, 2)] for one in path]
        if journey.best is not None:
            best = journey.best
            box = [round(side, 1) for side in best.box_xyxy_px]
            data["best"] = {"epoch": best.epoch, "seq": best.seq, "captured_at_ns": best.at_ns, "box_xyxy_px": box}
        data["zones"] = [_visit(rule, visit, first_ns, ended.time_ns) for rule, visit in journey.zones.items()]
        data["lines"] = [
            {"rule": rule, "t_s": _seconds(at_ns - first_ns), "direction": direction}
            for rule, at_ns, direction in journey.lines
        ]
        position = Position(ended.epoch, ended.seq, ended.time_ns)
        return track_event(EventType.TRACK_FINISHED, self._camera, ended.data["track_id"], position, data)


def _samples(tracks: Sequence[Track], frame: TrackFrame) -> list[Sample]:
    """The tracks of `tracks`, which were detected in `frame`."""
    if not tracks:
        return []
    boxes = np.stack([track.box_xyxy_px for track in tracks])
    # A person who covers another one is one of all, not only of those that are due.
    shown = [track for track in frame.tracks if track.state != TrackState.ENDED]
    found = qualities([one.box_xyxy_px for one in shown], [one.keypoint_visibility for one in shown], frame.size_px)
    quality_of = dict(zip((one.id for one in shown), found, strict=True))
    rows = []
    for track, foot, box in zip(tracks, _feet_px(tracks, boxes, frame.size_px), boxes.tolist(), strict=True):
        joints, flags = track.keypoints_px, track.keypoint_visibility
        trunk = None if joints is None or flags is None else trunk_of(joints.tolist(), flags.tolist())
        rows.append((*foot, *(track.position_m or _UNKNOWN), quality_of[track.id], *box, *(trunk or _UNKNOWN)))
    # As they are in the snapshot: a tracker that takes over must go on with the same numbers.
    at = frame.epoch, frame.seq, frame.captured_at_ns
    return [Sample(*at, *numbers) for numbers in np.array(rows, np.float32).tolist()]


def _feet_px(tracks: Sequence[Track], boxes: Float32Array, size_px: tuple[int, int]) -> list[list[float]]:
    """Where tracks stand whose boxes (N, 4) these are, in one call if all of them have the same joints."""
    joints = [track.keypoints_px for track in tracks]
    if all(one is not None for one in joints) and len({one.shape for one in joints if one is not None}) == 1:
        found: list[list[float]] = standing_points_px(boxes, np.array(joints), size_px)[0].tolist()
        return found
    places = []
    for box, one in zip(boxes, joints, strict=True):
        places += standing_points_px(box[None], None if one is None else one[None], size_px)[0].tolist()
    return places


def _visit(rule: str, visit: Visit, first_ns: int, end_ns: int) -> dict[str, Any]:
    lasts_ns = end_ns - visit.since_ns if visit.since_ns >= 0 else 0
    return {"rule": rule, "t_s": _seconds(visit.first_ns - first_ns), "duration_s": _seconds(visit.total_ns + lasts_ns)}


def _seconds(time_ns: int) -> float:
    return round(time_ns / 1e9, 1)
