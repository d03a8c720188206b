"""All that happens to one camera's poses between reading and committing them. Pure: time comes in, outcomes go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from posebus.bus.pose_consumer import PoseEntry
from posebus.config.policies import DEFAULT, Policies
from posebus.config.settings import TrackerSettings
from posebus.contract.plan import Decision, Directive, Plan
from posebus.events import Position, camera_event
from posebus.messages import (
    Delivery,
    EndOfStream,
    Event,
    EventType,
    PoseFrame,
    Provenance,
    Skipped,
    TrackFrame,
    Uninferred,
)
from tracking.events import TrackEvents
from tracking.ordering.gaps import GapReporter
from tracking.ordering.reorder import Gap, Item, ReorderBuffer
from tracking.planning import Planner
from tracking.tracker import PoseTracker

SILENT_S = 2.0
"""After this long without a frame of a live camera, whatever was skipped last is told."""


@dataclass(slots=True)
class Outcome:
    """What has to be committed: tracks and events to publish, entries of `poses` that are dealt with.

    `skipped`: frames without tracks, by reason; `given_up`: those of them that this tracker itself did not wait for.
    `plan`: what the camera needs next, where anything is decided about it; `decisions`: all there were, if one is new.
    """

    tracks: list[tuple[TrackFrame, Provenance]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    done: list[bytes] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    given_up: Counter[str] = field(default_factory=Counter)
    plan: Plan | None = None
    decisions: Sequence[Decision] | None = None

    @property
    def changes_anything(self) -> bool:
        return bool(self.tracks or self.events or self.done)


class CameraTracking:
    """Order, identities, events, gaps and needs of one camera."""

    def __init__(
        self, camera: str, delivery: Delivery, settings: TrackerSettings, policies: Policies = DEFAULT
    ) -> None:
        self._camera = camera
        self._planner: Planner | None = None
        self._lossless = delivery is Delivery.LOSSLESS
        self.follow(policies)
        self._reorder = ReorderBuffer(None if delivery is Delivery.LOSSLESS else settings.reorder_wait_s)
        self._tracker = PoseTracker(settings)
        self._events = TrackEvents(camera)
        self._gaps = GapReporter(camera)
        self._waiting: dict[tuple[int, int, bool], PoseEntry] = {}
        self._held: set[bytes] = set()
        self._done: list[bytes] = []
        self._captured_at_ns = 0
        self._live = delivery is Delivery.LIVE
        self._moved_at_s = 0.0

    def follow(self, policies: Policies) -> None:
        """What is to be decided from now on; what was decided by other policies is forgotten."""
        if self._planner is None or self._planner.policies != policies:
            self._planner = Planner(self._camera, policies, lossless=self._lossless) if policies.any else None

    @property
    def directive(self) -> Directive | None:
        """What the camera needs, where anything is decided about it."""
        return None if self._planner is None else self._planner.directive

    def push(self, entry: PoseEntry, now_s: float) -> None:
        """Take one entry in any order; what was seen before, or cannot be read, is only acknowledged."""
        if entry.entry_id in self._held:
            return
        if entry.body is None or entry.body.camera != self._camera or not self._reorder.push(entry.body, now_s):
            self._done.append(entry.entry_id)
            return
        self._held.add(entry.entry_id)
        self._waiting[_place(entry.body)] = entry

    def advance(self, now_s: float) -> Outcome:
        """Everything that is ready by now, in order."""
        outcome = Outcome(done=self._done)
        self._done = []
        decisions = None if self._planner is None else self._planner.decisions
        for item in self._reorder.pop_ready(now_s):
            self._moved_at_s = now_s
            if isinstance(item, Gap):
                self._skip(outcome, item.epoch, (item.first_seq, item.last_seq), item.reason)
                outcome.given_up[item.reason] += item.last_seq - item.first_seq + 1
                continue
            entry = self._waiting.pop(_place(item))
            self._held.discard(entry.entry_id)
            outcome.done.append(entry.entry_id)
            if isinstance(item, PoseFrame):
                self._track(outcome, item, entry)
            elif isinstance(item, Uninferred):
                self._predict(outcome, item, entry)
            elif isinstance(item, Skipped):
                self._captured_at_ns = item.captured_at_ns
                self._skip(outcome, item.epoch, (item.seq, item.seq), item.reason)
            else:
                self._end(outcome, item)
        # A camera that went away says no more: its last gap must not wait for its return. Lossless sources may not
        # depend on when we look, or two runs would differ.
        if self._live and now_s - self._moved_at_s > SILENT_S:
            outcome.events += self._gaps.flush()
        if self._planner is not None:
            outcome.plan = self._planner.plan
            outcome.decisions = self._planner.decisions if self._planner.decisions is not decisions else None
        return outcome

    def state_dict(self) -> dict[str, Any]:
        """State after the last `advance`, without what waits to be put in order: that was not acknowledged."""
        return {
            "version": 1,
            "reorder": self._reorder.state_dict(),
            "tracker": self._tracker.state_dict(),
            "events": self._events.state_dict(),
            "gaps": self._gaps.state_dict(),
            "captured_at_ns": self._captured_at_ns,
            "planner": None if self._planner is None else self._planner.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`; raises KeyError, TypeError or ValueError for a state of another version."""
        if state["version"] != 1:
            raise ValueError(f"it is of version {state['version']}, this is 1")
        self._reorder.load_state(state["reorder"])
        self._tracker.load_state(state["tracker"])
        self._events.load_state(state["events"])
        self._gaps.load_state(state["gaps"])
        self._captured_at_ns = state["captured_at_ns"]
        planned = state.get("planner")
        if self._planner is not None and planned is not None:
            self._planner.load_state(planned)

    def _track(self, outcome: Outcome, frame: PoseFrame, entry: PoseEntry) -> None:
        assert entry.provenance is not None
        self._captured_at_ns = frame.captured_at_ns
        tracks = self._tracker.update(frame)
        outcome.tracks.append((tracks, entry.provenance))
        outcome.events += self._events.update(tracks)
        outcome.events += self._gaps.passed(frame.captured_at_ns)
        if self._planner is not None:
            outcome.events += self._planner.seen(frame, entry.provenance.view, self._tracker.tracks)

    def _predict(self, outcome: Outcome, frame: Uninferred, entry: PoseEntry) -> None:
        assert entry.provenance is not None
        self._captured_at_ns = frame.captured_at_ns
        tracks = self._tracker.predict(frame)
        outcome.tracks.append((tracks, entry.provenance))
        outcome.events += self._events.update(tracks)
        outcome.events += self._gaps.passed(frame.captured_at_ns)
        if self._planner is not None:
            self._planner.unseen(frame, self._tracker.tracks)

    def _skip(self, outcome: Outcome, epoch: int, seqs: Sequence[int], reason: str) -> None:
        first_seq, last_seq = seqs
        outcome.skipped[reason] += last_seq - first_seq + 1
        if self._planner is not None:
            self._planner.skipped(epoch, last_seq, self._captured_at_ns)
        outcome.events += self._gaps.skipped(epoch, first_seq, last_seq, self._captured_at_ns, reason)

    def _end(self, outcome: Outcome, end: EndOfStream) -> None:
        """The source is over: say what was not said yet, end every identity, then say that the camera ended."""
        outcome.events += self._gaps.flush()
        outcome.events += self._events.source_ended(end)
        self._tracker.end_source()
        position = Position(end.epoch, end.seq, end.captured_at_ns)
        data = {"frames": end.seq, "reason": end.reason}
        outcome.events.append(camera_event(EventType.CAMERA_ENDED, self._camera, position, data))


def _place(item: Item) -> tuple[int, int, bool]:
    """Where an item stands; apart for end marks, so that a wrong one cannot pass for a frame."""
    return item.epoch, item.seq, isinstance(item, EndOfStream)
