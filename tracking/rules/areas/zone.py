"""People enter a zone, stay in it, and leave it; too many or too few of them are in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from posebus.config.rules.kinds import ZoneRule
from tracking.rules.areas.area import Area
from tracking.rules.areas.clock import nanoseconds, seconds, tick
from tracking.rules.areas.lasting import Lasting, follow
from tracking.rules.areas.stay import SETTLE_NS, StayChange, follow_stays
from tracking.rules.base import Memory, Phase, Place, Step
from tracking.rules.scene import Scene

MISSED_NS = nanoseconds(1.0)
"""People are lost and found again; their number has fallen only after this long."""
RISEN, FALLEN = Lasting(SETTLE_NS, MISSED_NS), Lasting(MISSED_NS, SETTLE_NS)


class Zone:
    """Follows the stay of each person, and the number of people who stay."""

    def __init__(self, settings: ZoneRule, place: Place) -> None:
        self._area = Area(settings.points, place)
        self._dwell_ns = None if settings.dwell_s is None else nanoseconds(settings.dwell_s)
        self._max_people, self._min_people = settings.max_people, settings.min_people

    def update(self, scene: Scene, memory: Memory) -> Iterable[Step]:
        """Return the steps that this frame adds."""
        captured_at_ns = scene.frame.captured_at_ns
        now_ns, before_ns = tick(memory.whole, captured_at_ns)
        changes = follow_stays(memory.tracks, scene.ids, scene.people, self._area.codes(scene), now_ns, before_ns)
        steps = [self._step(change, now_ns, captured_at_ns) for change in changes]
        if self._max_people is not None or self._min_people is not None:
            steps += self._occupancy(scene, memory, (now_ns, before_ns))
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

    def _occupancy(self, scene: Scene, memory: Memory, times_ns: tuple[int, int]) -> Iterator[Step]:
        tracks = memory.tracks
        people = sum(1 for track_id in scene.ids if track_id in tracks and tracks[track_id]["in"])
        if self._max_people is not None:
            beyond = people > self._max_people
            yield from _limited("max_people", people, beyond, RISEN, scene, memory, times_ns)
        if self._min_people is not None:
            beyond = people < self._min_people
            yield from _limited("min_people", people, beyond, FALLEN, scene, memory, times_ns)


def _limited(
    limit: str,
    people: int,
    beyond: bool,
    lasting: Lasting,
    scene: Scene,
    memory: Memory,
    times_ns: tuple[int, int],
) -> Iterator[Step]:
    """Yield the step with which the number of people is beyond a limit, or within it again, for long enough."""
    state: dict[str, Any] = memory.whole.setdefault(limit, {})
    if not beyond and not state:
        return
    now_ns, before_ns = times_ns
    since_ns = state.get("since_ns", now_ns)
    phase = follow(state, beyond, now_ns, before_ns, lasting)
    if phase is None:
        return
    captured_at_ns = scene.frame.captured_at_ns
    data = {"people": people, "limit": limit, "since_ns": captured_at_ns - (now_ns - since_ns)}
    if phase is Phase.START:
        yield Step("zone.occupied", phase, None, limit, data, 1.0, "zone.cleared")
    else:
        yield Step("zone.cleared", phase, None, limit, {**data, "duration_s": seconds(now_ns - since_ns)}, 1.0)
