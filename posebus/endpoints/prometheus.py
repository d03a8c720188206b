"""The reports of a whole deployment as Prometheus metrics."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from posebus.endpoints.readiness import COUNTED
from posebus.errors import PoseBusError
from posebus.telemetry.broker_memory import read_memory
from posebus.telemetry.build import build_metrics
from posebus.telemetry.camera_state import NO_INGEST, CameraState
from posebus.telemetry.metric_table import BY_NAME, COUNTER, HISTOGRAM, TABLE, MetricSpec
from posebus.telemetry.metric_windows import Distribution, Reading, read_snapshot
from posebus.telemetry.process_report import CaptureReport, ProcessReport, TrackingReport
from posebus.telemetry.reports import capture_of, imgsz_of, losses, tracking_of

if TYPE_CHECKING:
    from prometheus_client import Metric

    from posebus.bus.redis.connection import Broker
    from posebus.telemetry.overview import DeploymentState

ALWAYS_COUNTED = ("overflow", "too old", "overtaken")
"""The reasons for which frames are dropped when workers are too slow."""
Readings = Sequence[tuple[tuple[str, str, str], Reading]]
OF_PROCESS = ("role", "host", "process")
"""Labels that are put before a process's own."""


class DeploymentCollector:
    """Reads the deployment from the broker at each scrape; without an answer, `posebus_up` is 0 and stands alone."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        host = socket.gethostname()
        # This process reports nothing to the broker.
        who = ("metrics", host, f"metrics-{host}-{os.getpid()}")
        self._own = [(who, read_snapshot(build_metrics(time.time())))]

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics; prometheus_client's registry calls it at each scrape."""
        from posebus.telemetry.overview import read_deployment

        try:
            state = read_deployment(self._broker)
        except PoseBusError:
            # An error instead of an answer would look like a fault of this program.
            yield _family(BY_NAME["posebus_up"], (), [((), 0.0)])
            return
        yield _family(BY_NAME["posebus_up"], (), [((), 1.0)])
        yield from families(state, self._own)
        yield from self._memory()

    def _memory(self) -> Iterator[Metric]:
        used = read_memory(self._broker)
        for spec, position in (("posebus_broker_memory_used_bytes", 0), ("posebus_broker_memory_limit_bytes", 1)):
            rows = [((where,), sizes[position]) for where, sizes in used.items() if sizes[position] is not None]
            if rows:
                yield _family(BY_NAME[spec], (), rows)


def families(state: DeploymentState, own: Readings = ()) -> Iterator[Metric]:
    """All metrics of processes and cameras, one family for each name. Needs prometheus-client.

    `own` are readings of processes that do not report to the broker.
    """
    readings = [
        *((_process_labels(name, report), read_snapshot(report.metrics)) for name, report in state.processes.items()),
        *own,
    ]
    for spec in TABLE:
        rows: list[tuple[Sequence[str], Any]] = []
        for process, reading in readings:
            series: Mapping[tuple[str, ...], Any]
            series = (reading.distributions if spec.kind == HISTOGRAM else reading.numbers).get(spec.name, {})
            rows += [((*process, *labels), value) for labels, value in series.items()]
        if rows:
            yield _family(spec, OF_PROCESS, rows)
    ready = dict.fromkeys(COUNTED, 0)
    for report in state.processes.values():
        if report.role in ready:
            ready[report.role] += report.ready
    yield _family(BY_NAME["posebus_processes_ready"], (), [((role,), number) for role, number in ready.items()])
    cameras: dict[str, list[tuple[Sequence[str], float]]] = {}
    for record in state.cameras:
        capture = capture_of(state.processes, record.camera)
        _, tracked = tracking_of(state.processes, record.camera)
        if capture.backlog_s is not None:
            waiting = ((record.camera, record.delivery.value), capture.backlog_s)
            cameras.setdefault("posebus_camera_backlog_seconds", []).append(waiting)
        for name, labels, value in _of_camera(capture, tracked):
            cameras.setdefault(name, []).append(((record.camera, *labels), value))
    for name, values in cameras.items():
        yield _family(BY_NAME[name], (), values)
    yield from _of_sinks(state)


