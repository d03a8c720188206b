"""The memory of `imgsz: auto` for one camera: what probes said, which view was chosen, what is to be measured next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from posebus.config.policies import Policies
from posebus.messages import PoseFrame
from posebus.views import View, parse_view
from tracking.policies import probing, sizes
from tracking.policies.ladder import cost_px, views_of

UNANSWERED_S = 10.0
"""A probe that was not answered for so long is asked for again."""


class Change(NamedTuple):
    """Another view was chosen, or the first one for good; `why` in words."""

    before: View
    after: View
    why: str


class SizeChooser:
    """Pure: frames with their probes and the heights of who is tracked come in, the camera's view comes out."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        first = policies.first()
        assert first.view is not None
        self.view: View = first.view
        self.probe: tuple[View, ...] = first.probe
        self.probe_at_ns = 0
        self._probes: list[sizes.Probed] = []
        self._probed_at_ns: int | None = None
        self._counts = probing.Counts()
        self._spent_px = self._inferred_px = self._first_px = 0
        self._told = False
        self._asked_ns: int | None = None

    def see(self, frame: PoseFrame, view: View | None, heights_px: Sequence[float]) -> Change | None:
        """An inferred frame; heights_px: of the people that are tracked after it. Returns what changed."""
        now_ns, size_px = frame.captured_at_ns, frame.size_px
        used = view or self.view
        self._inferred_px += cost_px(used, size_px)
        change = None
        if frame.probes:
            change = self._measure(frame, used)
        if self._probed_at_ns is not None and now_ns < self._probed_at_ns:
            self._probed_at_ns = now_ns  # its time went back
        if not self.probe:
            self._ask(now_ns, size_px, heights_px)
        elif frame.probes or self._asked_ns is None or now_ns < self._asked_ns:
            self._asked_ns = now_ns
        elif now_ns - self._asked_ns > UNANSWERED_S * 1e9:
            # Live, what is measured beside a frame is left out where workers are late.
            self.probe_at_ns = self._asked_ns = now_ns + 1
        return change

    def _measure(self, frame: PoseFrame, used: View) -> Change | None:
        """A frame that was inferred by several views: what is best now."""
        now_ns, size_px = frame.captured_at_ns, frame.size_px
        cost = probing.cost_of((probe.view for probe in frame.probes), size_px)
        if not self._first_px:
            self._first_px = cost
        elif not self._is_first_cut(probe.view for probe in frame.probes):
            self._spent_px += cost
        seen = [(used, frame.boxes_xyxy_px, frame.scores)]
        seen += [(probe.view, probe.boxes_xyxy_px, probe.scores) for probe in frame.probes]
        found = sizes.probed(now_ns, seen, size_px)
        if now_ns >= self.probe_at_ns:
            self.probe, self.probe_at_ns = (), 0
        self._probed_at_ns = now_ns
        done, in_vain, steady = self._counts
        anybody = bool(found.weight)
        self._counts = probing.Counts(done + anybody, 0 if anybody else in_vain + 1, steady + anybody)
        self._probes = sizes.kept([*self._probes, found], now_ns)
        if not found.weight:
            return None
        before, views = self.view, views_of(self._policies, size_px)
        self.view, _ = sizes.chosen(before, self._probes, views, size_px)
        if self.view == before and self._told:
            return None
        self._counts = self._counts._replace(steady=0)
        self._told = True
        return Change(before, self.view, _words(before, self.view, self._probes))

    def _ask(self, now_ns: int, size_px: tuple[int, int], heights_px: Sequence[float]) -> None:
        since_s = 1e9 if self._probed_at_ns is None else (now_ns - self._probed_at_ns) / 1e9
        self._probes = sizes.kept(self._probes, now_ns)
        asked = probing.due(
            *(self.view, views_of(self._policies, size_px), size_px),
            probes=self._probes,
            heights_px=heights_px,
            since_s=since_s,
            counts=self._counts,
        )
        if asked is None or not asked.views:
            return
        cost = probing.cost_of(asked.views, size_px)
        if self._is_first_cut(asked.views) or probing.affordable(
            asked, cost, self._spent_px, self._inferred_px, self._first_px or cost
        ):
            self.probe, self.probe_at_ns = asked.views, now_ns + 1
            self._asked_ns = now_ns

    def _is_first_cut(self, views: Iterable[View]) -> bool:
        """Whether these are the first tiles of a picture in which nobody was found: free, as the first probe is. People
        whom no whole picture shows would else be looked for once everybody has forgotten that there is a camera."""
        return self._counts[:2] == (0, 1) and any(view.tiled for view in views)

    def state_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "view": str(self.view),
            "probe": [str(view) for view in self.probe],
            "probe_at_ns": self.probe_at_ns,
            "probes": [sizes.probe_to_json(one) for one in self._probes],
            "probed_at_ns": self._probed_at_ns,
            "counts": list(self._counts),
            "costs_px": [self._spent_px, self._inferred_px, self._first_px],
            "told": self._told,
            "asked_ns": self._asked_ns,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """The inverse. Raises KeyError, TypeError, ValueError or MalformedMessage."""
        self.view = parse_view(state["view"])
        self.probe = tuple(parse_view(text) for text in state["probe"])
        self.probe_at_ns = int(state["probe_at_ns"])
        self._probes = [sizes.probe_from_json(one) for one in state["probes"]]
        self._probed_at_ns = None if state["probed_at_ns"] is None else int(state["probed_at_ns"])
        self._counts = probing.Counts(*(int(number) for number in state["counts"]))
        self._spent_px, self._inferred_px, self._first_px = (int(number) for number in state["costs_px"])
        self._told = bool(state["told"])
        self._asked_ns = None if state["asked_ns"] is None else int(state["asked_ns"])


def _words(before: View, after: View, probes: Sequence[sizes.Probed]) -> str:
    """`of 14 people that were seen in 3 probes 640 found 2, 1280 14`."""
    both = [one for one in probes if before in one.found and after in one.found] or [probes[-1]]
    people = sum(len(one.people) for one in both)
    found = [f"{view} found {sum(one.found.get(view, 0) for one in both)}" for view in dict.fromkeys((before, after))]
    frames = "a probe" if len(both) == 1 else f"{len(both)} probes"
    return f"of {people} people seen in {frames} {' and '.join(found)}"
