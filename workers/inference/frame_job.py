"""What becomes of one frame in the pipeline: the inputs that it takes, until they are through, and its one outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posebus.bus.frame_consumer import PoseResult
from workers.detections import Detections
from workers.images.tiling import Look
from workers.job import Job, skip


@dataclass(frozen=True, slots=True)
class Sight:
    """What the network found by one view: the people of each part of `look`, in pixels of the network's input."""

    look: Look
    people: tuple[Detections, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame that was inferred: `answer` by the first of its views, and what others found, `beside`.

    `inference_s` is how long the engine had the answer, from the first of its parts to the last.
    """

    job: Job
    answer: Sight
    beside: tuple[Sight, ...]
    inference_s: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A frame that the engine choked on. It is not answered: another worker may manage.

    `alone` says that no other frame can have been the cause.
    """

    job: Job
    error: Exception
    alone: bool


Outcome = Seen | Failed | PoseResult


class Seeing:
    """A frame on its way: its inputs are the parts of all its looks, numbered in their order, the answer's first.

    Each input ends once, by `found`, `failed` or `too_old`, of which one returns the frame's outcome: with the last
    input, or with the first that decides. No locks, and no clocks: times are monotonic seconds.
    """

    def __init__(self, job: Job, looks: Sequence[Look]) -> None:
        self.job = job
        self.over = False
        """Whether the outcome is known: what still waits need not be computed."""
        self._looks = looks
        self._people: list[Detections | None] = [None] * sum(len(look.parts) for look in looks)
        self._waiting = set(range(len(self._people)))
        self._began_s: float | None = None
        self._ended_s = 0.0

    @property
    def inputs(self) -> int:
        """How many there are."""
        return len(self._people)

    def expires_at_s(self, number: int) -> float:
        """When this input need not be begun any more.

        Parts of the answer go as one: as long as the first waits nothing was done for the frame, and once it does not,
        leaving out the rest would throw that away, again and again where workers are too slow. What is measured beside
        is left out where it would be too late.
        """
        return float("inf") if 0 < number < self._answers else self.job.expires_at_s

    def found(self, number: int, people: Detections, submitted_at_s: float, finished_at_s: float) -> Seen | None:
        """The engine is through with an input."""
        self._people[number] = people
        if number < self._answers:
            self._began_s = submitted_at_s if self._began_s is None else min(self._began_s, submitted_at_s)
            self._ended_s = max(self._ended_s, finished_at_s)
        return self._without(number)

    def failed(self, error: Exception, *, alone: bool) -> Failed | None:
        """The engine choked on an input."""
        return None if self._decided() else Failed(self.job, error, alone)

    def too_old(self, number: int) -> Seen | PoseResult | None:
        """An input waited until its time was over: the first one's frame is skipped."""
        if number == 0:
            return None if self._decided() else skip(self.job.entry, self.job.frame, "too old")
        return self._without(number)

    @property
    def _answers(self) -> int:
        return len(self._looks[0].parts)

    def _decided(self) -> bool:
        before, self.over = self.over, True
        return before

    def _without(self, number: int) -> Seen | None:
        self._waiting.discard(number)
        if self._waiting or self._decided():
            return None
        sights, place = [], 0
        for look in self._looks:
            people = [one for one in self._people[place : place + len(look.parts)] if one is not None]
            place += len(look.parts)
            if len(people) == len(look.parts):
                sights.append(Sight(look, tuple(people)))
        return Seen(self.job, sights[0], tuple(sights[1:]), self._ended_s - (self._began_s or 0.0))