def _of_sinks(state: DeploymentState) -> Iterator[Metric]:
    """What sinks report. Of several processes of one sink, the counts add up; all see the same messages wait."""
    done: dict[tuple[str, str], float] = {}
    waiting: dict[str, float] = {}
    failing: dict[str, float] = {}
    for report in state.processes.values():
        sink = report.sink
        if sink is None:
            continue
        for kind, number in (("delivered", sink.delivered), ("undelivered", sink.undelivered), ("lost", sink.lost)):
            done[sink.name, kind] = done.get((sink.name, kind), 0.0) + number
        waiting[sink.name] = max(waiting.get(sink.name, 0.0), float(sink.waiting))
        failing[sink.name] = max(failing.get(sink.name, 0.0), float(sink.trouble is not None))
    if done:
        yield _family(BY_NAME["posebus_sink_events_total"], (), list(done.items()))
        for name, values in (("posebus_sink_waiting_events", waiting), ("posebus_sink_failing", failing)):
            yield _family(BY_NAME[name], (), [((sink,), value) for sink, value in values.items()])


def _of_camera(capture: CaptureReport, tracked: TrackingReport) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """(metric, values of the labels after the camera's, value) from the reports of one camera."""
    yield "posebus_camera_online", (), float(capture.state == CameraState.ONLINE)
    for state in (*CameraState, NO_INGEST):
        yield "posebus_camera_state", (state,), float(capture.state == state)
    for name, labels, value in (
        ("posebus_camera_frames_per_second", (), capture.fps),
        ("posebus_camera_backlog_bytes", (), capture.backlog_bytes),
        ("posebus_camera_backlog_frames", (), capture.backlog_frames),
        ("posebus_camera_frames_total", ("frames",), capture.frames),
        ("posebus_camera_frames_total", ("tracks",), tracked.frames),
        ("posebus_camera_people", (), tracked.people),
        ("posebus_camera_age_seconds", (), None if tracked.age_ms is None else tracked.age_ms / 1000),
        ("posebus_camera_imgsz_pixels", (), imgsz_of(tracked.view)),
        ("posebus_camera_infer_interval_seconds", (), tracked.interval_s),
    ):
        if value is not None:
            yield name, labels, float(value)
    # From 0 on: a series that begins with the first dropped frames has no rate then.
    dropped = dict.fromkeys(ALWAYS_COUNTED, 0) | losses(capture)
    for reason, frames in tracked.skipped_by_reason.items():
        dropped[reason] = dropped.get(reason, 0) + frames
    for reason, frames in dropped.items():
        yield "posebus_camera_dropped_frames_total", (reason,), float(frames)


def _family(spec: MetricSpec, before: Sequence[str], rows: Sequence[tuple[Sequence[str], Any]]) -> Metric:
    """A family of `rows`: values of the labels `before` and of the spec's own labels, and a number or Distribution."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    labels = [*before, *spec.labels]
    if spec.kind == HISTOGRAM:
        histogram = HistogramMetricFamily(spec.name, spec.help, labels=labels)
        for values, found in rows:
            histogram.add_metric(values, _cumulative(found), found.sum)
        return histogram
    kind = CounterMetricFamily if spec.kind == COUNTER else GaugeMetricFamily
    plain = kind(spec.name, spec.help, labels=labels)
    for values, value in rows:
        plain.add_metric(values, value)
    return plain


def _cumulative(found: Distribution) -> list[tuple[str, float]]:
    """All buckets, empty ones included: a series that starts later would have no rate at its start."""
    buckets = []
    below = 0.0
    for bound in (*found.bounds, math.inf):
        below += found.counts.get(bound, 0.0)
        buckets.append(("+Inf" if bound == math.inf else str(bound), below))
    return buckets


def _process_labels(name: str, report: ProcessReport) -> tuple[str, str, str]:
    return report.role, report.host, name
