"""The connection of one camera: the picture that it keeps, its pauses, and the pictures that it counts as lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from ingest.reading.connection import STUCK_FACTOR, Connection
from ingest.reading.losses import Losses
from ingest.sources import Admit, CapturedImage, RowsImage
from posebus.config.settings import CameraSettings
from posebus.errors import LoginRefused, SourceUnavailable
from posebus.messages import CaptureClock
from posebus.telemetry.metrics import Metrics

WAIT_S = 10.0


class NumberedSource:
    """Three pictures, then the end; `lost` pictures could not be read."""

    live = False
    fps = 10.0
    frame_count: int | None = 3
    warning: str | None = None

    def __init__(self, lost: int = 0) -> None:
        self.lost = lost
        self.closed = threading.Event()
        self._next = 0

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        if self._next == 3:
            return None
        self._next += 1
        rows = np.zeros((4, 4, 3), np.uint8)
        return CapturedImage(RowsImage(rows), self._next * 1_000, CaptureClock.FILE)

    def close(self) -> None:
        self.closed.set()


def connection_to(
    opener: Callable[[CameraSettings], NumberedSource], losses: Losses | None = None, **values: object
) -> Connection:
    fields = {"source": "x.mp4", "reconnect_min_s": 1.0, "reconnect_max_s": 64.0, **values}
    return Connection(
        "door",
        CameraSettings(**fields),
        opener,
        live=False,
        metrics=Metrics(),
        losses=losses or Losses(),
        rng=random.Random(1),
    )


def test_last_picture_is_returned_again_until_it_is_done() -> None:
    connection = connection_to(lambda _: NumberedSource())
    assert connection.take(0.0) is None, "it is not open"
    connection.open(None)
    first = connection.take(WAIT_S)
    assert first is not None
    assert connection.take(WAIT_S) is first
    connection.done()
    second = connection.take(WAIT_S)
    assert second is not None
    assert (first.captured_at_ns, second.captured_at_ns) == (1_000, 2_000)
    connection.drop()
    assert connection.take(0.0) is None, "a dropped connection keeps no picture"


def test_dropping_closes_the_source_and_keeps_its_losses() -> None:
    source, losses = NumberedSource(lost=4), Losses()
    connection = connection_to(lambda _: source, losses)
    connection.open(None)
    assert connection.take(WAIT_S) is not None
    connection.drop(timeout_s=WAIT_S)
    assert connection.reader is None
    assert source.closed.wait(WAIT_S)
    assert losses.totals()["unusable"] == 4


def test_pauses_grow_with_failures_and_start_again_after_a_picture() -> None:
    connection = connection_to(lambda _: NumberedSource())
    assert connection.pause_s(100.0) == 0.0
    pauses = []
    for _ in range(4):
        connection.failed(SourceUnavailable("it does not answer"), 100.0)
        pauses.append(connection.pause_s(100.0))
    assert [0.5 * 2**n <= pause <= 2**n for n, pause in enumerate(pauses)] == [True] * 4
    connection.works()
    connection.failed(SourceUnavailable("it does not answer"), 100.0)
    assert 0.5 <= connection.pause_s(100.0) <= 1.0
    assert connection.pause_s(101.0) == 0.0


def test_after_a_refused_login_the_pause_is_the_longest() -> None:
    connection = connection_to(lambda _: NumberedSource())
    connection.failed(LoginRefused("it refuses the login"), 100.0)
    assert 32.0 <= connection.pause_s(100.0) <= 64.0


def test_a_reader_without_progress_is_unhealthy_after_several_timeouts() -> None:
    hang = threading.Event()

    def open_hanging(_: CameraSettings) -> NumberedSource:
        hang.wait(WAIT_S)
        raise SourceUnavailable("it does not answer")

    connection = connection_to(open_hanging, open_timeout_s=1.0, read_timeout_s=2.0)
    assert connection.healthy(time.monotonic())
    connection.open(None)
    now_s = time.monotonic()
    assert connection.healthy(now_s + 0.9 * STUCK_FACTOR * 2.0)
    assert not connection.healthy(now_s + 1.1 * STUCK_FACTOR * 2.0)
    hang.set()
    with pytest.raises(SourceUnavailable, match="does not answer"):
        connection.take(WAIT_S)
    connection.drop()
    assert connection.healthy(now_s + 1_000.0)
