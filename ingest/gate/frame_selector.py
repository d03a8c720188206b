"""The frame selector of one camera: it combines the plan of the tracker, the motion in the pictures, and the gate.

What becomes of a picture of a recording must not depend on timing, nor on processes that are killed. So the plan that
applies to it is the one that was made with a certain earlier picture (`posebus.contract.plan.LAG_S`), and the selector
waits for that plan. Its state is written into the checkpoint of the camera, for a process that takes over. Live cameras
follow the newest plan.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from dataclasses import astuple, replace
from typing import NamedTuple, Protocol

from ingest.gate.gating import OFF, Gate, GateState, Verdict
from ingest.gate.motion import Motion, MotionModel, cells_of
from ingest.sources import CapturedImage
from posebus.config.policies import Policies
from posebus.contract.foreign_json import WRONG_DATA, load_json
from posebus.contract.plan import LAG_S, Directive, Plan
from posebus.errors import MalformedMessage
from posebus.telemetry.process_report import GateReport
from posebus.views import View

LAG_NS = round(LAG_S * 1e9)
CHECKED_SEQS = (16, 64, 256, 1024, 4096)
CHECKED_EVERY = 16_384
"""Frames of a camera of a fixed size that are also inferred at the largest one: these, and then every so many; of a
recording also the first, since it may be the only one. They depend on the frame's number alone, so that a recording
gives the same tracks when processes die."""


class PlanSource(Protocol):
    """The part of `posebus.bus.FrameProducer` that the selector needs."""

    @property
    def policies(self) -> Policies:
        """The settings that the tracker decides for this camera."""

    @property
    def plan(self) -> Plan | None:
        """The plan of the camera at the last publication."""

    def read_plan(self) -> Plan | None:
        """Return the present plan. Raises BrokerUnavailable and BrokerRefused."""


class PublishedFrame(NamedTuple):
    """A frame that was published: its number and its capture time."""

    seq: int
    captured_at_ns: int


class FrameSelector:
    """Selects the frames of one camera: call `judge` for each picture in order, then `accepted`."""

    def __init__(self, plans: PlanSource, *, live: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._plans = plans
        self._policies = policies = plans.policies
        self._live = live
        self._gate = Gate(policies)
        self._motion = MotionModel()
        self._plan: Plan | None = None
        self._epoch = 0
        self._recent: deque[PublishedFrame] = deque()  # oldest first

    @property
    def active(self) -> bool:
        """Whether there is anything to decide; if not, every frame is inferred."""
        return self._policies.any

    def begin_epoch(self, epoch: int) -> None:
        """Start a new epoch. A live camera keeps its motion model, because the scene is still the same."""
        self._epoch = epoch
        self._recent.clear()
        self._gate.state = GateState()
        if not self._live:
            self._motion = MotionModel()

    def judge(self, picture: CapturedImage, seq: int) -> Verdict | None:
        """Return what becomes of the picture that would be frame `seq`; None while the plan for it is not made yet.

        Raises BadPicture for a picture that cannot be decoded, and the errors of `PlanSource.read_plan`.
        """
        directive = self._directive(seq, picture.captured_at_ns)
        if directive is None:
            return None
        motion: Motion | None = None
        if self._policies.motion_gate != OFF:
            grey = picture.image.grey(cells_of(picture.image.size_px))
            motion = self._motion.update(grey, picture.captured_at_ns, occupied=directive.occupied)
        verdict = self._gate.judge(picture.captured_at_ns, motion, directive)
        if verdict.reason is None:
            self._motion.mark_inferred()
        return verdict

    def with_check(self, verdict: Verdict, seq: int) -> Verdict:
        """Return the verdict for frame `seq`, with a second view if the camera's fixed size is checked with it."""
        fixed = self._policies.fixed_imgsz
        due = seq in CHECKED_SEQS or seq % CHECKED_EVERY == 0
        if fixed is None or verdict.reason is not None or not due or (self._live and seq == 0):
            return verdict
        return Verdict((View(fixed), View(self._policies.imgsz_max)))

    def accepted(self, verdict: Verdict, seq: int, captured_at_ns: int) -> None:
        """The picture was passed to the publisher as frame `seq`."""
        self.counts[verdict.reason or "inferred"] += 1
        if self._live:
            return
        self._recent.append(PublishedFrame(seq, captured_at_ns))
        while len(self._recent) > 1 and self._recent[1].captured_at_ns <= captured_at_ns - LAG_NS:
            self._recent.popleft()

    def report(self) -> GateReport:
        """The gate, and how many frames were inferred and left out."""
        counts = self.counts
        return replace(self._gate.report(), inferred=counts["inferred"], still=counts["still"], rate=counts["rate"])

    def to_bytes(self) -> bytes:
        """Return the state for the checkpoint of a recording; empty for live cameras."""
        if self._live or not self.active:
            return b""
        head = [self._epoch, astuple(self._gate.state), self._gate.open, list(self._recent)]
        return json.dumps(head, separators=(",", ":")).encode() + b"\n" + self._motion.to_bytes()

    def load(self, state: bytes) -> None:
        """Restore the state of `to_bytes`. Raises ValueError for other bytes."""
        if not state:
            return
        head, _, motion = state.partition(b"\n")
        try:
            epoch, (before_ns, inferred_ns, moved_ns, probed_ns), is_open, recent = load_json(
                head, "the state of a frame selector"
            )
            self._epoch = int(epoch)
            self._gate.state = GateState(
                before_ns=int(before_ns), inferred_ns=int(inferred_ns), moved_ns=int(moved_ns), probed_ns=int(probed_ns)
            )
            self._gate.open = bool(is_open)
            self._recent = deque(PublishedFrame(int(seq), int(at_ns)) for seq, at_ns in recent)
        except (MalformedMessage, *WRONG_DATA) as error:
            raise ValueError(f"this is no state of a frame selector: {error}") from error
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
        """Return the newest frame that was captured at least LAG_S earlier; the first frame if there is none."""
        before = [frame.seq for frame in self._recent if frame.captured_at_ns <= captured_at_ns - LAG_NS]
        return before[-1] if before else 0
