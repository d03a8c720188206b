"""What is remembered of one track until it is finished: its way, its best moment, where it was. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from posebus.messages import MAX_RENAME_DELAY_S, Event, EventType
from tracking.events.path import PathPoint, with_point
from tracking.events.way import PersonWay

SAMPLE_NS = 250_000_000
"""Four times a second is enough for a path, and for a moment that shows the person well."""
MOST_VISITS = 8
"""Zones and crossings of lines in one journey; of more, the latest crossings and the first zones are kept."""


class Sample(NamedTuple):
    """A track in one frame in which it was detected; numbers that are unknown are not a number."""

    epoch: int
    seq: int
    at_ns: int
    x_px: float
    y_px: float
    x_m: float
    y_m: float
    quality: float
    left_px: float
    top_px: float
    right_px: float
    bottom_px: float
    trunk_x_px: float
    trunk_y_px: float

    @property
    def box_xyxy_px(self) -> tuple[float, float, float, float]:
        """Its box."""
        return self.left_px, self.top_px, self.right_px, self.bottom_px


@dataclass(slots=True)
class Visit:
    """Stays in one zone: when the first began, how long all of them took, and since when one lasts (-1: none does)."""

    first_ns: int
    total_ns: int = 0
    since_ns: int = -1


@dataclass(slots=True)
class Journey:
    """One track so far.

    recent: samples that a correction may still give to another track, oldest first. path, way, best: of all earlier
    ones. lines: (rule, capture time, direction) of each crossing.
    """

    recent: list[Sample] = field(default_factory=list)
    path: list[PathPoint] = field(default_factory=list)
    way: PersonWay = field(default_factory=PersonWay)
    best: Sample | None = None
    zones: dict[str, Visit] = field(default_factory=dict)
    lines: list[tuple[str, int, str]] = field(default_factory=list)
    distance_m: float | None = None

    def is_due(self, now_ns: int) -> bool:
        """Whether a frame of this time is to be taken, and not too close to the one before."""
        return not self.recent or not 0 <= now_ns - self.recent[-1].at_ns < SAMPLE_NS

    def see(self, sample: Sample) -> None:
        """Take the track in a later frame that is due."""
        settled_ns = sample.at_ns - round(MAX_RENAME_DELAY_S * 1e9)
        self._settle(
            one for one in self.recent if one.epoch != sample.epoch or not settled_ns <= one.at_ns <= sample.at_ns
        )
        self.recent.append(sample)

    def note(self, event: Event) -> None:
        """Take an event of a rule about this track."""
        rule, at_ns = str(event.data.get("rule")), event.time_ns
        if event.type == EventType.LINE_CROSSED:
            self.lines = [*self.lines, (rule, at_ns, str(event.data.get("direction")))][-MOST_VISITS:]
        elif event.type == EventType.ZONE_ENTERED and (rule in self.zones or len(self.zones) < MOST_VISITS):
            visit = self.zones.setdefault(rule, Visit(at_ns))
            visit.since_ns = at_ns if visit.since_ns < 0 else visit.since_ns
        elif event.type == EventType.ZONE_LEFT and rule in self.zones and self.zones[rule].since_ns >= 0:
            visit = self.zones[rule]
            visit.total_ns += at_ns - visit.since_ns
            visit.since_ns = -1

    def part_since(self, epoch: int, seq: int) -> Journey:
        """Remove what was since a frame, and return it as a journey."""
        late = [one for one in self.recent if one.epoch == epoch and one.seq >= seq]
        self.recent = [one for one in self.recent if one.epoch != epoch or one.seq < seq]
        since_ns = late[0].at_ns if late else math.inf
        zones = {rule: visit for rule, visit in self.zones.items() if visit.first_ns >= since_ns}
        lines = [line for line in self.lines if line[1] >= since_ns]
        self.zones = {rule: visit for rule, visit in self.zones.items() if rule not in zones}
        self.lines = [line for line in self.lines if line[1] < since_ns]
        return Journey(late, zones=zones, lines=lines)

    def join(self, later: Journey) -> None:
        """Add a part of another journey, which is the same person's; of times that both have, the own samples count."""
        last_ns = self.recent[-1].at_ns if self.recent else -math.inf
        self.recent += [one for one in later.recent if one.at_ns > last_ns]
        self.zones = {**later.zones, **self.zones}
        self.lines = sorted({*self.lines, *later.lines}, key=lambda line: line[1])[-MOST_VISITS:]

    def finish(self) -> None:
        """Settle all samples: no correction follows."""
        self._settle(self.recent)

    def state_dict(self) -> dict[str, Any]:
        """JSON scalars and lists alone."""
        return {
            "zones": {rule: [visit.first_ns, visit.total_ns, visit.since_ns] for rule, visit in self.zones.items()},
            "lines": [list(line) for line in self.lines],
            "distance_m": self.distance_m,
        }

    def _settle(self, samples: Iterable[Sample]) -> None:
        settled = list(samples)
        for one in settled:
            self.path = with_point(self.path, PathPoint(one.at_ns, one.x_px, one.y_px, one.x_m, one.y_m))
            trunk = None if math.isnan(one.trunk_x_px) else (one.trunk_x_px, one.trunk_y_px)
            self.way.add(one.box_xyxy_px, trunk)
            if self.best is None or one.quality > self.best.quality:
                self.best = one
        self.recent = [one for one in self.recent if one not in settled]
