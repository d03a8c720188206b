"""The gate decides which pictures are inferred, by motion, by the presence of people, and by the last inference. Pure.

Whether people are present, and how often they have to be inferred, comes from the tracker
(`posebus.contract.plan.Directive`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from ingest.gate.motion import Motion
from posebus.config.policies import AUTO, Policies
from posebus.contract.plan import Directive
from posebus.telemetry.process_report import GateReport
from posebus.views import View

OFF, EAGER = "off", "eager"
STILL, RATE = "still", "rate"
"""Reasons of `posebus.messages.Uninferred`."""
HOLD_S = 1.0
"""A scene counts as moving for this long after the last motion: a person who pauses is still there."""
REFRESH_S = {"conservative": 5.0, "eager": 15.0}
"""A picture is inferred at least this often, even without motion: a person may have been sitting there all along."""
ENTER_S = 0.2
"""Eager: interval between inferred pictures from the first motion until the tracker reports a person."""
LITTLE_S = 0.3
"""Eager: interval between inferred pictures of people while little changes, ..."""
MUCH_CHANGED = 0.8
"""... shortened once this part of the moving area has changed: people have then moved by half their width."""
LOG_KEPT = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """A picture is inferred by `views` (none: as the workers are configured), or skipped for `reason`."""

    views: tuple[View, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class GateState:
    """The memory of the gate, in capture times (ns); -1 means never.

    `before_ns` is the last picture, `inferred_ns` the last inferred one, `moved_ns` the last one with motion,
    `probed_ns` the last one that was probed.
    """

    before_ns: int = -1
    inferred_ns: int = -1
    moved_ns: int = -1
    probed_ns: int = -1


class Gate:
    """The gate of one camera; `state` is all its memory, and `log` records when it opened and closed."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self.state = GateState()
        self.open = True
        self.log: deque[tuple[int, str]] = deque(maxlen=LOG_KEPT)

    def judge(self, captured_at_ns: int, motion: Motion | None, directive: Directive) -> Verdict:
        """Return what becomes of the picture captured at this time; `motion` is None if the motion gate is off."""
        state = self.state
        if captured_at_ns <= state.before_ns:
            state = GateState()  # time went back, so the memory is of no use
        step_ns = captured_at_ns - state.before_ns if state.before_ns >= 0 else 0
        if motion is not None and motion.moving > 0.0:
            state = replace(state, moved_ns=captured_at_ns)
        since_s = (captured_at_ns - state.inferred_ns + step_ns / 2) / 1e9 if state.inferred_ns >= 0 else float("inf")
        reason = self._reason(captured_at_ns, state, motion, directive, since_s)
        state = replace(state, before_ns=captured_at_ns)
        if reason is not None:
            self.state = state
            return Verdict(reason=reason)
        views = () if directive.view is None else (directive.view,)
        probed = state.probed_ns >= max(0, directive.probe_at_ns)
        if directive.probe and captured_at_ns >= directive.probe_at_ns and not probed:
            views = (*views, *directive.probe)
            state = replace(state, probed_ns=captured_at_ns)
        self.state = replace(state, inferred_ns=captured_at_ns)
        return Verdict(views)

    def _reason(
        self, now_ns: int, state: GateState, motion: Motion | None, directive: Directive, since_s: float
    ) -> str | None:
        """Return why the picture is skipped; None if it is inferred."""
        limited = directive.interval_s > 0.0 and since_s < directive.interval_s
        if motion is None:
            return RATE if limited else None
        moving = state.moved_ns >= 0 and now_ns - state.moved_ns <= HOLD_S * 1e9
        begins = not self.open and motion.moving > 0.0
        eager = self._policies.motion_gate == EAGER
        self._note(now_ns, motion, moving=moving, occupied=directive.occupied)
        if since_s >= REFRESH_S[self._policies.motion_gate]:
            return None
        if not directive.occupied:
            # The first picture with motion is inferred at any rate: a person may be coming in.
            if not moving or begins:
                return None if begins else STILL
            if eager and since_s < ENTER_S:
                return RATE
            return RATE if limited and motion.moving == 0.0 else None
        # If the tracker sets the rate of inference itself, its rate is better founded than LITTLE_S.
        if eager and self._policies.infer_fps != AUTO and since_s < LITTLE_S:
            much = motion.moving > 0.0 and motion.since_inferred >= MUCH_CHANGED * motion.moving
            return None if much and not limited else RATE
        return RATE if limited else None

    def _note(self, now_ns: int, motion: Motion, *, moving: bool, occupied: bool) -> None:
        is_open = occupied or moving
        if is_open == self.open:
            return
        self.open = is_open
        if not is_open:
            text = f"closed: no person is present and nothing has moved for {HOLD_S:g} s"
        elif motion.moving:
            text = f"opened: {motion.moving:.1%} of the picture moves"
        else:
            text = "opened: the tracker reports a person"
        self.log.append((now_ns, text))

    def report(self) -> GateReport:
        """The gate and its last changes, without the counts of frames."""
        return GateReport(self._policies.motion_gate, self.open, log=tuple(self.log)[-20:])
