"""How soon a worker that is started under overload takes part, and how soon a stopped one has left.

    python -m benchmarks.faults.rescaling [--cameras 8] [--workers 2] [--rounds 5]

Cameras offer more than the workers can infer. A worker is started and timed until the broker has delivered its first
frame (its engine is already exported), then stopped with SIGTERM and timed until it has committed its frames in flight
and ended. That no frame is lost or duplicated is checked by tests/faults/test_rescaling.py.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence

from benchmarks.live.command import cameras_at, deployment
from posebus.bus.redis.connection import Broker
from posebus.runtime.fleet import Fleet
from posebus.topology import WORKERS_GROUP
from recordings.stages import STAGES

POLL_S = 0.02


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=8, help="number of cameras")
    parser.add_argument("--workers", type=int, default=2, help="number of workers before each start")
    parser.add_argument("--rounds", type=int, default=5, help="number of starts and stops")
    arguments = parser.parse_args()
    joined_s, left_s = [], []
    with (
        deployment(arguments.workers, "auto") as (settings, broker),
        cameras_at(settings, broker, arguments.cameras, 6.0 * arguments.cameras) as names,
        Fleet(settings, broker, STAGES) as fleet,
    ):
        time.sleep(5.0)
        for _ in range(arguments.rounds):
            begin_s = time.monotonic()
            fleet.start_worker("another")
            pid = fleet.processes.children["another"].process.pid
            while not has_pending_frame(broker, names, pid):
                time.sleep(POLL_S)
            joined_s.append(time.monotonic() - begin_s)
            time.sleep(2.0)
            begin_s = time.monotonic()
            fleet.processes.stop(["another"])
            left_s.append(time.monotonic() - begin_s)
            print(f"joined in {joined_s[-1]:.2f} s, left in {left_s[-1]:.2f} s", file=sys.stderr, flush=True)
    print(f"{arguments.cameras} cameras, {arguments.workers} workers and a further one, {arguments.rounds} rounds\n")
    print("| | median s | max s |\n|---|---|---|")
    for what, times_s in (("started until its first frame", joined_s), ("stopped until it has left", left_s)):
        print(f"| {what} | {statistics.median(times_s):.2f} | {max(times_s):.2f} |")


def has_pending_frame(broker: Broker, cameras: Sequence[str], pid: int) -> bool:
    """Whether the worker with this pid has a pending entry of any of `cameras`."""
    for camera in cameras:
        consumers = broker.client.xinfo_consumers(broker.topology.frames(camera), WORKERS_GROUP)
        if any(f"-{pid}-" in consumer["name"].decode() for consumer in consumers if consumer["pending"]):
            return True
    return False


if __name__ == "__main__":
    main()
