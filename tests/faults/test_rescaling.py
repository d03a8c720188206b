"""Workers come and go under an overload of live cameras: every loss is reported, and no frame comes twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import posebus
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import CameraSettings, FleetSettings, Settings, WorkerSettings
from posebus.runtime.embedded import EmbeddedBroker
from posebus.runtime.fleet import Fleet
from recordings.stages import STAGES
from tests.polling import wait_until

CAMERAS = ("a", "b", "c", "d")
ON_PURPOSE = {"too old", "overtaken", "overflow"}
"""Reasons for which live frames are skipped; all other missing frames were lost."""


def frames_by_worker(registry: Registry) -> dict[int, int]:
    """Frames finished so far, by the pid of the worker."""
    reports = registry.processes().values()
    return {report["pid"]: report["frames"] for report in reports if report["role"] == "worker"}


def test_worker_joins_and_another_leaves_during_an_overload() -> None:
    with EmbeddedBroker() as url:
        broker = open_broker(url)
        registry = Registry(broker)
        settings = Settings(
            redis=url,
            cameras={name: CameraSettings(source=f"synthetic:bus?fps=30&seed={n}") for n, name in enumerate(CAMERAS)},
            # Without checks at a larger size, which would keep their frames too long on a machine that is overloaded.
            worker=WorkerSettings(warm_up_px=((640, 480),), imgsz=320, imgsz_max=320, threads=1),
            fleet=FleetSettings(workers=2),
            log_level="error",
        )
        with Fleet(settings, broker, STAGES) as fleet, posebus.subscribe(url, after="start") as subscription:
            fleet.start_trackers()
            fleet.start_workers()
            fleet.wait_until_ready()
            for camera in CAMERAS:
                fleet.start_camera(camera)
            wait_until(lambda: len([n for n in frames_by_worker(registry).values() if n > 5]) == 2, "two workers work")
            known = set(frames_by_worker(registry))
            fleet.start_worker("worker-3")
            wait_until(
                lambda: any(n > 5 for pid, n in frames_by_worker(registry).items() if pid not in known), "a third works"
            )
            fleet.processes.stop(["worker-1"], timeout_s=10)
            rest = frames_by_worker(registry)
            wait_until(
                lambda: all(n > rest[pid] + 5 for pid, n in frames_by_worker(registry).items()) and len(rest) == 2,
                "the other two go on",
            )
            fleet.processes.stop([f"ingest-{camera}" for camera in CAMERAS], timeout_s=10)
            for key in (broker.topology.frames, broker.topology.poses):
                wait_until(
                    lambda key=key: all(broker.client.xlen(key(c)) == 0 for c in CAMERAS), "all is answered and tracked"
                )
            seen: defaultdict[str, list[int]] = defaultdict(list)
            gaps: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
            while messages := list(subscription.poll(0.5)):
                for message in messages:
                    if isinstance(message.body, posebus.TrackFrame):
                        seen[message.camera].append(message.body.seq)
                    elif isinstance(message.body, posebus.Event) and message.body.type == posebus.EventType.CAMERA_GAP:
                        # Only frames have numbers. Pictures that ingest dropped before, on a machine too busy for 90
                        # of them a second, are reported without.
                        if "last_seq" in message.body.data:
                            gaps[message.camera].append(message.body.data)
                        else:
                            assert set(message.body.data["reasons"]) == {"publisher behind"}
    assert set(gaps) == set(CAMERAS), "it was no overload"
    for camera in CAMERAS:
        assert seen[camera] == sorted(set(seen[camera])), f"{camera}: out of order or twice"
        assert {reason for gap in gaps[camera] for reason in gap["reasons"]} <= ON_PURPOSE
        # Frames skipped within a second are reported together, so the last of them may not be reported yet.
        told_until = gaps[camera][-1]["last_seq"]
        skipped = sum(gap["skipped"] for gap in gaps[camera])
        assert sum(seq <= told_until for seq in seen[camera]) + skipped == told_until + 1
