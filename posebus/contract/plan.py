"""What a camera needs next: decided by its tracker, which alone knows who is there, and followed by its ingest.

The tracker writes the plan in the transaction that its tracks are in. Ingest asks for it as it was with an earlier
frame (`Plan.at`): of a recording with a certain one, so that the same recording is treated alike however fast workers
are and whoever dies on the way; of a live camera with the newest that there is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from posebus.errors import MalformedMessage
from posebus.views import View, parse_view, parse_views

LAG_S = 1.0
"""Of a recording, the plan for a frame is the one that was decided this long before it, by its own time line: so much
of it can be under way at once. The second frame of an epoch waits for what the first one tells."""
DIRECTIVES_KEPT = 64
DECISIONS_KEPT = 100
MAX_INTERVAL_S = 3600.0
MAX_PLAN_BYTES = 200_000
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Directive:
    """What is to be done with the frames after (epoch, seq), the one that it was decided with.

    view: how they are to be inferred; None as their worker is set. probe: further views by which the first frame that
    is captured from `probe_at_ns` on is to be measured beside, once. interval_s: how long nobody need be looked at
    again, once somebody was. occupied: whether somebody may be there, so that a frame without motion matters too.
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
        """Whether it says the same, whenever it was decided."""
        return replace(self, epoch=0, seq=0, captured_at_ns=0) == replace(other, epoch=0, seq=0, captured_at_ns=0)


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that a policy changed, for people: which policy, what it decided, and why; with which frame."""

    epoch: int
    seq: int
    captured_at_ns: int
    policy: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that was decided up to the frame (epoch, seq): the directives that differ from those before, oldest first."""

    epoch: int
    seq: int
    directives: tuple[Directive, ...]

    def at(self, epoch: int, seq: int) -> Directive | None:
        """What was in force once the frame (epoch, seq) was tracked; None as long as it was not."""
        if (self.epoch, self.seq) < (epoch, seq):
            return None
        before = [one for one in self.directives if (one.epoch, one.seq) <= (epoch, seq)]
        return before[-1] if before else None

    @property
    def newest(self) -> Directive | None:
        """What is in force now."""
        return self.directives[-1] if self.directives else None

    def followed_by(self, directive: Directive) -> Plan:
        """The plan once `directive` was decided; what nobody can ask for any more is forgotten."""
        newest = self.newest
        kept = self.directives
        if newest is None or newest.epoch != directive.epoch or not newest.same_as(directive):
            needed_ns = directive.captured_at_ns - round(3 * LAG_S * 1e9)
            old = [one for one in kept if one.epoch == directive.epoch and one.captured_at_ns >= needed_ns]
            kept = (*kept[-max(DIRECTIVES_KEPT, len(old) + 1) :], directive)
        return Plan(directive.epoch, directive.seq, kept)


def plan_to_text(plan: Plan) -> bytes:
    """As it stands in the broker."""
    rows = [
        [
            *(one.epoch, one.seq, one.captured_at_ns, None if one.view is None else str(one.view)),
            *(",".join(map(str, one.probe)), one.probe_at_ns, one.interval_s, one.occupied),
        ]
        for one in plan.directives
    ]
    return json.dumps([_VERSION, plan.epoch, plan.seq, rows], separators=(",", ":")).encode()


def plan_from_text(text: bytes) -> Plan:
    """The plan in the broker. Raises MalformedMessage."""
    if len(text) > MAX_PLAN_BYTES:
        raise MalformedMessage(f"a plan of {len(text)} bytes is longer than any that posebus writes")
    try:
        version, epoch, seq, rows = json.loads(text)
        if version != _VERSION:
            raise ValueError(f"it is of version {version}, this is {_VERSION}")
        return Plan(int(epoch), int(seq), tuple(_directive(row) for row in rows))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MalformedMessage(f"a plan cannot be read: {str(error)[:100]}") from error


def decisions_to_text(decisions: Sequence[Decision]) -> bytes:
    """The newest decisions as they stand in the broker."""
    rows = [
        [one.epoch, one.seq, one.captured_at_ns, one.policy, one.what, one.why] for one in decisions[-DECISIONS_KEPT:]
    ]
    return json.dumps(rows, separators=(",", ":")).encode()


def decisions_from_text(text: bytes) -> tuple[Decision, ...]:
    """The decisions in the broker. Raises MalformedMessage."""
    try:
        rows = json.loads(text[:MAX_PLAN_BYTES])
        return tuple(
            Decision(int(epoch), int(seq), int(at_ns), str(policy), str(what), str(why))
            for epoch, seq, at_ns, policy, what, why in rows
        )
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MalformedMessage(f"the decisions about a camera cannot be read: {str(error)[:100]}") from error


def _directive(row: Sequence[Any]) -> Directive:
    epoch, seq, captured_at_ns, view, probe, probe_at_ns, interval_s, occupied = row
    if not 0.0 <= float(interval_s) <= MAX_INTERVAL_S:
        raise ValueError(f"an interval of {interval_s} s")
    return Directive(
        int(epoch),
        int(seq),
        int(captured_at_ns),
        None if view is None else parse_view(str(view)),
        parse_views(str(probe)),
        int(probe_at_ns),
        float(interval_s),
        bool(occupied),
    )
