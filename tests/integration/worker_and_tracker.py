"""A worker and a tracker at a broker, for runs and jobs that use those that are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from recordings.fleet_watch import FleetWatch
from tests.integration.run_command import TIMEOUT_S, finish, start


@contextmanager
def worker_and_tracker(broker: str, cache: Path) -> Iterator[None]:
    """Both are ready inside; they end in order."""
    processes = [start(cache, "work", "--redis", broker, "--imgsz", "320")]
    processes += [start(cache, "track", "--redis", broker)]
    # Exporting the network may take longer on a busy machine than a run or a job waits for its fleet.
    FleetWatch(Registry(open_broker(broker)), broker, patience_s=TIMEOUT_S).wait()
    yield
    for process in processes:
        process.terminate()
    for process in processes:
        finish(process)
