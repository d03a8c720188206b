"""What a process measures about itself: the table of all metrics, and the object that counts them.

No port is opened here. A process puts `Metrics.snapshot()` into the report that it writes once a second anyway, and
`posebus metrics` and `posebus top` read the reports of all processes. Names follow Prometheus: base units, and `_total`
for counters.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from posebus.messages import CaptureClock

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram
    from prometheus_client.metrics import MetricWrapperBase

COUNTER = "counter"
GAUGE = "gauge"
SORT_IN_AT = 5000
"""The most observations that wait to be sorted in: a process that takes no snapshots must not fill its memory."""
HISTOGRAM = "histogram"

# Quantiles are interpolated within a bucket, so that a bucket's width is their error: 1, 1.5, 2, 3, 5, 7.5 in a decade.
_STAGE_S = (
    *(0.0001, 0.0002, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075),
    *(0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0),
)
_AGE_S = (
    *(0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75),
    *(1.0, 1.5, 2.0, 5.0, 10.0, 30.0),
)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric. `kind` is COUNTER, GAUGE or HISTOGRAM; `buckets` are a histogram's upper bounds, ascending."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


TABLE = (
    MetricSpec(
        "posebus_stage_seconds",
        HISTOGRAM,
        # Ingest: capture (processor time of the thread that reads the source), motion (deciding whether a frame is
        # inferred), camera_motion (where the camera looks), encode, publish. Workers: read, decode,
        # queue (decoded, waiting for the engine), infer, people (suppression, back to source pixels, colours), commit.
        # Trackers: track (a frame), commit (a transaction).
        ("stage",),
        "Time that one step of the work took.",
        _STAGE_S,
    ),
    MetricSpec(
        "posebus_batch_frames",
        HISTOGRAM,
        (),
        "Frames that were inferred together.",
        (1, 2, 4, 8, 16, 32, 64),
    ),
    MetricSpec(
        "posebus_engine_busy_seconds_total",
        COUNTER,
        (),
        # Its rate is the busy share of the engine, 0 to 1, independent of the number of requests in flight.
        "Time in which the engine was computing.",
    ),
    MetricSpec(
        "posebus_inferences_total",
        COUNTER,
        (),
        # More than frames if frames are cut into tiles or inferred at several sizes.
        "Forward passes of the network; each tile counts.",
    ),
    MetricSpec(
        "posebus_input_pixels_total",
        COUNTER,
        (),
        # The cost of inference is nearly proportional to it, so it compares sizes and rates on any machine.
        "Pixels of all inputs of the network.",
    ),
    MetricSpec("posebus_frames_total", COUNTER, (), "Frames that this process has finished."),
    MetricSpec(
        "posebus_age_at_publish_seconds",
        HISTOGRAM,
        # frames: until ingest published the frame; poses: until a worker published its people; tracks: until a tracker
        # published their identities.
        ("stage",),
        "Time from the capture of a frame (for recordings: from its publication) until its result was published.",
        _AGE_S,
    ),
    MetricSpec(
        "posebus_frames_skipped_total",
        COUNTER,
        # Each frame is counted once, by the process that skipped it, except live frames that could not be written to
        # the broker: ingest counts them, and their tracker counts them as missing.
        ("reason",),
        "Frames that this process skipped.",
    ),
    MetricSpec(
        "posebus_frames_uninferred_total",
        COUNTER,
        # still: no motion and no people; rate: the people could be predicted well enough.
        ("reason",),
        "Frames of this process's camera that were not inferred on purpose, but predicted.",
    ),
    MetricSpec(
        "posebus_frames_enhanced_total",
        COUNTER,
        (),
        "Dark, hazy, noisy or blocky frames that were enhanced before inference.",
    ),
    MetricSpec("posebus_frames_reclaimed_total", COUNTER, (), "Frames that were reclaimed from other workers."),
    MetricSpec("posebus_dead_letters_total", COUNTER, (), "Frames that became dead letters."),
    # The following are computed by `posebus metrics` from the same reports.
    MetricSpec("posebus_camera_online", GAUGE, ("camera",), "Whether the camera delivers frames: 1 or 0."),
    MetricSpec("posebus_camera_frames_per_second", GAUGE, ("camera",), "Frames that ingest publishes a second."),
    MetricSpec(
        "posebus_camera_frames_total",
        COUNTER,
        # frames: published by ingest; tracks: published with identities by the camera's tracker.
        ("camera", "stage"),
        "Frames of the camera that reached this stage.",
    ),
    MetricSpec("posebus_camera_backlog_bytes", GAUGE, ("camera",), "Pictures that wait in the broker for a worker."),
    MetricSpec("posebus_camera_backlog_frames", GAUGE, ("camera",), "Pictures that wait in the broker for a worker."),
    MetricSpec(
        "posebus_camera_dropped_frames_total",
        COUNTER,
        ("camera", "reason"),
        "Frames of the camera without tracks, by reason.",
    ),
    MetricSpec("posebus_camera_people", GAUGE, ("camera",), "People in the newest frame of the camera."),
    MetricSpec(
        "posebus_camera_age_seconds",
        GAUGE,
        ("camera",),
        "Median age of the camera's last frames when their tracks were published.",
    ),
    MetricSpec(
        "posebus_camera_imgsz_pixels",
        GAUGE,
        ("camera",),
        "Longest side of the network's input that was chosen for the camera, or of each of its tiles.",
    ),
    MetricSpec(
        "posebus_camera_infer_interval_seconds",
        GAUGE,
        ("camera",),
        "Minimum time between two inferred frames of the camera; 0: every frame.",
    ),
    MetricSpec("posebus_up", GAUGE, (), "Whether the broker answered: 1 or 0. Without an answer there are no others."),
)
"""All metrics."""

BY_NAME: Mapping[str, MetricSpec] = {spec.name: spec for spec in TABLE}


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
