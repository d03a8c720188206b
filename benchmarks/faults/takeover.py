"""How soon another process takes over when one of a deployment is killed with SIGKILL.

    python -m benchmarks.faults.takeover [--rounds 20] [--cameras 3] [--fps 5]

Two workers, two trackers, and two ingest processes for every camera, one of them on standby; synthetic cameras, default
leases and intervals. In turn the tracker that owns a camera, the ingest process that owns one, and a worker with frames
in flight are killed, and timed until the camera's next tracks are published, until its next frame is published, and
until all frames that the worker had in flight have been answered.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from posebus.bus.redis.connection import Broker, open_broker
from posebus.config.settings import CameraSettings, FleetSettings, Settings, WorkerSettings
from posebus.runtime.embedded import EmbeddedBroker
from posebus.runtime.fleet import Fleet
from posebus.topology import WORKERS_GROUP
from recordings.stages import STAGES

POLL_S = 0.01
SETTLE_S = 4.0
LIMIT_S = 60.0


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="kills of each kind of process")
    parser.add_argument("--cameras", type=int, default=3, help="number of cameras")
    parser.add_argument("--fps", type=float, default=5.0, help="frames a second of each camera")
    arguments = parser.parse_args()
    names = [f"camera-{number}" for number in range(arguments.cameras)]
    times_s: dict[str, list[float]] = {"tracker": [], "ingest": [], "worker": []}
    with EmbeddedBroker() as url:
        source = f"synthetic:bus?fps={arguments.fps:g}&seed="
        settings = Settings(
            redis=url,
            cameras={name: CameraSettings(source=f"{source}{seed}") for seed, name in enumerate(names)},
            worker=WorkerSettings(imgsz=320, threads=1),
            fleet=FleetSettings(workers=2, trackers=2),
            log_level="error",
        )
        broker = open_broker(url)
        with Fleet(settings, broker, STAGES) as fleet:
            fleet.start_trackers()
            fleet.start_workers()
            fleet.wait_until_ready()
            for name in names:
                fleet.start_camera(name)
                spec = fleet.processes.children[f"ingest-{name}"].spec
                fleet.processes.start(spec.__class__(f"ingest-{name}-standby", spec.argv, spec.env))
            wait_for_tracks(fleet, broker, names)
            for _ in range(arguments.rounds):
                for role, take_over_s in (("tracker", of_tracker), ("ingest", of_ingest), ("worker", of_worker)):
                    wait(fleet, SETTLE_S)
                    times_s[role].append(take_over_s(fleet, broker, names))
                    print(f"{role}: {times_s[role][-1]:.2f} s", file=sys.stderr, flush=True)
    print(f"{arguments.cameras} cameras of {arguments.fps:g} fps, {arguments.rounds} kills each\n")
    print("| killed | median s | p95 s | max s |\n|---|---|---|---|")
    for role, seconds in times_s.items():
        p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
        print(f"| {role} | {statistics.median(seconds):.2f} | {p95:.2f} | {max(seconds):.2f} |")


def of_tracker(fleet: Fleet, broker: Broker, names: Sequence[str]) -> float:
    """Kill the tracker of a camera; returns the seconds until the camera's next tracks."""
    camera = random.choice(names)
    return kill(fleet, owner(broker, camera, "tracker"), moved(broker, broker.topology.tracks(camera)))


def of_ingest(fleet: Fleet, broker: Broker, names: Sequence[str]) -> float:
    """Kill the ingest process of a camera; returns the seconds until its next frame."""
    camera = random.choice(names)
    return kill(fleet, owner(broker, camera, "ingest"), moved(broker, broker.topology.frames(camera)))


def of_worker(fleet: Fleet, broker: Broker, names: Sequence[str]) -> float:
    """Kill a worker with frames in flight; returns the seconds until all of them are answered."""
    end_s = time.monotonic() + LIMIT_S
    while time.monotonic() < end_s:
        fleet.check()
        for name, child in list(fleet.processes.children.items()):
            if name.startswith("worker") and child.exit_code is None:
                held = pending(broker, names, child.process.pid)
                if held:
                    child.process.send_signal(signal.SIGSTOP)  # so that it answers none of them before it is killed
                    held = pending(broker, names, child.process.pid)
                    if held:
                        return kill(fleet, child.process.pid, lambda held=held: not held & all_pending(broker, names))
                    child.process.send_signal(signal.SIGCONT)
    raise SystemExit("no worker had a frame in flight")


def owner(broker: Broker, camera: str, role: str) -> int:
    """The pid in the lease, `ROLE-HOST-PID-RANDOM:TOKEN`. Raises SystemExit if there is none for too long."""
    end_s = time.monotonic() + LIMIT_S
    while time.monotonic() < end_s:
        value = broker.client.get(broker.topology.lease(camera, role))
        if value:
            return int(value.decode().rpartition(":")[0].split("-")[-2])
        time.sleep(POLL_S)
    raise SystemExit(f"no {role} owns {camera}")


def moved(broker: Broker, key: str) -> Callable[[], bool]:
    """A function that returns whether an entry was appended to the stream since its first call."""
    last_ids: list[bytes] = []

    def has_moved() -> bool:
        last = broker.client.xinfo_stream(key)["last-generated-id"]
        last_ids.append(last)
        return last != last_ids[0]

    return has_moved


def pending(broker: Broker, names: Sequence[str], pid: int) -> set[tuple[str, bytes]]:
    """(camera, entry id) of all frames that the worker with this pid has in flight."""
    return {place for place, consumer in _pending(broker, names) if f"-{pid}-" in consumer}


def all_pending(broker: Broker, names: Sequence[str]) -> set[tuple[str, bytes]]:
    """(camera, entry id) of the frames that any worker has in flight."""
    return {place for place, _ in _pending(broker, names)}


def _pending(broker: Broker, names: Sequence[str]) -> list[tuple[tuple[str, bytes], str]]:
    return [
        ((camera, row["message_id"]), row["consumer"].decode())
        for camera in names
        for row in broker.client.xpending_range(broker.topology.frames(camera), WORKERS_GROUP, "-", "+", 100)
    ]


def kill(fleet: Fleet, pid: int, done: Callable[[], bool]) -> float:
    """Kill a process; returns the seconds until `done` is true.

    `done` is first called once without effect. Raises SystemExit after LIMIT_S.
    """
    os.kill(pid, signal.SIGKILL)
    begin_s = time.monotonic()
    # The first call includes what the process has sent just before its end.
    done()
    while not done():
        fleet.check()
        if time.monotonic() - begin_s > LIMIT_S:
            raise SystemExit(f"no process took over within {LIMIT_S:g} s")
        time.sleep(POLL_S)
    return time.monotonic() - begin_s


def wait_for_tracks(fleet: Fleet, broker: Broker, names: Sequence[str]) -> None:
    """Wait until every camera has tracks, before which no process has work to take over. Raises SystemExit."""
    end_s = time.monotonic() + LIMIT_S
    while not all(broker.client.exists(broker.topology.tracks(name)) for name in names):
        fleet.check()
        if time.monotonic() > end_s:
            raise SystemExit(f"not every camera had tracks after {LIMIT_S:g} s")
        time.sleep(POLL_S)


def wait(fleet: Fleet, seconds: float) -> None:
    """Wait while the fleet restarts its processes."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        fleet.check()
        time.sleep(0.05)


if __name__ == "__main__":
    main()
