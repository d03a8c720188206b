"""Arithmetic on snapshots of metrics: differences between two of them, and quantiles of histograms. Pure.

Snapshots come from other processes, perhaps of another version of posebus: malformed parts are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from posebus.config.redaction import harmless
from posebus.telemetry.metric_table import BY_NAME, HISTOGRAM, MetricSpec

MAX_NUMBER = 1e18
MAX_BUCKETS = 200
MAX_LABEL = 100

Labels = tuple[str, ...]
"""Values of the labels, in the order of the metric's `labels`."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram. `counts`: observations by the upper bound of their bucket (inf: above all bounds), without empty
    buckets. `sum`: of all observations. `bounds`: upper bounds of all buckets, ascending, without inf.
    """

    counts: Mapping[float, float] = field(default_factory=dict)
    sum: float = 0.0
    bounds: tuple[float, ...] = ()

    @property
    def count(self) -> float:
        """The number of observations."""
        return sum(self.counts.values())

    def mean(self) -> float | None:
        """The mean; None without observations."""
        return self.sum / self.count if self.count else None

    def quantile(self, q: float) -> float | None:
        """The value below which a part `q` (0 to 1) of the observations lies; None without observations.

        It is interpolated within the bucket like Prometheus' `histogram_quantile`: from 0 in the first bucket, and
        values above all bounds count as the highest bound.
        """
        rank = q * self.count
        if not self.count:
            return None
        below = 0.0
        lower = 0.0
        for upper in self.bounds:
            inside = self.counts.get(upper, 0.0)
            if inside and below + inside >= rank:
                return lower + (upper - lower) * max(0.0, rank - below) / inside
            below += inside
            lower = upper
        return lower

    def since(self, earlier: Distribution) -> Distribution:
        """The observations after `earlier`, an older state of the same histogram; all of them if it is not one."""
        left = {bound: number - earlier.counts.get(bound, 0.0) for bound, number in self.counts.items()}
        if any(number < 0 for number in left.values()) or earlier.count > self.count:
            return self
        counts = {bound: number for bound, number in left.items() if number}
        return Distribution(counts, max(0.0, self.sum - earlier.sum), self.bounds)


@dataclass(frozen=True, slots=True)
class Reading:
    """A decoded snapshot: histograms, and all other metrics as numbers, by name and labels."""

    numbers: Mapping[str, Mapping[Labels, float]] = field(default_factory=dict)
    distributions: Mapping[str, Mapping[Labels, Distribution]] = field(default_factory=dict)

    def number(self, name: str, *labels: str) -> float:
        """The value of a counter or gauge; 0 if it was never counted."""
        return self.numbers.get(name, {}).get(labels, 0.0)

    def distribution(self, name: str, *labels: str) -> Distribution:
        """A histogram; empty if nothing was observed."""
        return self.distributions.get(name, {}).get(labels, Distribution())

    def since(self, earlier: Reading) -> Reading:
        """The counts after `earlier`, an older reading of the same process; gauges are left out."""
        numbers = {
            name: {key: _grown(number, earlier.number(name, *key)) for key, number in series.items()}
            for name, series in self.numbers.items()
            if name.endswith("_total")
        }
        distributions = {
            name: {key: found.since(earlier.distribution(name, *key)) for key, found in series.items()}
            for name, series in self.distributions.items()
        }
        return Reading(numbers, distributions)


def read_snapshot(snapshot: object) -> Reading:
    """The reading of a `Metrics.snapshot`; unknown metrics and malformed values are left out."""
    numbers: dict[str, dict[Labels, float]] = {}
    distributions: dict[str, dict[Labels, Distribution]] = {}
    for name, series in snapshot.items() if isinstance(snapshot, Mapping) else ():
        spec = BY_NAME.get(str(name))
        if spec is None or not isinstance(series, list):
            continue
        for one in series:
            if not isinstance(one, list) or len(one) != len(spec.labels) + 1:
                continue
            labels = tuple(harmless(str(label), MAX_LABEL) for label in one[:-1])
            if spec.kind == HISTOGRAM:
                found = _distribution(spec, one[-1])
                if found is not None:
                    distributions.setdefault(spec.name, {})[labels] = found
            elif _is_number(one[-1]):
                numbers.setdefault(spec.name, {})[labels] = float(one[-1])
    return Reading(numbers, distributions)


def merged(distributions: Iterable[Distribution]) -> Distribution:
    """All observations of several histograms, such as those of several processes."""
    counts: dict[float, float] = {}
    total = 0.0
    bounds: set[float] = set()
    for one in distributions:
        for bound, number in one.counts.items():
            counts[bound] = counts.get(bound, 0.0) + number
        total += one.sum
        bounds |= set(one.bounds)
    return Distribution(counts, total, tuple(sorted(bounds)))


def _distribution(spec: MetricSpec, value: Any) -> Distribution | None:
    """The histogram in `value`. Another version may have other buckets: their bounds are added."""
    counts = value.get("counts") if isinstance(value, Mapping) else None
    if not isinstance(counts, Mapping) or not _is_number(value.get("sum")):
        return None
    try:
        read = {float(bound): float(number) for bound, number in counts.items()}
    except (TypeError, ValueError, OverflowError):
        return None
    if any(math.isnan(bound) or not 0 <= number <= MAX_NUMBER for bound, number in read.items()):
        return None
    if len(read) > MAX_BUCKETS:
        return None
    bounds = {float(bound) for bound in spec.buckets} | read.keys() - {math.inf}
    return Distribution(read, float(value["sum"]), tuple(sorted(bounds)))


def _grown(now: float, before: float) -> float:
    """The growth of a counter; one that fell was restarted."""
    return now - before if now >= before else now


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER
