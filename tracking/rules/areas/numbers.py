"""How many people are in an area: a crowd, or too few of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from posebus.config.rules.kinds import AbsenceRule, CrowdRule
from tracking.rules.areas.area import Area
from tracking.rules.areas.lasting import Lasting, follow
from tracking.rules.areas.stay import SETTLE_NS
from tracking.rules.base import Memory, Phase, Place, Step
from tracking.rules.clock import nanoseconds, seconds
from tracking.rules.scene import Scene

MISSED_NS = nanoseconds(1.0)
"""People who hide each other are lost and found again: a crowd has ended only after this long."""


class Crowd:
    """Enough people are in the area."""

    def __init__(self, settings: CrowdRule, place: Place) -> None:
        self._area = Area(settings.points, place)
        self._people, self._lasting = settings.people, Lasting(nanoseconds(settings.for_s), MISSED_NS)

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds."""
        people = self._area.codes(scene).count(1)
        if people < self._people and not memory.whole.get("state"):
            return ()
        return _lasting("crowd", people, people >= self._people, self._lasting, scene, memory)


class Absence:
    """Too few people are in the area."""

    def __init__(self, settings: AbsenceRule, place: Place) -> None:
        self._area = Area(settings.points, place)
        self._people, self._lasting = settings.people, Lasting(nanoseconds(settings.for_s), SETTLE_NS)

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds."""
        people = self._area.codes(scene).count(1)
        state = memory.whole.get("state", {})
        if people >= self._people and not state:
            return ()
        if scene.ended_by == "cut" and "on" not in state:
            # The picture shows another place: what was counted until now was not there.
            state.clear()
        return _lasting("absence", people, people < self._people, self._lasting, scene, memory)


def _lasting(kind: str, people: int, holds: bool, lasting: Lasting, scene: Scene, memory: Memory) -> Sequence[Step]:
    """Return the step with which something has been so, or not so, for long enough."""
    state: dict[str, Any] = memory.whole.setdefault("state", {})
    now_ns = scene.clock.watched_ns
    since_ns = state.get("since_ns", now_ns)
    phase = follow(state, holds, now_ns, scene.clock.watched_before_ns, lasting)
    if phase is None:
        return ()
    data = {
        "people": people,
        "since_ns": scene.frame.captured_at_ns - (now_ns - since_ns),
        "duration_s": seconds(now_ns - since_ns),
    }
    if phase is Phase.START:
        return [Step(f"{kind}.detected", phase, None, data=data, confidence=1.0, end_type=f"{kind}.ended")]
    return [Step(f"{kind}.ended", phase, None, data=data, confidence=1.0)]
