"""What one camera needs next, decided after each of its frames. Pure: frames and tracks come in, the plan comes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posebus.config.policies import AUTO, Policies
from posebus.contract.events import Position, camera_event
from posebus.contract.plan import (
    DECISIONS_KEPT,
    LAG_S,
    Decision,
    Directive,
    Plan,
    decisions_from_text,
    decisions_to_text,
    plan_from_text,
    plan_to_text,
)
from posebus.messages import Event, EventType, PoseFrame, Uninferred
from posebus.views import View
from tracking.policies import rate
from tracking.policies.capacity import CapacityShare
from tracking.policies.imgsz import SizeChooser, ViewChange
from tracking.policies.rate import InferenceInterval
from tracking.policies.recall import MIN_SCORE
from tracking.policies.view_limit import ViewLimit
from tracking.tracks import CONFIRMED, Tracks

LIVE_DELAY_S = 0.2
"""Typical time until the ingest of a live camera follows a decision: a commit, and its next read of the plan."""


class Planner:
    """Decides the plan of one camera that has any automatic policy."""

    def __init__(self, camera: str, policies: Policies, *, lossless: bool) -> None:
        self._camera = camera
        self.policies = policies
        self._delay_s = LAG_S if lossless else LIVE_DELAY_S
        self._sizes = SizeChooser(policies) if policies.imgsz == AUTO else None
        self.plan: Plan | None = None
        self.decisions: tuple[Decision, ...] = ()
        self._limit = ViewLimit(policies)
        self._interval_s = policies.first_interval_s
        self._longer_since_ns: int | None = None
        self._occupied = True

    @property
    def wanted_view(self) -> View | None:
        """The view that finds the camera's people, whether the workers can carry it or not; None for a fixed size."""
        return None if self._sizes is None else self._sizes.view

    @property
    def advice(self) -> str | None:
        """What more workers would gain, if they are what keeps a larger view from being used."""
        return self._limit.advice

    def limit_view(self, share: CapacityShare | None, fps: float | None) -> None:
        """Keep the view of a live camera of `fps` inferred frames a second within `share`; None: no limit."""
        self._limit.set(share, fps)

    def inferred(self, frame: PoseFrame, view: View | None, tracks: Tracks) -> list[Event]:
        """Decide after an inferred frame; returns the events of what was decided.

        `view`: the view it was inferred by. `tracks`: the tracks after it.
        """
        events: list[Event] = []
        self._occupied = bool(len(tracks)) or bool((frame.scores >= MIN_SCORE).any())
        if self._sizes is not None:
            heights_px = tracks.filter_states[0, tracks.state == CONFIRMED, 3].tolist()
            change = self._sizes.update(frame, view, heights_px)
            limited = self._limit.update(self._sizes, frame.size_px, frame.captured_at_ns)
            if limited is not None or self._limit.view is not None:
                change = limited
            if change is not None:
                events.append(self._announce(change, frame))
        if self.policies.infer_fps == AUTO:
            wanted = rate.sufficient_interval(tracks, frame.size_px, frame.captured_at_ns, self._delay_s)
            self._set_interval(wanted, frame)
        self._decide(frame.epoch, frame.seq, frame.captured_at_ns)
        return events

    def not_inferred(self, frame: Uninferred, tracks: Tracks) -> None:
        """Decide after a frame that was not inferred; `tracks`: the tracks after it."""
        self._occupied = self._occupied and bool(len(tracks))
        self._decide(frame.epoch, frame.seq, frame.captured_at_ns)

    def skipped(self, epoch: int, seq: int, captured_at_ns: int) -> None:
        """Move on past frames that will not come, so that ingest does not wait for a decision about them."""
        self._decide(epoch, seq, captured_at_ns)

    @property
    def directive(self) -> Directive | None:
        """The directive in force."""
        return self.plan.newest if self.plan is not None else None

    def _decide(self, epoch: int, seq: int, captured_at_ns: int) -> None:
        view = self.policies.first().view
        probe: tuple[View, ...] = ()
        probe_at_ns = 0
        if self._sizes is not None:
            view, probe, probe_at_ns = self._sizes.view, self._sizes.probe, self._sizes.probe_at_ns
            if self._limit.view is not None:
                # A probe compares other views with the one in use: the wanted one is among them now.
                probe = tuple(dict.fromkeys((*probe, view))) if probe else ()
                view = self._limit.view
                probe = tuple(one for one in probe if one != view)
        directive = Directive(
            epoch=epoch,
            seq=seq,
            captured_at_ns=captured_at_ns,
            view=view,
            probe=probe,
            probe_at_ns=probe_at_ns,
            interval_s=self._interval_s,
            occupied=self._occupied,
        )
        self.plan = (self.plan or Plan(epoch, -1, ())).followed_by(directive)

    def _set_interval(self, wanted: InferenceInterval, frame: PoseFrame) -> None:
        before_s = self._interval_s
        since_ns = self._longer_since_ns
        if since_ns is not None and since_ns > frame.captured_at_ns:
            since_ns = None  # the camera's time went back
        self._interval_s, self._longer_since_ns = rate.with_hysteresis(
            before_s, wanted.interval_s, since_ns, frame.captured_at_ns
        )
        if self._interval_s != before_s:
            self._record(frame, "infer_fps", f"{_rate(before_s)} -> {_rate(self._interval_s)}", wanted.why)

    def _announce(self, change: ViewChange, frame: PoseFrame) -> Event:
        unchanged = change.before == change.after
        what = str(change.after) if unchanged else f"{change.before} -> {change.after}"
        self._record(frame, "imgsz", what, change.why)
        data = {
            "imgsz": change.after.imgsz,
            "view": str(change.after),
            "before": str(change.before),
            "reason": change.why,
            **({} if self.advice is None else {"advice": self.advice}),
        }
        position = Position(frame.epoch, frame.seq, frame.captured_at_ns)
        return camera_event(EventType.CAMERA_IMGSZ, self._camera, position, data)

    def _record(self, frame: PoseFrame, policy: str, what: str, why: str) -> None:
        decision = Decision(frame.epoch, frame.seq, frame.captured_at_ns, policy, what, why)
        self.decisions = (*self.decisions, decision)[-DECISIONS_KEPT:]

    def state_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "policies": self.policies.to_json(),
            "plan": None if self.plan is None else plan_to_text(self.plan).decode(),
            "decisions": decisions_to_text(self.decisions).decode(),
            "sizes": None if self._sizes is None else self._sizes.state_dict(),
            "interval_s": self._interval_s,
            "longer_since_ns": self._longer_since_ns,
            "occupied": self._occupied,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`, unless it is of other policies. Raises KeyError, TypeError, ValueError or
        MalformedMessage."""
        if state["policies"] != self.policies.to_json():
            return
        if self._sizes is not None:
            self._sizes.load_state(state["sizes"])
        self.plan = None if state["plan"] is None else plan_from_text(state["plan"].encode())
        self.decisions = decisions_from_text(state["decisions"].encode())
        self._interval_s = float(state["interval_s"])
        self._longer_since_ns = None if state["longer_since_ns"] is None else int(state["longer_since_ns"])
        self._occupied = bool(state["occupied"])


def _rate(interval_s: float) -> str:
    return f"{1 / interval_s:.3g}/s" if interval_s else "every frame"
