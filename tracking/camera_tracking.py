"""Everything between reading and committing one camera's poses. Pure: entries and the time come in, steps go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from posebus.bus.pose_consumer import PoseEntry
from posebus.config.cameras.region import Region
from posebus.config.policies import DEFAULT, Policies
from posebus.config.settings import TrackerSettings
from posebus.contract.events import Position, camera_event
from posebus.contract.plan import Decision, Directive, Plan
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
from posebus.views import View
from tracking.actions.of_camera import CameraActions
from tracking.events import CameraEvents
from tracking.ground.floor import Floor
from tracking.ordering.gaps import GapReporter
from tracking.ordering.reorder import Gap, ItemKey, ReorderBuffer
from tracking.policies.capacity import CapacityShare, Demand
from tracking.policies.demand import DemandMeter
from tracking.policies.fixed_size import SizeCheck
from tracking.policies.followed import RateCheck
from tracking.policies.ladder import cost_px
from tracking.policies.planning import Planner
from tracking.region import only_inside
from tracking.square_pixels import of_source, squared
from tracking.tracker import PoseTracker

SILENT_S = 2.0
"""After this long without a frame of a live camera, its last skipped frames are reported."""


@dataclass(slots=True)
class CameraStep:
    """The result of one step, to be committed.

    tracks: frames to publish. events: events to publish. done: entries of `poses` to acknowledge. skipped: frames
    without tracks, by reason. given_up: those of them that this tracker did not wait for. plan: what the camera needs
    next, None without automatic policies. decisions: all of them, if one is new.
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
    """Order, identities, events, gaps and plan of one camera."""

    def __init__(
        self,
        camera: str,
        delivery: Delivery,
        settings: TrackerSettings,
        policies: Policies = DEFAULT,
        region: Region | None = None,
        rules: Mapping[str, Any] | None = None,
    ) -> None:
        self.region = region
        """Where people are reported; it may be changed at any time."""
        self._camera = camera
        self._planner: Planner | None = None
        self._check: SizeCheck | None = None
        self._rate = RateCheck(policies)
        self._demand = DemandMeter()
        self._wanted_px = 0
        self._lossless = delivery is Delivery.LOSSLESS
        self.set_policies(policies)
        self._reorder = ReorderBuffer(None if delivery is Delivery.LOSSLESS else settings.reorder_wait_s)
        self._tracker = PoseTracker(settings)
        self.floor = Floor(None)
        """Where people are in metres; it may use another ground plane at any time."""
        self.actions = CameraActions()
        """What people do; its setting may be changed at any time."""
        self._events = CameraEvents(camera, rules or {})
        self._gaps = GapReporter(camera)
        self._waiting: dict[ItemKey, PoseEntry] = {}
        self._held: set[bytes] = set()
        self._done: list[bytes] = []
        self._captured_at_ns = 0
        self._live = delivery is Delivery.LIVE
        self._moved_at_s = 0.0

    def set_policies(self, policies: Policies) -> None:
        """Decide by `policies` from now on; decisions by other policies are dropped."""
        if self._planner is None or self._planner.policies != policies:
            self._planner = Planner(self._camera, policies, lossless=self._lossless) if policies.any else None
        self._rate.policies = policies
        if policies.fixed_imgsz is None:
            self._check = None
        elif self._check is None or self._check.fixed_imgsz != policies.fixed_imgsz:
            self._check = SizeCheck(policies.fixed_imgsz)

    def set_rules(self, rules: Mapping[str, Any]) -> None:
        """Apply these rules from now on; those whose settings are the same go on."""
        self._events.set_rules(rules)

    @property
    def rule_problems(self) -> Mapping[str, str]:
        """Why a rule of the camera, or what it does with actions, is off, by its name."""
        return {**self._events.rule_problems, **self.actions.problems}

    @property
    def directive(self) -> Directive | None:
        """The directive in force, None without automatic policies."""
        return None if self._planner is None else self._planner.directive

    @property
    def advice(self) -> str | None:
        """How to follow people better or detect more of them (another rate, a larger fixed size, more workers), and
        which rules are off; None if there is nothing to advise."""
        size = self._check if self._check is not None else self._planner
        advice = [*self.rule_problems.values(), self._rate.advice, None if size is None else size.advice]
        return "; ".join(one for one in advice if one is not None) or None

    @property
    def demand(self) -> Demand | None:
        """What the camera asks of the workers; None for a recording, which waits for them, or while it is unknown."""
        fps = self._demand.fps
        if self._lossless or fps is None:
            return None
        return Demand(fps * self._wanted_px, self._planner is not None and self._planner.wanted_view is not None)

    def limit_view(self, share: CapacityShare | None) -> None:
        """Keep a live camera within `share`; None: no limit. Recordings are never limited."""
        if self._planner is not None and not self._lossless:
            self._planner.limit_view(share, self._demand.fps)

    def push(self, entry: PoseEntry, now_s: float) -> None:
        """Take one entry, in any order; duplicates and unreadable entries are only acknowledged."""
        if entry.entry_id in self._held:
            return
        if entry.body is None or entry.body.camera != self._camera or not self._reorder.push(entry.body, now_s):
            self._done.append(entry.entry_id)
            return
        self._held.add(entry.entry_id)
        self._waiting[ItemKey.of(entry.body)] = entry

    def advance(self, now_s: float) -> CameraStep:
        """Process the items that are due by now, in order."""
        step = CameraStep(done=self._done)
        self._done = []
        decisions = None if self._planner is None else self._planner.decisions
        for item in self._reorder.pop_ready(now_s):
            self._moved_at_s = now_s
            if isinstance(item, Gap):
                self._skip(step, item)
                step.given_up[item.reason] += item.last_seq - item.first_seq + 1
                continue
            entry = self._waiting.pop(ItemKey.of(item))
            self._held.discard(entry.entry_id)
            step.done.append(entry.entry_id)
            if isinstance(item, PoseFrame):
                self._track(step, item, entry)
            elif isinstance(item, Uninferred):
                self._predict(step, item, entry)
            elif isinstance(item, Skipped):
                self._captured_at_ns = item.captured_at_ns
                self._skip(step, Gap(item.epoch, item.seq, item.seq, item.reason))
            else:
                self._end(step, item)
        # The last gap of a camera that went away must not wait for its return. Lossless sources may not depend on the
        # time of this call, or two runs would differ.
        if self._live and now_s - self._moved_at_s > SILENT_S:
            step.events += self._gaps.flush()
        if self._planner is not None:
            step.plan = self._planner.plan
            step.decisions = self._planner.decisions if self._planner.decisions is not decisions else None
        return step

    def state_dict(self) -> dict[str, Any]:
        """State after the last `advance`, without the waiting entries: those were not acknowledged."""
        return {
            "version": 1,
            "reorder": self._reorder.state_dict(),
            "tracker": self._tracker.state_dict(),
            "events": self._events.state_dict(),
            "floor": self.floor.state_dict(),
            "actions": self.actions.state_dict(),
            "gaps": self._gaps.state_dict(),
            "captured_at_ns": self._captured_at_ns,
            "planner": None if self._planner is None else self._planner.state_dict(),
            "size_check": None if self._check is None else self._check.state_dict(),
            "rate_check": self._rate.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore `state_dict`; raises KeyError, TypeError or ValueError for a state of another version."""
        if state["version"] != 1:
            raise ValueError(f"its version is {state['version']}, this program reads 1")
        self._reorder.load_state(state["reorder"])
        self._tracker.load_state(state["tracker"])
        self._events.load_state(state["events"])
        self.actions.load_state(state.get("actions"))
        self._gaps.load_state(state["gaps"])
        self._captured_at_ns = state["captured_at_ns"]
        if "floor" in state:  # of a release without ground planes
            self.floor.load_state(state["floor"])
        planned = state.get("planner")
        if self._planner is not None and planned is not None:
            self._planner.load_state(planned)
        checked = state.get("size_check")
        if self._check is not None and checked is not None:
            self._check.load_state(checked)
        if "rate_check" in state:  # of a release that measured no rate
            self._rate.load_state(state["rate_check"])

    def _track(self, step: CameraStep, frame: PoseFrame, entry: PoseEntry) -> None:
        assert entry.provenance is not None
        square = self._inside(squared(frame), frame.size_px)
        self._captured_at_ns = frame.captured_at_ns
        tracks = self.floor.update(of_source(self.actions.update(self._tracker.update(square)), frame))
        step.tracks.append((tracks, entry.provenance))
        step.events += self._events.of_frame(frame, tracks, is_cut=self._tracker.is_cut)
        step.events += self._gaps.advance_to(frame.captured_at_ns)
        view = entry.provenance.view
        if self._planner is not None:
            step.events += self._planner.inferred(square, view, self._tracker.tracks)
        self._demand.inferred(frame.captured_at_ns)
        self._wanted_px = self._wanted_cost_px(view, square.size_px)
        if self._check is not None and self._check.update(square) and self._check.advice is not None:
            step.events.append(self._announce_advice(frame, self._check))
        step.events += self._rate.inferred(frame)

    def _inside(self, square: PoseFrame, size_px: tuple[int, int]) -> PoseFrame:
        """The frame without people outside the region; `size_px` is its size in pixels of the source."""
        if self.region is None:
            return square
        elapsed_s = (square.captured_at_ns - self._captured_at_ns) / 1e9
        return only_inside(square, size_px, self.region, self._tracker.tracks, elapsed_s)

    def _wanted_cost_px(self, used: View | None, size_px: tuple[int, int]) -> int:
        """Pixels of the network's input for a frame of this size by the view that the camera wants."""
        wanted = None if self._planner is None else self._planner.wanted_view
        if wanted is None and self._check is not None:
            wanted = View(self._check.fixed_imgsz)
        wanted = wanted or used
        return 0 if wanted is None else cost_px(wanted, size_px)

    def _announce_advice(self, frame: PoseFrame, check: SizeCheck) -> Event:
        data = {"imgsz": check.fixed_imgsz, "view": str(check.fixed_imgsz), "advice": check.advice}
        position = Position(frame.epoch, frame.seq, frame.captured_at_ns)
        return camera_event(EventType.CAMERA_IMGSZ, self._camera, position, data)

    def _predict(self, step: CameraStep, frame: Uninferred, entry: PoseEntry) -> None:
        assert entry.provenance is not None
        self._captured_at_ns = frame.captured_at_ns
        square = squared(frame)
        tracks = self.floor.update(of_source(self.actions.update(self._tracker.predict(square)), frame))
        step.tracks.append((tracks, entry.provenance))
        step.events += self._events.of_frame(frame, tracks, is_cut=self._tracker.is_cut)
        step.events += self._gaps.advance_to(frame.captured_at_ns)
        self._rate.not_inferred(frame)
        if self._planner is not None:
            self._planner.not_inferred(square, self._tracker.tracks)

    def _skip(self, step: CameraStep, gap: Gap) -> None:
        step.skipped[gap.reason] += gap.last_seq - gap.first_seq + 1
        self._demand.skipped(gap.last_seq - gap.first_seq + 1)
        self._rate.skipped(gap.last_seq - gap.first_seq + 1)
        if self._planner is not None:
            self._planner.skipped(gap.epoch, gap.last_seq, self._captured_at_ns)
        step.events += self._gaps.skipped(
            gap.epoch, gap.first_seq, gap.last_seq, at_ns=self._captured_at_ns, reason=gap.reason
        )

    def _end(self, step: CameraStep, end: EndOfStream) -> None:
        """End the source: report what is still to be reported, then the end of all that the camera has."""
        step.events += self._gaps.flush()
        step.events += self._events.source_ended(end)
        self._tracker.end_source()
        self.floor.end_source()
