"""One frame in the pipeline: the network inputs that it takes, and the one outcome that it ends with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from posebus.bus.frame_consumer import PoseResult
from workers.detections import Detections
from workers.images.tiling import ViewPlan
from workers.job import Job, skip


@dataclass(frozen=True, slots=True)
class ViewResult:
    """The detections of one view: those of each tile of `plan`, in its order and in pixels of the network's input."""

    plan: ViewPlan
    detections: tuple[Detections, ...]


PROBE_PATIENCE_S = 0.25
"""Together with `max_age_ms` less than the tracker waits for a frame (`tracker.reorder_wait_s`)."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """A frame that was inferred: the result of its first view, `primary`, and of its other views, `probes`.

    `inference_s` is the time from the submission of the primary view's first tile to the result of its last one.
    """

    job: Job
    primary: ViewResult
    probes: tuple[ViewResult, ...]
    inference_s: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A frame whose decoding or inference raised `error`. It is not answered: another worker may succeed with it.

    `alone` means that no other frame can have been the cause.
    """

    job: Job
    error: Exception
    alone: bool


FrameOutcome = Inferred | Failed | PoseResult
"""What a frame leaves the pipeline with."""


class FrameJob:
    """A frame in flight. Its inputs are the tiles of all its views, numbered in their order, the primary view's first.

    Each input ends once, by `complete_input`, `fail_input` or `expire_input`. One of these calls returns the frame's
    outcome: the one for the last input, or the first that decides the outcome by itself. No locks and no clocks: the
    caller holds a lock, and times are monotonic seconds.
    """

    def __init__(self, job: Job, plans: Sequence[ViewPlan]) -> None:
        self.job = job
        self.decided = False
        """Whether the outcome is known, so that inputs that still wait need not be computed."""
        self._plans = plans
        self._primary_count = len(plans[0].tiles)
        self._detections: list[Detections | None] = [None] * sum(len(plan.tiles) for plan in plans)
        self._unfinished = set(range(len(self._detections)))
        self._submitted_at_s: float | None = None
        self._finished_at_s = 0.0

    @property
    def input_count(self) -> int:
        """How many network inputs the frame takes."""
        return len(self._detections)

    def expires_at_s(self, number: int) -> float:
        """Return the time after which input `number` is not submitted any more (monotonic).

        The primary view's tiles are kept or dropped together. While the first one waits, no work was done for the
        frame; once it is submitted, dropping the others would waste that work, again and again where workers are too
        slow. Probes wait longer: they are rare, and where workers are too slow, only they show what to do about it.
        """
        if number == 0:
            return self.job.expires_at_s
        return math.inf if number < self._primary_count else self.job.expires_at_s + PROBE_PATIENCE_S

    def complete_input(
        self, number: int, detections: Detections, submitted_at_s: float, finished_at_s: float
    ) -> Inferred | None:
        """Record the engine's result for an input."""
        self._detections[number] = detections
        if number < self._primary_count:
            before_s = self._submitted_at_s
            self._submitted_at_s = submitted_at_s if before_s is None else min(before_s, submitted_at_s)
            self._finished_at_s = max(self._finished_at_s, finished_at_s)
        return self._finish_input(number)

    def fail_input(self, error: Exception, *, alone: bool) -> Failed | None:
        """Record that the engine failed with an input, which fails the frame."""
        return None if self._was_decided() else Failed(self.job, error, alone)

    def expire_input(self, number: int) -> Inferred | PoseResult | None:
        """Record that an input waited past its expiry. With the first input the whole frame is skipped."""
        if number == 0:
            return None if self._was_decided() else skip(self.job.entry, self.job.frame, "too old")
        return self._finish_input(number)

    def _was_decided(self) -> bool:
        before, self.decided = self.decided, True
        return before

    def _finish_input(self, number: int) -> Inferred | None:
        self._unfinished.discard(number)
        if self._unfinished or self._was_decided():
            return None
        results, first = [], 0
        for plan in self._plans:
            detections = [one for one in self._detections[first : first + len(plan.tiles)] if one is not None]
            first += len(plan.tiles)
            if len(detections) == len(plan.tiles):
                results.append(ViewResult(plan, tuple(detections)))
        return Inferred(
            job=self.job,
            primary=results[0],
            probes=tuple(results[1:]),
            inference_s=self._finished_at_s - (self._submitted_at_s or 0.0),
        )
