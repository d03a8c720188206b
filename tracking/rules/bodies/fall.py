"""A person falls to the ground, and stays there. Pure.

A fall is a fast way down from upright to a posture that lies, as OmniFall's label `fall`; its `fallen` is the same
person still down some seconds later. Who is on the ground when first seen has not fallen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from posebus.config.rules.kinds import FallRule
from tracking.rules.areas.area import Area
from tracking.rules.base import Memory, Phase, Place, Step
from tracking.rules.bodies.bodies import CONTINUES_KEY
from tracking.rules.bodies.descent import (
    DOWN,
    DOWN_AT_S,
    LOWEST,
    MIDDLE_X,
    MIDDLE_Y,
    RATE,
    SEEN_AT_S,
    STANDING,
    TOPPLES,
    UPRIGHT_AT_S,
)
from tracking.rules.bodies.kept import BODY_KEY
from tracking.rules.bodies.signs import FALL, FROM_UPRIGHT_S, JUDGED_AT_LEAST_S, NEVER
from tracking.rules.clock import nanoseconds, seconds
from tracking.rules.scene import Scene

UNSEEN_S, UNSEEN_RATE, UNSEEN_LOWEST = 0.35, 1.4, 0.45
"""Detectors lose many people at the moment of the impact. Who was last seen on such a fast way down, already so low,
and is not seen for this long, has fallen."""

UNSEEN_CONFIDENCE = 0.6

BORDER = 0.6
"""Standing heights from the middle of a body to the borders left and right within which it may fall out of the picture.
"""


class Fall:
    """Begins a happening with the fall, adds `fallen` to it, and ends it when the person is up again."""

    def __init__(self, settings: FallRule, place: Place) -> None:
        self._area = Area(settings.points, place)
        self._fallen_ns = None if settings.fallen_s is None else nanoseconds(settings.fallen_s)

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds."""
        steps: list[Step] = []
        bodies, codes = scene.bodies, self._area.codes(scene)
        for row, odds in enumerate(bodies.signs[FALL]):
            if odds <= 0.0 and (odds > NEVER or bodies.fresh[row]):
                continue
            if codes[row] < 0 or scene.ids[row] in memory.tracks:
                continue
            if not bodies.fresh[row]:
                steps += self._unseen(scene.ids[row], scene, memory)
            elif odds > 0.0:
                steps += _begin(scene.ids[row], bodies.state[row].tolist(), scene, memory, _confidence(odds))
        for track_id in scene.lost_ids:
            if track_id not in memory.tracks:
                steps += self._unseen(track_id, scene, memory)
        if memory.tracks:
            steps += self._go_on(scene, memory)
        return steps

    def _unseen(self, track_id: int, scene: Scene, memory: Memory) -> list[Step]:
        """The fall of a person lost by the detector on the way to the ground."""
        body = scene.shared.get(track_id, {}).get(BODY_KEY)
        if body is None or scene.captured_at_s - body[SEEN_AT_S] < UNSEEN_S:
            return []
        if body[TOPPLES] > 0.0 and _is_inside(body, scene.frame.size_px):
            began = _begin(track_id, body, scene, memory, UNSEEN_CONFIDENCE)
            memory.tracks[track_id]["toppled"] = True
            return began
        if not body[DOWN]:
            return []
        was_upright = body[UPRIGHT_AT_S] >= 0.0 and body[DOWN_AT_S] - body[UPRIGHT_AT_S] <= FROM_UPRIGHT_S
        landed = body[SEEN_AT_S] - body[DOWN_AT_S] > UNSEEN_S + JUDGED_AT_LEAST_S
        if landed or not was_upright or body[RATE] < UNSEEN_RATE or body[LOWEST] > UNSEEN_LOWEST:
            return []
        return _begin(track_id, body, scene, memory, UNSEEN_CONFIDENCE)

    def _go_on(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Steps of falls that began: still down, or up again."""
        now_ns = scene.frame.captured_at_ns
        for track_id, entry in list(memory.tracks.items()):
            if track_id not in memory.tracks:
                continue  # it ended as another track of the same person
            body = scene.shared.get(track_id, {}).get(BODY_KEY)
            if body is None:
                continue
            entry["since_ns"] = min(entry["since_ns"], now_ns)  # the camera's clock may have gone back
            passed_ns = now_ns - entry["since_ns"]
            data = {"since_ns": entry["since_ns"], "duration_s": seconds(passed_ns)}
            # Who was lost before being down is up again only when seen standing.
            seen_s = body[UPRIGHT_AT_S] if entry.get("toppled") else body[SEEN_AT_S]
            if not body[DOWN] and seen_s * 1e9 > entry["since_ns"]:
                fell_as = entry.get("fell_as", track_id)
                if fell_as != track_id:
                    # Else the track that is no longer seen would fall once more.
                    scene.shared.get(fell_as, {}).pop(BODY_KEY, None)
                for one in (track_id, fell_as):
                    memory.tracks.pop(one, None)
                yield Step("fall.ended", Phase.END, fell_as, data=data)
            elif self._fallen_ns is not None and passed_ns >= self._fallen_ns and "fallen" not in entry:
                entry["fallen"] = True
                yield Step("fallen.detected", Phase.UPDATE, track_id, data=data, confidence=entry["confidence"])


def _begin(track_id: int, body: list[float], scene: Scene, memory: Memory, confidence: float) -> list[Step]:
    """The start of a fall; nothing where it began as that of another track of the same person."""
    fell_as = _fell_as(track_id, scene, memory)
    if fell_as is not None:
        memory.tracks[track_id] = {**memory.tracks[fell_as], "fell_as": fell_as, "fallen": True, "toppled": False}
        return []
    since_s = body[DOWN_AT_S] if body[DOWN] else body[SEEN_AT_S]
    since_ns = min(round(since_s * 1e9), scene.frame.captured_at_ns)
    memory.tracks[track_id] = {"since_ns": since_ns, "confidence": confidence}
    data: dict[str, Any] = {"since_ns": since_ns, "speed": round(body[RATE], 2)}
    return [Step("fall.detected", Phase.START, track_id, data=data, confidence=confidence, end_type="fall.ended")]


def _fell_as(track_id: int, scene: Scene, memory: Memory) -> int | None:
    """The track as which the person of this one fell: the one before it, or one that went on with it."""
    before = scene.shared.get(track_id, {}).get(CONTINUES_KEY)
    for other, entry in memory.tracks.items():
        if other == before or scene.shared.get(other, {}).get(CONTINUES_KEY) == track_id:
            fell_as: int = entry.get("fell_as", other)
            return fell_as if fell_as in memory.tracks else other
    return None


def _is_inside(body: list[float], size_px: tuple[int, int]) -> bool:
    """Whether a body was so far from the borders of the picture that it did not fall out of it."""
    away_px = BORDER * body[STANDING]
    inside = away_px <= body[MIDDLE_X] <= size_px[0] - away_px
    return inside and body[MIDDLE_Y] <= size_px[1] - 0.5 * away_px


def _confidence(odds: float) -> float:
    return round(1.0 / (1.0 + math.exp(-odds)), 2)
