"""A person stays about the same place for long. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from posebus.config.rules.kinds import LoiterRule
from tracking.rules.areas.area import Area
from tracking.rules.areas.stay import SETTLE_NS, StayChange, Stays
from tracking.rules.base import Memory, Phase, Place, Step
from tracking.rules.clock import nanoseconds, seconds
from tracking.rules.scene import Scene

CHECKED_NS = nanoseconds(0.1)
"""How often it is checked whether a person walked away: frames between, at high rates, would add nothing."""


class Loiter:
    """Follows where the stay of each person in the area began, and begins anew where the person walked away."""

    def __init__(self, settings: LoiterRule, place: Place) -> None:
        self._area = Area(settings.points, place)
        self._stays = Stays()
        self._radius = settings.radius
        self._after_ns = nanoseconds(settings.after_s)

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds."""
        steps: list[Step] = []
        changes = self._stays.follow(memory.tracks, scene, self._area.codes(scene))
        if not changes:
            return steps
        now_ns, captured_at_ns = scene.clock.now_ns, scene.frame.captured_at_ns
        for change in changes:
            stay = change.stay
            if change.phase is Phase.START:
                _begin_at(stay, scene.feet[change.row], stay["since_ns"])
            elif change.phase is Phase.END:
                steps += self._ended(change, now_ns, stay["turn_ns"], captured_at_ns)
            else:
                steps += self._stayed(change, scene, now_ns)
        self._stays.changed(changes)
        return steps

    def _stayed(self, change: StayChange, scene: Scene, now_ns: int) -> Iterable[Step]:
        """Steps of a person who is still in the area: loitering, or walking away from where it began."""
        stay, feet = change.stay, scene.feet[change.row]
        stay["due_ns"] = now_ns + CHECKED_NS
        x, y = stay["around"]
        radius_px = self._radius * scene.heights[change.row]
        if math.hypot(feet[0] - x, feet[1] - y) > radius_px:
            away_ns = stay.setdefault("away_ns", now_ns)
            if now_ns - away_ns < SETTLE_NS or now_ns == away_ns:
                return []
            steps = self._ended(change, now_ns, away_ns, scene.frame.captured_at_ns)
            _begin_at(stay, feet, away_ns)
            return steps
        stay.pop("away_ns", None)
        if "on" in stay or now_ns - stay["still_ns"] < self._after_ns:
            return []
        stay["on"] = True
        still_ns = now_ns - stay["still_ns"]
        data = {"since_ns": scene.frame.captured_at_ns - still_ns, "duration_s": seconds(still_ns)}
        return [Step("loiter.detected", Phase.START, change.track_id, data=data, end_type="loiter.ended")]

    def _ended(self, change: StayChange, now_ns: int, end_ns: int, captured_at_ns: int) -> list[Step]:
        stay = change.stay
        if not stay.pop("on", False):
            return []
        since_ns = captured_at_ns - (now_ns - stay["still_ns"])
        data = {"since_ns": since_ns, "duration_s": seconds(end_ns - stay["still_ns"])}
        return [Step("loiter.ended", Phase.END, change.track_id, data=data)]


def _begin_at(stay: dict[str, Any], feet: list[float], since_ns: int) -> None:
    """Begin to count at `feet`."""
    stay.update({"around": feet, "still_ns": since_ns, "due_ns": since_ns})
    stay.pop("away_ns", None)
