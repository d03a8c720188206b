"""The plan of a camera: how to infer its next frames. Its tracker decides it, and its ingest process follows it.

The tracker writes the plan in the same transaction as its tracks. For a live camera, ingest follows the newest plan.
For a recording, it follows the plan as it was after a certain earlier frame (`Plan.at`), so that every run of the same
recording is treated alike, independent of the speed of workers and of processes that crash.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from posebus.contract.foreign_json import WRONG_DATA, load_json, whole
from posebus.errors import MalformedMessage
from posebus.plain_text import plain
from posebus.views import View, parse_view, parse_views

LAG_S = 1.0
"""The plan for a frame of a recording is the one that was decided this long before it, on the recording's time line; so
much of the recording can be in flight at once. The second frame of an epoch waits for the plan after the first one."""
DIRECTIVES_KEPT = 64
DECISIONS_KEPT = 100
MAX_INTERVAL_S = 3600.0
MAX_PLAN_BYTES = 200_000
MAX_DECISIONS_BYTES = 1_000_000
MAX_POLICY_CHARACTERS = 40
MAX_DECISION_CHARACTERS = 300
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Directive:
    """How to infer the frames after (epoch, seq), the frame at which the tracker decided this.

    view: the view to infer, or None for the worker's own settings; probe: further views for one frame, the first one
    captured at `probe_at_ns` or later; interval_s: minimum time between two inferred frames; occupied: whether a person
    may be present, so that frames without motion matter, too.
    """

    epoch: int
    seq: int
    captured_at_ns: int
    view: View | None = None
    probe: tuple[View, ...] = ()
    probe_at_ns: int = 0
    interval_s: float = 0.0
    occupied: bool = True

    def same_as(self, other: Directive) -> bool:
        """Whether both ask for the same, whenever they were decided."""
        return replace(self, epoch=0, seq=0, captured_at_ns=0) == replace(other, epoch=0, seq=0, captured_at_ns=0)


@dataclass(frozen=True, slots=True)
class Decision:
    """A change that a policy made, as text for users: the policy, what it decided and why, and at which frame."""

    epoch: int
    seq: int
    captured_at_ns: int
    policy: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All decisions up to the frame (epoch, seq): each directive that differs from the one before it, oldest first."""

    epoch: int
    seq: int
    directives: tuple[Directive, ...]

    def at(self, epoch: int, seq: int) -> Directive | None:
        """The directive in force after the frame (epoch, seq) was tracked; None if it has not been tracked yet."""
        if (self.epoch, self.seq) < (epoch, seq):
            return None
        before = [one for one in self.directives if (one.epoch, one.seq) <= (epoch, seq)]
        return before[-1] if before else None

    @property
    def newest(self) -> Directive | None:
        """The directive that is in force now."""
        return self.directives[-1] if self.directives else None

    def followed_by(self, directive: Directive) -> Plan:
        """The plan after `directive` was decided. Directives that are too old to be asked for are dropped."""
        newest = self.newest
        kept = self.directives
        if newest is None or newest.epoch != directive.epoch or not newest.same_as(directive):
            needed_ns = directive.captured_at_ns - round(3 * LAG_S * 1e9)
            old = [one for one in kept if one.epoch == directive.epoch and one.captured_at_ns >= needed_ns]
            kept = (*kept[-max(DIRECTIVES_KEPT, len(old) + 1) :], directive)
        return Plan(epoch=directive.epoch, seq=directive.seq, directives=kept)


def plan_to_text(plan: Plan) -> bytes:
    """The plan as JSON, for the broker."""
    rows = [
        [
            one.epoch,
            one.seq,
            one.captured_at_ns,
            None if one.view is None else str(one.view),
            ",".join(map(str, one.probe)),
            one.probe_at_ns,
            one.interval_s,
            one.occupied,
        ]
        for one in plan.directives
    ]
    return json.dumps([_VERSION, plan.epoch, plan.seq, rows], separators=(",", ":")).encode()


def plan_from_text(text: bytes) -> Plan:
    """The inverse of `plan_to_text`. Raises MalformedMessage."""
    if len(text) > MAX_PLAN_BYTES:
        raise MalformedMessage(f"a plan of {len(text)} bytes is longer than any that posebus writes")
    try:
        version, epoch, seq, rows = load_json(text, "a plan", MAX_PLAN_BYTES)
        if version != _VERSION:
            raise ValueError(f"its version is {version}, expected {_VERSION}")
        return Plan(epoch=whole(epoch), seq=whole(seq), directives=tuple(_directive(row) for row in rows))
    except WRONG_DATA as error:
        raise MalformedMessage(f"a plan cannot be read: {str(error)[:100]}") from error


def decisions_to_text(decisions: Sequence[Decision]) -> bytes:
    """The newest decisions as JSON, for the broker."""
    rows = [
        [one.epoch, one.seq, one.captured_at_ns, one.policy, one.what, one.why] for one in decisions[-DECISIONS_KEPT:]
    ]
    return json.dumps(rows, separators=(",", ":")).encode()


def decisions_from_text(text: bytes) -> tuple[Decision, ...]:
    """The inverse of `decisions_to_text`. Raises MalformedMessage."""
    try:
        rows = load_json(text, "the list of decisions about a camera", MAX_DECISIONS_BYTES)
        return tuple(
            Decision(
                epoch=whole(epoch),
                seq=whole(seq),
                captured_at_ns=whole(at_ns),
                policy=plain(str(policy), MAX_POLICY_CHARACTERS),
                what=plain(str(what), MAX_DECISION_CHARACTERS),
                why=plain(str(why), MAX_DECISION_CHARACTERS),
            )
            for epoch, seq, at_ns, policy, what, why in rows
        )
    except WRONG_DATA as error:
        raise MalformedMessage(f"the decisions about a camera cannot be read: {str(error)[:100]}") from error


def _directive(row: Sequence[Any]) -> Directive:
    epoch, seq, captured_at_ns, view, probe, probe_at_ns, interval_s, occupied = row
    if not 0.0 <= float(interval_s) <= MAX_INTERVAL_S:
        raise ValueError(f"its interval_s is {interval_s}, expected 0 to {MAX_INTERVAL_S:g}")
    return Directive(
        epoch=whole(epoch),
        seq=whole(seq),
        captured_at_ns=whole(captured_at_ns),
        view=None if view is None else parse_view(str(view)),
        probe=parse_views(str(probe)),
        probe_at_ns=whole(probe_at_ns),
        interval_s=float(interval_s),
        occupied=bool(occupied),
    )
