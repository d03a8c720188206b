"""The moments that show a person best, by their quality (`tracking.events.showing`). Pure."""

from __future__ import annotations

from recordings.results.people.person import Moment

KEPT = 3
"""Moments of one person; the sharpest picture among them becomes the snapshot."""
APART_S = 0.5
"""Moments that are closer show the same: the better one of them is kept."""


class BestMoments:
    """The best moments of one person so far."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []

    def add(self, moment: Moment) -> None:
        """Take another moment; moments must come in the order of time."""
        moments = self._moments
        if moments and moment.time_s - moments[-1].time_s < APART_S:
            if moment.quality > moments[-1].quality:
                moments[-1] = moment
            return
        if len(moments) < KEPT:
            moments.append(moment)
            return
        worst = min(range(KEPT), key=lambda index: moments[index].quality)
        if moment.quality > moments[worst].quality:
            del moments[worst]
            moments.append(moment)

    @property
    def in_order(self) -> tuple[Moment, ...]:
        """The moments, the best first."""
        return tuple(sorted(self._moments, key=lambda moment: (-moment.quality, moment.frame)))
