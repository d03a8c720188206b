"""A writer that stores what is published, for tests of ingest without a broker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from posebus.bus.checkpoint import Checkpoint
from posebus.bus.frame_producer import Backlog
from posebus.config.policies import Policies
from posebus.contract.plan import Plan
from posebus.errors import BrokerUnavailable
from posebus.messages import EndOfStream, Event, Frame, Uninferred


class MemoryWriter:
    """Stores what is published; `waiting` are the frames of the backlog; while `down`, every call fails."""

    def __init__(self) -> None:
        self.items: list[Frame | Uninferred | EndOfStream] = []
        self.waiting: list[int] = []
        self.events: list[Event] = []
        self.poses = 0
        self.epochs = 0
        self.token = 1
        self.saved: Checkpoint | None = None
        self.down = False
        self.announced = 0
        self.most_bytes = 0
        self.policies = Policies()
        self.plan: Plan | None = None
        self.plans: list[Plan | None] = []

    def read_plan(self) -> Plan | None:
        """Return the next of `plans`; the last one stays."""
        self._check()
        return self.plans.pop(0) if len(self.plans) > 1 else self.plans[0] if self.plans else None

    def announce(self) -> None:
        self._check()
        self.announced += 1

    def hold(self) -> int:
        return self.token  # most calls do not read the plan from the broker

    def release(self) -> None:
        self.token = 0

    def checkpoint(self) -> Checkpoint | None:
        self._check()
        return self.saved

    def open_epoch(self, checkpoint: Checkpoint) -> int:
        self._check()
        self.epochs += 1
        self.saved = replace(checkpoint, epoch=self.epochs)
        return self.epochs

    def publish(
        self,
        item: Frame | Uninferred | EndOfStream | None,
        events: Sequence[Event] = (),
        checkpoint: Checkpoint | None = None,
    ) -> Backlog:
        self._check()
        self.events += events
        self.saved = checkpoint or self.saved
        if item is not None:
            self.items.append(item)
            self.waiting.append(len(item.data) if isinstance(item, Frame) else 0)
            self.most_bytes = max(self.most_bytes, sum(self.waiting))
        return self.backlog()

    def backlog(self) -> Backlog:
        self._check()
        return Backlog(sum(self.waiting), len(self.waiting), self.poses)

    def skip_oldest(self, max_bytes: int) -> int:
        self._check()
        dropped = 0
        while sum(self.waiting) > max_bytes and len(self.waiting) > 1:
            self.waiting.pop(0)
            dropped += 1
        return dropped

    def frames(self) -> list[Frame]:
        return [item for item in self.items if isinstance(item, Frame)]

    def kinds(self) -> list[str]:
        return [event.type.removeprefix("posebus.camera.") for event in self.events]

    def _check(self) -> None:
        if self.down:
            raise BrokerUnavailable("no answer from the broker at nowhere")
