"""Whether a fixed inference size misses people, from a few frames that are also inferred at a larger one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posebus.messages import PoseFrame
from posebus.views import View
from tracking.policies.recall import compare_views
from tracking.policies.sentences import fixed_size_advice

MISSED_SHARE = 0.1
"""Share of the people, by weight, that must be missed for their size before users are advised ..."""
LEAST_MISSED = 2.0
"""... and how many people at least, in all checked frames together."""


class SizeCheck:
    """Compares the fixed size of one camera with the larger one of its checked frames."""

    def __init__(self, fixed_imgsz: int) -> None:
        self.fixed_imgsz = fixed_imgsz
        self._fixed = View(fixed_imgsz)
        self._weight = self._missed = 0.0
        self._found = self._found_larger = 0
        self.larger: View | None = None

    def update(self, frame: PoseFrame) -> bool:
        """Take an inferred frame; returns whether it was a checked one."""
        if not frame.probes:
            return False
        views = [(self._fixed, frame.boxes_xyxy_px, frame.scores)]
        views += [(probe.view, probe.boxes_xyxy_px, probe.scores) for probe in frame.probes]
        result = compare_views(frame.captured_at_ns, views, frame.size_px)
        self.larger = max((probe.view for probe in frame.probes), key=lambda view: view.imgsz)
        self._weight += result.weight
        self._missed += result.missed.get(self._fixed, 0.0)
        self._found += result.found.get(self._fixed, 0)
        self._found_larger += result.found.get(self.larger, 0)
        return True

    @property
    def advice(self) -> str | None:
        """A sentence for users if the fixed size misses people, else None."""
        more = self._found_larger - self._found
        if self.larger is None or more < LEAST_MISSED or self._missed < MISSED_SHARE * self._weight:
            return None
        return fixed_size_advice(self.fixed_imgsz, self._found, self.larger.imgsz, self._found_larger)

    def state_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "larger": None if self.larger is None else self.larger.imgsz,
            "weights": [self._weight, self._missed],
            "found": [self._found, self._found_larger],
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError or ValueError."""
        self.larger = None if state["larger"] is None else View(int(state["larger"]))
        self._weight, self._missed = (float(one) for one in state["weights"])
        self._found, self._found_larger = (int(one) for one in state["found"])
