"""The events of rules: what each says about the person, the rule and the moment. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from posebus.messages import Event, Track, TrackFrame
from tracking.rules.base import Phase, Step
from tracking.rules.sound import corners_px, joints_of

PREFIX = "posebus."
DECIMALS = 1
SCORE_DECIMALS = 2
"""Fewer than in tracks, which have the exact values: events are kept for long, and each has a limit of its size."""

SeenBody = tuple[Track | None, Mapping[str, Any]]
"""The track that an event is about, if the frame has it, and what the event says about its body."""
NOBODY: SeenBody = (None, {})


def rule_event(
    rule: str, kind: str, step: Step, happening: str, frame: TrackFrame, seen: SeenBody, *, own_type: bool
) -> Event:
    """Return the event of a step. `own_type`: its type is that of another package, and stays as it is."""
    track_id = step.track_id
    track, body = seen
    type_ = step.type if own_type else PREFIX + step.type
    parts = [frame.camera, frame.epoch, frame.seq, type_, rule, *(part for part in (track_id, step.key) if part != "")]
    data: dict[str, Any] = {
        "rule": rule,
        "kind": kind,
        "track_id": track_id,
        "happening": happening,
        "phase": step.phase.value,
        "captured_at_ns": frame.captured_at_ns,
        "confidence": _confidence(step, track),
        **body,
        **step.data,
    }
    return Event(
        id="/".join(str(part) for part in parts if part is not None),
        type=type_,
        source=f"posebus/cameras/{frame.camera}/rules/{rule}",
        subject=frame.camera if track_id is None else f"{frame.camera}/tracks/{track_id}",
        time_ns=frame.captured_at_ns,
        camera=frame.camera,
        epoch=frame.epoch,
        seq=frame.seq,
        data=data,
    )


def _confidence(step: Step, track: Track | None) -> float | None:
    if step.confidence is not None:
        return round(min(max(float(step.confidence), 0.0), 1.0), SCORE_DECIMALS)
    if track is None or step.phase is Phase.END or not math.isfinite(track.score):
        return None
    return round(float(track.score), SCORE_DECIMALS)


def _body(track: Track | None) -> dict[str, Any]:
    """Box and keypoints of the moment, where the frame has the track, and they are none that cannot be."""
    if track is None:
        return {}
    found: dict[str, Any] = {}
    corners, joints = corners_px(track), joints_of(track)
    if corners is not None:
        found["box_xyxy_px"] = np.round(corners, DECIMALS).tolist()
    if joints is not None:
        joints[:, :2] = np.round(joints[:, :2], DECIMALS)
        joints[:, 2] = np.round(joints[:, 2], SCORE_DECIMALS)
        found["keypoints_px"] = joints.tolist()
    return found


class FrameEvents:
    """The events of one frame, each with an id of its own."""

    def __init__(self, frame: TrackFrame) -> None:
        self.frame = frame
        self.made: list[Event] = []
        self._tracks: dict[int, Track] | None = None
        self._bodies: dict[int, SeenBody] = {}
        self._ids: set[str] = set()

    def add(self, name: str, kind: str, step: Step, happening: str, *, own_type: bool) -> None:
        event = rule_event(name, kind, step, happening, self.frame, self._seen(step.track_id), own_type=own_type)
        number = 1
        while event.id in self._ids:
            number += 1
            event = replace(event, id=f"{event.id.removesuffix(f'~{number - 1}')}~{number}")
        self._ids.add(event.id)
        self.made.append(event)

    def _seen(self, track_id: int | None) -> SeenBody:
        if track_id is None:
            return NOBODY
        found = self._bodies.get(track_id)
        if found is None:
            if self._tracks is None:
                self._tracks = {track.id: track for track in self.frame.tracks}
            track = self._tracks.get(track_id)
            found = self._bodies[track_id] = (track, _body(track))
        return found
