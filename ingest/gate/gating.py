"""Which pictures are worth inferring, and how: by what moves, who is there, and how long ago anybody looked. Pure.

Who is there and how often they have to be looked at is the tracker's word (`posebus.contract.plan.Directive`).
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
"""A scene counts as moving for this long after the last motion: who stops for a moment has not gone."""
REFRESH_S = {"conservative": 5.0, "eager": 15.0}
"""So often a picture is inferred whatever is seen: somebody may have sat there from the beginning."""
ENTER_S = 0.2
"""Eager: before the tracker tells of somebody who comes in, pictures after the first are looked at so often."""
LITTLE_S = 0.3
"""Eager: while little changes, people who are there are looked at so often, ..."""
MUCH_CHANGED = 0.8
"""... and sooner once so much of what moves has changed since, that they must have gone half their width."""
LOG_KEPT = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a picture: it is inferred by `views` (none: as the workers are set), or left out for `reason`."""

    views: tuple[View, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class GateState:
    """What is remembered from picture to picture, all in capture times (ns); -1: never."""

    before_ns: int = -1
    inferred_ns: int = -1
    moved_ns: int = -1
    probed_ns: int = -1


class Gate:
    """The gate of one camera; `state` is all its memory, and `log` tells when it opened and closed."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self.state = GateState()
        self.open = True
        self.log: deque[tuple[int, str]] = deque(maxlen=LOG_KEPT)

    def judge(self, captured_at_ns: int, motion: Motion | None, directive: Directive) -> Verdict:
        """What becomes of the picture captured then; `motion` is None where the motion gate is off."""
        state = self.state
        if captured_at_ns <= state.before_ns:
            state = GateState()  # time went back: what was remembered is of another time
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
        """Why the picture is left out; None where it is not."""
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
            # Who comes in is seen in the very picture that shows it, whatever the rate.
            if not moving or begins:
                return None if begins else STILL
            if eager and since_s < ENTER_S:
                return RATE
            return RATE if limited and motion.moving == 0.0 else None
        # Where the tracker says itself how often they have to be looked at, that is known better.
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
            text = f"closed: nobody is there and nothing has moved for {HOLD_S:g} s"
        elif motion.moving:
            text = f"opened: {motion.moving:.1%} of the picture moves"
        else:
            text = "opened: the tracker has somebody there"
        self.log.append((now_ns, text))

    def report(self) -> GateReport:
        """The gate and its last changes, without the counts of frames."""
        return GateReport(self._policies.motion_gate, self.open, log=tuple(self.log)[-20:])
