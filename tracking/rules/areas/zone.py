"""People enter a zone, stay in it, and leave it; too many or too few of them are in it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from posebus.config.rules.kinds import ZoneRule
from tracking.rules.areas.area import Area
from tracking.rules.areas.lasting import Lasting, follow
from tracking.rules.areas.stay import SETTLE_NS, StayChange, Stays
from tracking.rules.base import Memory, Phase, Place, Step
from tracking.rules.clock import nanoseconds, seconds
from tracking.rules.scene import Scene

MISSED_NS = nanoseconds(1.0)
"""People are lost and found again; their number has fallen only after this long."""
RISEN, FALLEN = Lasting(SETTLE_NS, MISSED_NS), Lasting(MISSED_NS, SETTLE_NS)


class Zone:
    """Follows the stay of each person, and the number of people who stay."""

    def __init__(self, settings: ZoneRule, place: Place) -> None:
        self._area = Area(settings.points, place)
        self._dwell_ns = None if settings.dwell_s is None else nanoseconds(settings.dwell_s)
        self._stays = Stays()
        self._limits: list[tuple[str, float, float, Lasting]] = []
        """Name, most and fewest people, and how long they have to be more or fewer."""
        if settings.max_people is not None:
            self._limits.append(("max_people", settings.max_people, 0, RISEN))
        if settings.min_people is not None:
            self._limits.append(("min_people", math.inf, settings.min_people, FALLEN))

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds."""
        stays, whole, steps = self._stays, memory.whole, []
        changes = stays.follow(memory.tracks, scene, self._area.codes(scene))
        if changes:
            steps = [self._step(change, scene.clock.now_ns, scene.frame.captured_at_ns) for change in changes]
            stays.changed(changes)
        for limit, most, least, lasting in self._limits:
            people = stays.inside()
            beyond = not least <= people <= most
            if beyond or whole.get(limit):
                steps += _limited(limit, people, beyond, lasting, scene, memory)
        return steps

    def _step(self, change: StayChange, now_ns: int, captured_at_ns: int) -> Step:
        stay = change.stay
        passed_ns = now_ns - stay["since_ns"]
        since = {"since_ns": captured_at_ns - passed_ns}
        if change.phase is Phase.START:
            if self._dwell_ns is not None:
                stay["due_ns"] = stay["since_ns"] + self._dwell_ns
            return Step("zone.entered", Phase.START, change.track_id, data=since, end_type="zone.left")
        if change.phase is Phase.UPDATE:
            del stay["due_ns"]
            data = {**since, "duration_s": seconds(passed_ns)}
            return Step("zone.dwelled", Phase.UPDATE, change.track_id, data=data)
        inside_ns = stay["turn_ns"] - stay["since_ns"]
        return Step("zone.left", Phase.END, change.track_id, data={**since, "duration_s": seconds(inside_ns)})


def _limited(limit: str, people: int, beyond: bool, lasting: Lasting, scene: Scene, memory: Memory) -> Sequence[Step]:
    """Return the step with which the number of people is beyond a limit, or within it again, for long enough."""
    state: dict[str, Any] = memory.whole.setdefault(limit, {})
    now_ns = scene.clock.now_ns
    since_ns = state.get("since_ns", now_ns)
    phase = follow(state, beyond, now_ns, scene.clock.before_ns, lasting)
    if phase is None:
        return ()
    data = {"people": people, "limit": limit, "since_ns": scene.frame.captured_at_ns - (now_ns - since_ns)}
    if phase is Phase.START:
        return (Step("zone.occupied", phase, None, limit, data, 1.0, "zone.cleared"),)
    return (Step("zone.cleared", phase, None, limit, {**data, "duration_s": seconds(now_ns - since_ns)}, 1.0),)
