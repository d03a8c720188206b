"""Pictures of one camera that were lost before they became frames, counted by reason over all its connections. Pure.

The path of a loss: the reader or the publisher counts it here, by reason. The capture loop publishes `unreported` as a
`camera.gap` event, at most once a second, and `uncounted` as a metric. Numbered frames that are dropped later are not
counted here: the tracker reports them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum

REPORT_EVERY_S = 1.0


class LossReason(StrEnum):
    """Why a picture was lost. Subscribers read these values in `camera.gap` events."""

    UNUSABLE = "unusable"  # damaged, undecodable, or too old in the source itself
    PUBLISHER_BEHIND = "publisher behind"  # a fresher picture replaced it before it was published
    BROKER_UNAVAILABLE = "broker unavailable"  # the broker failed while it was sent


class Losses:
    """Counts losses since the process started; those of the open connection are read from it when they are needed."""

    def __init__(self) -> None:
        self._past: Counter[LossReason] = Counter({LossReason.BROKER_UNAVAILABLE: 0})
        self._present: Callable[[], Mapping[LossReason, int]] = dict
        self._counted: Counter[str] = Counter()
        self._reported: Counter[str] = Counter()
        self._next_report_s = 0.0

    def add(self, reason: LossReason) -> None:
        """Count one lost picture."""
        self._past[reason] += 1

    def attach(self, connection_losses: Callable[[], Mapping[LossReason, int]]) -> None:
        """Include the losses of a connection that opens; the function returns its totals so far."""
        self.detach()
        self._present = connection_losses

    def detach(self) -> None:
        """Keep the totals of the connection as they are now; it is given up."""
        self._past.update(self._present())
        self._present = dict

    def totals(self) -> dict[str, int]:
        """Return all losses by reason."""
        losses = self._past.copy()
        losses.update(self._present())
        return {str(reason): count for reason, count in losses.items()}

    def unreported(self, now_s: float) -> dict[str, int]:
        """Return the losses by reason since the last report; empty within a second of it."""
        if now_s < self._next_report_s:
            return {}
        totals = Counter(self.totals())
        news = totals - self._reported
        if news:
            self._reported = totals
            self._next_report_s = now_s + REPORT_EVERY_S
        return dict(news)

    def uncounted(self) -> dict[str, int]:
        """Return the losses by reason since the last call."""
        totals = Counter(self.totals())
        news = totals - self._counted
        self._counted = totals
        return dict(news)
