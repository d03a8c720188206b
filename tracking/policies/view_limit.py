"""The largest view of a live camera that the workers can infer at its rate, beside all other cameras. Pure."""

from __future__ import annotations

from posebus.config.policies import Policies
from posebus.config.settings import AUTO_IMGSZ_FIRST
from posebus.views import View
from tracking.policies.capacity import CapacityShare
from tracking.policies.imgsz import SizeChooser, ViewChange
from tracking.policies.ladder import cost_px, views_of
from tracking.policies.sentences import capacity_advice

SHRINK_AFTER_S = 3.0
GROW_AFTER_S = 8.0
"""Another limit must hold for this long before the view follows it: measured speeds and rates waver."""
LARGER = 1.1
"""A larger view must cost this much less than what is allowed, so that the view does not alternate."""


class ViewLimit:
    """Limits the view of one camera. A camera is not limited below the first size (or a smaller one that it wants):
    there the network would find hardly anybody, and skipping frames costs less."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._share: CapacityShare | None = None
        self._fps: float | None = None
        self.view: View | None = None
        """The view to use in place of the wanted one; None if the wanted one can be carried."""
        self.advice: str | None = None
        self._next: View | None = None
        self._next_since_ns: int | None = None

    def set(self, share: CapacityShare | None, fps: float | None) -> None:
        """Set what the camera may have, and its rate of inferred frames."""
        self._share, self._fps = share, fps

    def update(self, sizes: SizeChooser, size_px: tuple[int, int], now_ns: int) -> ViewChange | None:
        """Decide after an inferred frame of (width, height) `size_px`; returns the change of the view, if any."""
        before = self.view or sizes.view
        target = self._target(sizes.view, size_px)
        if target == self.view or (target is None and before == sizes.view):
            self._next_since_ns, self.view = None, target
            self._advise(sizes, size_px)
            return None
        if target != self._next or self._next_since_ns is None or now_ns < self._next_since_ns:
            self._next, self._next_since_ns = target, now_ns
        after = target or sizes.view
        shrinks = cost_px(after, size_px) < cost_px(before, size_px)
        if now_ns - self._next_since_ns < (SHRINK_AFTER_S if shrinks else GROW_AFTER_S) * 1e9:
            return None
        self.view, self._next_since_ns = target, None
        self._advise(sizes, size_px)
        why = "the workers carry it now"
        if self.view is not None:
            why = f"the workers carry no more at {self._fps:.3g} frames a second; {self.advice}"
        return ViewChange(before, after, why)

    def _target(self, wanted: View, size_px: tuple[int, int]) -> View | None:
        """The largest view up to `wanted` that the camera may have; None if that is `wanted` itself."""
        if self._share is None or not self._fps:
            return None
        allowed_px = self._share.pixels_per_s / self._fps
        least_px = cost_px(View(min(AUTO_IMGSZ_FIRST, self._policies.sizes[-1])), size_px)
        wanted_px = cost_px(wanted, size_px)
        in_use_px = cost_px(self.view or wanted, size_px)
        fitting = []
        for view in views_of(self._policies, size_px):
            view_px = cost_px(view, size_px)
            needed_px = LARGER * view_px if view_px > in_use_px else view_px
            if view_px <= wanted_px and (needed_px <= allowed_px or view_px <= least_px):
                fitting.append(view)
        best = max(fitting, key=lambda view: cost_px(view, size_px), default=wanted)
        return None if best == wanted else best

    def _advise(self, sizes: SizeChooser, size_px: tuple[int, int]) -> None:
        self.advice = None
        if self.view is not None and self._share is not None:
            ratio = sizes.gain(self.view, size_px)
            self.advice = capacity_advice(str(sizes.view), ratio, self._share.missing_workers)
