"""`imgsz: auto` for one camera: the results of probes, the view chosen by them, and the next probe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from posebus.config.policies import Policies
from posebus.messages import PoseFrame
from posebus.views import View, parse_view
from posebus.wording import counted
from tracking.policies import probing, recall
from tracking.policies.ladder import cost_px, views_of

UNANSWERED_S = 10.0
"""A probe without an answer for this long is requested again."""


class ViewChange(NamedTuple):
    """Another view was chosen, or the first one was confirmed; `why` is for people."""

    before: View
    after: View
    why: str


class SizeChooser:
    """Pure: frames with their probes and the heights of tracked people come in, the camera's view comes out."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        first = policies.first()
        assert first.view is not None
        self.view: View = first.view
        self.probe: tuple[View, ...] = first.probe
        self.probe_at_ns = 0
        self._probes: list[recall.ProbeResult] = []
        self._probed_at_ns: int | None = None
        self._counts = probing.ProbeCounts()
        self._spent_px = self._inferred_px = self._first_px = 0
        self._announced = False
        self._requested_ns: int | None = None

    def update(self, frame: PoseFrame, view: View | None, heights_px: Sequence[float]) -> ViewChange | None:
        """Take an inferred frame; returns the change of the view, if any.

        `view`: the view it was inferred by. `heights_px`: heights of the people that are tracked after it.
        """
        now_ns, size_px = frame.captured_at_ns, frame.size_px
        used = view or self.view
        self._inferred_px += cost_px(used, size_px)
        change = None
        if frame.probes:
            change = self._measure(frame, used)
        if self._probed_at_ns is not None and now_ns < self._probed_at_ns:
            self._probed_at_ns = now_ns  # the camera's time went back
        if not self.probe:
            self._request(now_ns, size_px, heights_px)
        elif frame.probes or self._requested_ns is None or now_ns < self._requested_ns:
            self._requested_ns = now_ns
        elif now_ns - self._requested_ns > UNANSWERED_S * 1e9:
            # Live workers that are late leave probes out.
            self.probe_at_ns = self._requested_ns = now_ns + 1
        return change

    def gain(self, used: View, size_px: tuple[int, int]) -> float:
        """How many times as many people the chosen view finds as `used`, by the probes; 1.0 without any."""
        views = views_of(self._policies, size_px)
        better, worse = (recall.estimate_recall(view, self._probes, views, size_px) for view in (self.view, used))
        return max(1.0, better.recall / max(worse.recall, 0.01)) if self._probes else 1.0

    def _measure(self, frame: PoseFrame, used: View) -> ViewChange | None:
        """Take a frame that was inferred by several views, and choose the best view now."""
        now_ns, size_px = frame.captured_at_ns, frame.size_px
        cost = probing.cost_of((probe.view for probe in frame.probes), size_px)
        if not self._first_px:
            self._first_px = cost
        elif not self._is_first_tiling(probe.view for probe in frame.probes):
            self._spent_px += cost
        views = [(used, frame.boxes_xyxy_px, frame.scores)]
        views += [(probe.view, probe.boxes_xyxy_px, probe.scores) for probe in frame.probes]
        result = recall.compare_views(now_ns, views, size_px)
        if now_ns >= self.probe_at_ns:
            self.probe, self.probe_at_ns = (), 0
        self._probed_at_ns = now_ns
        found_people = bool(result.weight)
        self._counts = probing.ProbeCounts(
            done=self._counts.done + found_people,
            empty=0 if found_people else self._counts.empty + 1,
            unchanged=self._counts.unchanged + found_people,
        )
        self._probes = recall.recent_probes([*self._probes, result], now_ns)
        if not found_people:
            return None
        before = self.view
        self.view = recall.choose_view(before, self._probes, views_of(self._policies, size_px), size_px)
        if self.view == before and self._announced:
            return None
        self._counts = self._counts._replace(unchanged=0)
        self._announced = True
        return ViewChange(before, self.view, _reason(before, self.view, self._probes))

    def _request(self, now_ns: int, size_px: tuple[int, int], heights_px: Sequence[float]) -> None:
        """Request the next probe, if one is due and its cost is within the bound."""
        since_s = 1e9 if self._probed_at_ns is None else (now_ns - self._probed_at_ns) / 1e9
        self._probes = recall.recent_probes(self._probes, now_ns)
        request = probing.due(
            self.view,
            views_of(self._policies, size_px),
            size_px,
            probes=self._probes,
            heights_px=heights_px,
            since_s=since_s,
            counts=self._counts,
        )
        if request is None or not request.views:
            return
        cost = probing.cost_of(request.views, size_px)
        if self._is_first_tiling(request.views) or probing.affordable(
            request, cost, self._spent_px, self._inferred_px, self._first_px or cost
        ):
            self.probe, self.probe_at_ns = request.views, now_ns + 1
            self._requested_ns = now_ns

    def _is_first_tiling(self, views: Iterable[View]) -> bool:
        """Whether these are the first tiles of a picture in which no person was found.

        They are free, as the first probe is: the budget grows so slowly that people whom no whole picture shows would
        else be found too late to matter.
        """
        return (self._counts.done, self._counts.empty) == (0, 1) and any(view.tiled for view in views)

    def state_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "view": str(self.view),
            "probe": [str(view) for view in self.probe],
            "probe_at_ns": self.probe_at_ns,
            "probes": [recall.probe_to_json(one) for one in self._probes],
            "probed_at_ns": self._probed_at_ns,
            "counts": list(self._counts),
            "costs_px": [self._spent_px, self._inferred_px, self._first_px],
            "told": self._announced,
            "asked_ns": self._requested_ns,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore `state_dict()`. Raises KeyError, TypeError, ValueError or MalformedMessage."""
        self.view = parse_view(state["view"])
        self.probe = tuple(parse_view(text) for text in state["probe"])
        self.probe_at_ns = int(state["probe_at_ns"])
        self._probes = [recall.probe_from_json(one) for one in state["probes"]]
        self._probed_at_ns = None if state["probed_at_ns"] is None else int(state["probed_at_ns"])
        done, empty, unchanged = (int(number) for number in state["counts"])
        self._counts = probing.ProbeCounts(done=done, empty=empty, unchanged=unchanged)
        self._spent_px, self._inferred_px, self._first_px = (int(number) for number in state["costs_px"])
        self._announced = bool(state["told"])
        self._requested_ns = None if state["asked_ns"] is None else int(state["asked_ns"])


def _reason(before: View, after: View, probes: Sequence[recall.ProbeResult]) -> str:
    """`of 14 people in 3 probes, 640 found 2 and 1280 found 14`."""
    both = [one for one in probes if before in one.found and after in one.found] or [probes[-1]]
    people = sum(len(one.people) for one in both)
    found = [f"{view} found {sum(one.found.get(view, 0) for one in both)}" for view in dict.fromkeys((before, after))]
    return f"of {counted(people, 'person')} in {counted(len(both), 'probe')}, {' and '.join(found)}"
