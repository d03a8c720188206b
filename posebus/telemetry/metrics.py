"""What a process measures about itself.

No port is opened here. A process puts `Metrics.snapshot()` into the report that it writes once a second anyway, and
`posebus metrics` and `posebus top` read the reports of all processes.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from posebus.messages import CaptureClock
from posebus.telemetry.metric_table import BY_NAME, COUNTER, GAUGE, HISTOGRAM, MetricSpec

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram
    from prometheus_client.metrics import MetricWrapperBase

SORT_IN_AT = 5000
"""The most observations that wait to be sorted in: a process that takes no snapshots must not fill its memory."""


class Metrics:
    """The metrics of one process; any number of threads may count at the same time.

    A name that is not in the table raises KeyError; other labels, or another kind of metric than in the table, raise
    ValueError.
    """

    def __init__(self) -> None:
        # Not prometheus_client's global registry: two stages in one process would count into each other.
        from prometheus_client import CollectorRegistry

        self._registry = CollectorRegistry()
        self._families: dict[str, MetricWrapperBase] = {}
        # By kind, name and labels as they were passed: finding a child in prometheus_client takes longer than counting.
        self._children: dict[tuple[object, ...], Any] = {}
        self._lock = threading.Lock()
        self._observed: deque[tuple[Histogram, float]] = deque()

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add one value to a histogram.

        It is sorted in later, together with many others: one at a time, between other work, sorting takes ten times as
        long, because its code has left the processor's caches.
        """
        child: Histogram = self._children.get((HISTOGRAM, name, *labels.items())) or self._new(HISTOGRAM, name, labels)
        self._observed.append((child, value))
        if len(self._observed) >= SORT_IN_AT:
            self._sort_in()

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter; 0 creates it before anything is counted. Raises ValueError for less than 0."""
        child: Counter = self._children.get((COUNTER, name, *labels.items())) or self._new(COUNTER, name, labels)
        child.inc(amount)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        child: Gauge = self._children.get((GAUGE, name, *labels.items())) or self._new(GAUGE, name, labels)
        child.set(value)

    def snapshot(self) -> dict[str, Any]:
        """All metrics so far as JSON values: for each metric, a list of `[label values..., value]`.

        The value of a histogram is `{"sum": float, "counts": {upper bound: observations in this bucket}}`, without
        empty buckets; `posebus.telemetry.metric_windows` reads it.
        """
        self._sort_in()
        taken: dict[str, Any] = {}
        for family in self._registry.collect():
            name = family.name + ("_total" if family.type == COUNTER else "")
            spec = BY_NAME[name]
            series: dict[tuple[str, ...], Any] = {}
            below = 0.0
            for sample in family.samples:
                key = tuple(sample.labels[label] for label in spec.labels)
                if spec.kind != HISTOGRAM:
                    if sample.name == name:
                        series[key] = _short(sample.value)
                    continue
                value = series.setdefault(key, {"sum": 0.0, "counts": {}})
                if sample.name == f"{name}_bucket":
                    inside = sample.value - below
                    below = 0.0 if sample.labels["le"] == "+Inf" else sample.value
                    if inside:
                        value["counts"][sample.labels["le"]] = _short(inside)
                elif sample.name == f"{name}_sum":
                    value["sum"] = _short(sample.value)
            if series:
                taken[name] = [[*key, value] for key, value in series.items()]
        return taken

    def _sort_in(self) -> None:
        with suppress(IndexError):  # another thread may take the last one
            while True:
                child, value = self._observed.popleft()
                child.observe(value)

    def _new(self, kind: str, name: str, labels: dict[str, str]) -> Any:
        spec = BY_NAME[name]
        if spec.kind != kind:
            raise ValueError(f"{name} is a {spec.kind}, not a {kind}")
        if set(labels) != set(spec.labels):
            raise ValueError(f"{name} has the labels {spec.labels}, not {tuple(labels)}")
        with self._lock:
            if name not in self._families:
                self._families[name] = self._family(spec)
            family = self._families[name]
        child = family.labels(**labels) if labels else family
        self._children[kind, name, *labels.items()] = child
        return child

    def _family(self, spec: MetricSpec) -> MetricWrapperBase:
        from prometheus_client import Counter, Gauge, Histogram

        if spec.kind == HISTOGRAM:
            return Histogram(spec.name, spec.help, spec.labels, registry=self._registry, buckets=spec.buckets)
        kind = Counter if spec.kind == COUNTER else Gauge
        return kind(spec.name, spec.help, spec.labels, registry=self._registry)


def age_s(captured_at_ns: int, frame_published_at_ns: int, clock: CaptureClock, now_ns: int) -> float:
    """Age of a frame in seconds: since its capture; for recordings, whose time line is their own, since publication.

    Wall clock. Never negative: hosts whose clocks disagree would make the sum of a histogram fall.
    """
    since_ns = frame_published_at_ns if clock is CaptureClock.FILE else captured_at_ns
    return max(0.0, (now_ns - since_ns) / 1e9)


def _short(value: float) -> float | int:
    """`value` rounded to nanoseconds, so that it takes few digits in JSON."""
    return int(value) if value.is_integer() else round(value, 9)
