"""Pictures of one camera that never became frames, by reason, over all its connections. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ingest.reading.camera_events import LossReport


class Losses:
    """Totals since the process began. `present` is what the connection that is open now has lost so far."""

    def __init__(self) -> None:
        self._past: Counter[str] = Counter()
        self._counted: Counter[str] = Counter()
        self._report = LossReport()

    def add(self, lost: Mapping[str, int]) -> None:
        """What one picture, or a connection that is over, has cost."""
        self._past.update(lost)

    def totals(self, present: Mapping[str, int], unsent: int) -> dict[str, int]:
        """By reason; `unsent`: those that the broker did not take."""
        losses = self._past.copy()
        losses.update(present)
        losses["broker unavailable"] = unsent
        return dict(losses)

    def due(self, totals: dict[str, int], now_s: float) -> dict[str, int]:
        """What has to be said of `totals` now, see `LossReport.due`."""
        return self._report.due(totals, now_s)

    def uncounted(self, totals: Mapping[str, int]) -> Counter[str]:
        """What was lost since the last call."""
        news = Counter(totals) - self._counted
        self._counted |= Counter(totals)
        return news
