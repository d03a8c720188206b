"""How one person walks on the floor: position, speed and distance from places that tremble. Pure.

**Position and speed** are those of a straight line through the last places, by least squares with weights that fall
with age. A line does not lag behind a steady walk, needs no start value, and takes frames at any times. A place counts
by the square of its error, and by its time: errors of successive frames are alike, so that thirty frames a second add
little to ten.

**Speed at rest.** The length of a velocity is never below 0, so that errors alone would make all people walk. Their
expected square is subtracted, which leaves a walk as fast as it is.

**Distance** is counted in steps that are longer than the errors can be: standing adds nothing. While a person walks,
the part of a step since the last one counts, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

MEMORY_S = 0.5
"""Age at which places count 1/e: the line follows the last second."""
ALIKE_S = 0.15
"""For about this long the error of a place stays the same: smoothing, and the phase of a step."""
USUAL_M_S = 1.5
"""Speed that is expected as long as too little was seen."""
SPEED_AFTER_S = 0.4
"""A speed is reported once a person was seen for this long."""
UNSEEN_S = 1.0
"""Without a new place for this long, a person has no position."""
LEAST_STEP_M = 0.3
"""Shortest step that adds to the distance; a person who stands shifts the feet by less."""
WALKING_M_S = 0.4
"""A person who is slower may stand."""
SURE = 3.0
"""Errors are rarely larger than this many standard deviations."""
KEPT = 12
"""Distances of the last moments, which corrections of numbers may divide."""
KEEP_EVERY_NS = 200_000_000


@dataclass(slots=True)
class Pace:
    """The walk of one person.

    first_ns, last_ns: capture times of the first and the last place of the line. now_ns: of the last frame. recent:
    (seq, captured_at_ns, distance_m) of the last moments, oldest first.
    """

    first_ns: int
    last_ns: int
    now_ns: int
    weight: float = 0.0
    times: float = 0.0
    times2: float = 0.0
    xs: float = 0.0
    ys: float = 0.0
    times_xs: float = 0.0
    times_ys: float = 0.0
    anchor_x: float = 0.0
    anchor_y: float = 0.0
    anchor_variance: float = -1.0
    counted_m: float = 0.0
    distance_m: float = 0.0
    recent: list[tuple[int, int, float]] = field(default_factory=list)

    def see(self, seq: int, now_ns: int, x_m: float, y_m: float, error_m: float) -> None:
        """Take the place of the person in a frame, with its standard deviation."""
        since_s = (now_ns - self.last_ns) / 1e9
        if since_s > UNSEEN_S or self.weight <= 0.0:
            self._restart(now_ns)
            since_s = ALIKE_S
        self.pass_to(now_ns)
        weight = min(since_s, ALIKE_S) / ALIKE_S / error_m**2
        self.weight += weight
        self.xs += weight * x_m
        self.ys += weight * y_m
        self.last_ns = now_ns
        self._step()
        if not self.recent or now_ns - self.recent[-1][1] >= KEEP_EVERY_NS:
            self.recent = [*self.recent[1 - KEPT :], (seq, now_ns, self.distance_m)]

    def pass_to(self, now_ns: int) -> None:
        """Let time pass until a frame; all times of the line are relative to it."""
        dt_s = (now_ns - self.now_ns) / 1e9
        self.now_ns = now_ns
        if dt_s <= 0.0:
            return
        kept = math.exp(-dt_s / MEMORY_S)
        self.times2 = kept * (self.times2 - 2 * dt_s * self.times + dt_s**2 * self.weight)
        self.times = kept * (self.times - dt_s * self.weight)
        self.times_xs = kept * (self.times_xs - dt_s * self.xs)
        self.times_ys = kept * (self.times_ys - dt_s * self.ys)
        self.weight *= kept
        self.xs *= kept
        self.ys *= kept

    @property
    def position_m(self) -> tuple[float, float] | None:
        """Where the person is now; None after too long without a place."""
        if self.weight <= 0.0 or (self.now_ns - self.last_ns) / 1e9 > UNSEEN_S:
            return None
        (x, y), _, _, _ = self._line()
        return x, y

    @property
    def speed_m_s(self) -> float | None:
        """How fast the person walks now; None if that is not known yet, or not any more."""
        if self.position_m is None or (self.last_ns - self.first_ns) / 1e9 < SPEED_AFTER_S:
            return None
        _, (x, y), _, variance = self._line()
        return math.sqrt(max(x * x + y * y - 2 * variance, 0.0))

    def distance_before(self, seq: int) -> float:
        """The distance until a frame of the last moments."""
        earlier = [distance_m for at, _, distance_m in self.recent if at < seq]
        if earlier:
            return earlier[-1]
        return self.recent[0][2] if len(self.recent) == KEPT else 0.0

    def _restart(self, now_ns: int) -> None:
        self.first_ns = self.now_ns = now_ns
        self.weight = self.times = self.times2 = self.xs = self.ys = self.times_xs = self.times_ys = 0.0

    def _line(self) -> tuple[tuple[float, float], tuple[float, float], float, float]:
        """Position and velocity now, and the variances of both in each direction."""
        times2 = self.times2 + USUAL_M_S**-2
        determinant = self.weight * times2 - self.times**2
        position = (
            (times2 * self.xs - self.times * self.times_xs) / determinant,
            (times2 * self.ys - self.times * self.times_ys) / determinant,
        )
        velocity = (
            (self.weight * self.times_xs - self.times * self.xs) / determinant,
            (self.weight * self.times_ys - self.times * self.ys) / determinant,
        )
        # Of a fit whose weights fall with age, errors are these parts of those of one in which places so heavy count.
        return position, velocity, 0.625 * times2 / determinant, 0.25 * self.weight / determinant

    def _step(self) -> None:
        (x, y), velocity, variance, of_velocity = self._line()
        if self.anchor_variance < 0.0:
            self.anchor_x, self.anchor_y, self.anchor_variance = x, y, variance
            return
        step_m = math.hypot(x - self.anchor_x, y - self.anchor_y)
        if math.hypot(*velocity) > max(WALKING_M_S, SURE * math.sqrt(of_velocity)):
            self.distance_m = max(self.distance_m, self.counted_m + step_m)
        if step_m >= max(LEAST_STEP_M, SURE * math.sqrt(variance + self.anchor_variance)):
            self.counted_m += step_m
            self.distance_m = max(self.distance_m, self.counted_m)
            self.anchor_x, self.anchor_y, self.anchor_variance = x, y, variance
