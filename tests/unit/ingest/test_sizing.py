from __future__ import annotations

import pytest

from ingest.publishing.sizing import ASK_EVERY_S, SizeLimit
from posebus.errors import BrokerUnavailable
from posebus.telemetry.report_json import read_report
from posebus.telemetry.reports import largest_imgsz


class Workers:
    """Returns a fixed inference size and counts the calls."""

    def __init__(self, imgsz: int | None) -> None:
        self.imgsz = imgsz
        self.asked = 0
        self.down = False

    def __call__(self) -> int | None:
        self.asked += 1
        if self.down:
            raise BrokerUnavailable("no answer from the broker at nowhere")
        return self.imgsz


@pytest.mark.parametrize("setting", [None, 320])
def test_a_configured_size_is_kept_without_asking(setting: int | None) -> None:
    workers = Workers(640)
    limit = SizeLimit(setting, workers, live=True)
    limit.begin_epoch(0.0)
    assert limit.at(0.0) == limit.at(100.0) == setting
    assert workers.asked == 0


def test_a_live_source_follows_the_workers_and_asks_at_intervals() -> None:
    workers = Workers(None)
    limit = SizeLimit("auto", workers, live=True)
    limit.begin_epoch(10.0)
    assert limit.at(10.0) is None
    workers.imgsz = 640
    assert limit.at(10.0 + ASK_EVERY_S) == 640
    workers.imgsz = 1280
    assert [limit.at(12.0 + 0.1 * step) for step in range(19)] == [640] * 19
    assert limit.at(12.0 + ASK_EVERY_S) == 1280
    assert workers.asked == 3
    workers.imgsz = None
    assert limit.at(20.0) is None


def test_lossless_source_keeps_the_size_of_its_epoch() -> None:
    workers = Workers(640)
    limit = SizeLimit("auto", workers, live=False)
    limit.begin_epoch(0.0)
    workers.imgsz = 1280
    assert limit.at(1000.0) == 640
    limit.begin_epoch(1001.0)
    assert limit.at(1001.0) == 1280


def test_without_a_broker_the_last_size_holds_and_no_epoch_starts() -> None:
    workers = Workers(640)
    limit = SizeLimit("auto", workers, live=True)
    limit.begin_epoch(0.0)
    workers.down = True
    assert limit.at(50.0) == 640
    with pytest.raises(BrokerUnavailable):
        limit.begin_epoch(51.0)


def test_largest_worker_determines_the_size() -> None:
    objects: list[dict[str, object]] = [
        {"role": "worker", "imgsz": 640, "ready": True},
        {"role": "worker", "imgsz": 960, "ready": False},
        {"role": "worker"},
        {"role": "tracker", "imgsz": 4096},
    ]
    reports = [read_report(data) for data in objects]
    assert largest_imgsz(reports) == 960
    assert largest_imgsz([]) is None
    assert largest_imgsz(reports[2:]) is None
