"""How one camera's pictures are attended to: the plan of its tracker, the motion in them, and the gate, together.

What becomes of a picture of a recording must not depend on how fast anybody is, nor on who dies: the plan that holds
for it is the one that was decided with a certain earlier picture (`posebus.contract.plan.LAG_S`), and that is waited
for. What is remembered here goes into the camera's checkpoint, for whoever has to go on. Live cameras follow the newest
plan.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from dataclasses import astuple, replace
from typing import Protocol

from ingest.gate.gating import OFF, Gate, GateState, Verdict
from ingest.gate.motion import Motion, MotionModel, cells_of
from ingest.sources import Picture
from posebus.config.policies import Policies
from posebus.contract.plan import LAG_S, Directive, Plan
from posebus.telemetry.process_report import GateReport

LAG_NS = round(LAG_S * 1e9)


class PlanSource(Protocol):
    """What is needed of `posebus.bus.FrameProducer`."""

    @property
    def policies(self) -> Policies:
        """What is left to decide."""

    @property
    def plan(self) -> Plan | None:
        """The camera's plan as it was with the last publication."""

    def read_plan(self) -> Plan | None:
        """The plan as it is now. Raises BrokerUnavailable and BrokerRefused."""


class Attention:
    """Of one camera. `judge` each picture in order, then say that it was `accepted`."""

    def __init__(self, plans: PlanSource, *, live: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._plans = plans
        self._policies = policies = plans.policies
        self._live = live
        self._gate = Gate(policies)
        self._motion = MotionModel()
        self._plan: Plan | None = None
        self._epoch = 0
        self._recent: deque[tuple[int, int]] = deque()  # (seq, captured_at_ns) of what was published, oldest first

    @property
    def active(self) -> bool:
        """Whether anything is decided at all."""
        return self._policies.any

    def begin_epoch(self, epoch: int) -> None:
        """Nothing is known of this epoch yet; of a live camera, the scene is still the same."""
        self._epoch = epoch
        self._recent.clear()
        self._gate.state = GateState()
        if not self._live:
            self._motion = MotionModel()

    def judge(self, picture: Picture, seq: int) -> Verdict | None:
        """What becomes of the picture that would be frame `seq`; None while the plan for it has still to be made.

        Raises BadPicture for one that cannot be looked at, and what reading the plan raises.
        """
        directive = self._directive(seq, picture.captured_at_ns)
        if directive is None:
            return None
        motion: Motion | None = None
        if self._policies.motion_gate != OFF:
            grey = picture.image.grey(cells_of(picture.image.size_px))
            motion = self._motion.look(grey, picture.captured_at_ns, occupied=directive.occupied)
        verdict = self._gate.judge(picture.captured_at_ns, motion, directive)
        if verdict.reason is None:
            self._motion.was_inferred()
        return verdict

    def accepted(self, verdict: Verdict, seq: int, captured_at_ns: int) -> None:
        """The picture is on its way as frame `seq`."""
        self.counts[verdict.reason or "inferred"] += 1
        if self._live:
            return
        self._recent.append((seq, captured_at_ns))
        while len(self._recent) > 1 and self._recent[1][1] <= captured_at_ns - LAG_NS:
            self._recent.popleft()

    def report(self) -> GateReport:
        """The gate, and how many frames were inferred and left out."""
        counts = self.counts
        return replace(self._gate.report(), inferred=counts["inferred"], still=counts["still"], rate=counts["rate"])

    def to_bytes(self) -> bytes:
        """What a successor has to know, for the checkpoint of a recording."""
        if self._live or not self.active:
            return b""
        head = [self._epoch, astuple(self._gate.state), self._gate.open, list(self._recent)]
        return json.dumps(head, separators=(",", ":")).encode() + b"\n" + self._motion.to_bytes()

    def load(self, state: bytes) -> None:
        """Go on from `to_bytes`. Raises ValueError for what is none."""
        if not state:
            return
        head, _, motion = state.partition(b"\n")
        try:
            epoch, (before_ns, inferred_ns, moved_ns, probed_ns), is_open, recent = json.loads(head)
            self._epoch = int(epoch)
            self._gate.state = GateState(int(before_ns), int(inferred_ns), int(moved_ns), int(probed_ns))
            self._gate.open = bool(is_open)
            self._recent = deque((int(seq), int(at_ns)) for seq, at_ns in recent)
        except TypeError as error:
            raise ValueError(f"it is no state of a gate: {error}") from error
        self._motion = MotionModel()
        self._motion.load(motion)

    def _directive(self, seq: int, captured_at_ns: int) -> Directive | None:
        if self._live:
            newest = None if self._plans.plan is None else self._plans.plan.newest
            return newest or self._policies.first(self._epoch)
        if seq == 0:
            return self._policies.first(self._epoch)
        with_seq = self._decided_with(captured_at_ns)
        found = None if self._plan is None else self._plan.at(self._epoch, with_seq)
        if found is None:
            self._plan = self._plans.read_plan()
            found = None if self._plan is None else self._plan.at(self._epoch, with_seq)
        return found

    def _decided_with(self, captured_at_ns: int) -> int:
        """The newest frame that was captured at least LAG_S before; the first one where there is none."""
        before = [seq for seq, at_ns in self._recent if at_ns <= captured_at_ns - LAG_NS]
        return before[-1] if before else 0
