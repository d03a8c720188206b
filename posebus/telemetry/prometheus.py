"""The reports of a whole deployment as Prometheus metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from posebus.errors import PoseBusError
from posebus.telemetry.camera_state import CameraState
from posebus.telemetry.metric_windows import Distribution, read_snapshot
from posebus.telemetry.metrics import BY_NAME, COUNTER, HISTOGRAM, TABLE, MetricSpec
from posebus.telemetry.reports import Report, count, imgsz_of, losses, number, of_camera, section

if TYPE_CHECKING:
    from prometheus_client import Metric

    from posebus.bus.redis.connection import Broker
    from posebus.telemetry.overview import Snapshot

OF_PROCESS = ("role", "host", "process")
"""Labels that are put before a process's own."""


class DeploymentCollector:
    """Asks the broker anew at each scrape; `posebus_up` is 0, and nothing else there, while it does not answer."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def collect(self) -> Iterator[Metric]:
        """What prometheus_client's registry calls."""
        from posebus.telemetry.overview import look

        try:
            seen = look(self._broker)
        except PoseBusError:
            # An error instead of an answer would look like a fault of this program.
            yield _family(BY_NAME["posebus_up"], (), [((), 0.0)])
            return
        yield _family(BY_NAME["posebus_up"], (), [((), 1.0)])
        yield from families(seen)


def families(seen: Snapshot) -> Iterator[Metric]:
    """All metrics of processes and cameras, one family a name. Needs prometheus-client."""
    readings = [(_who(name, report), read_snapshot(report.get("metrics"))) for name, report in seen.processes.items()]
    for spec in TABLE:
        rows: list[tuple[Sequence[str], Any]] = []
        for who, reading in readings:
            series: Mapping[tuple[str, ...], Any]
            series = (reading.distributions if spec.kind == HISTOGRAM else reading.numbers).get(spec.name, {})
            rows += [((*who, *labels), value) for labels, value in series.items()]
        if rows:
            yield _family(spec, OF_PROCESS, rows)
    cameras: dict[str, list[tuple[Sequence[str], float]]] = {}
    for record in seen.cameras:
        _, source = of_camera(seen.processes, "ingest", record.camera)
        _, tracked = of_camera(seen.processes, "tracker", record.camera)
        for name, labels, value in _of_camera(source, tracked):
            cameras.setdefault(name, []).append(((record.camera, *labels), value))
    for name, values in cameras.items():
        yield _family(BY_NAME[name], (), values)


def _of_camera(source: Report, tracked: Report) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """(metric, labels after the camera's, value) from what ingest and the tracker report of one camera."""
    yield "posebus_camera_online", (), float(source.get("state") == CameraState.ONLINE)
    age_ms = number(tracked.get("age_ms"))
    for name, labels, value in (
        ("posebus_camera_frames_per_second", (), number(source.get("fps"))),
        ("posebus_camera_backlog_bytes", (), number(source.get("backlog_bytes"))),
        ("posebus_camera_backlog_frames", (), number(source.get("backlog_frames"))),
        ("posebus_camera_frames_total", ("frames",), number(source.get("frames"))),
        ("posebus_camera_frames_total", ("tracks",), number(tracked.get("frames"))),
        ("posebus_camera_people", (), number(tracked.get("people"))),
        ("posebus_camera_age_seconds", (), None if age_ms is None else age_ms / 1000),
        ("posebus_camera_imgsz_pixels", (), imgsz_of(tracked.get("view"))),
        ("posebus_camera_infer_interval_seconds", (), number(tracked.get("interval_s"))),
    ):
        if value is not None:
            yield name, labels, float(value)
    dropped = losses(source)
    for reason, frames in section(tracked, "skipped_by_reason").items():
        dropped[str(reason)] = dropped.get(str(reason), 0) + count(frames)
    for reason, frames in dropped.items():
        yield "posebus_camera_dropped_frames_total", (reason,), float(frames)


def _family(spec: MetricSpec, before: Sequence[str], rows: Sequence[tuple[Sequence[str], Any]]) -> Metric:
    """`rows`: values of the labels `before` and of the spec's own, and a number or a Distribution."""
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
    """All buckets, also empty ones: a series that begins in the middle would have no rate there."""
    buckets = []
    below = 0.0
    for bound in (*found.bounds, math.inf):
        below += found.counts.get(bound, 0.0)
        buckets.append(("+Inf" if bound == math.inf else str(bound), below))
    return buckets


def _who(name: str, report: Report) -> tuple[str, str, str]:
    return str(report.get("role", "?")), str(report.get("host", "?")), name
