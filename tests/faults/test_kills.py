"""Processes are killed in the middle of a lossless run; the public streams at the end are those of a calm run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import posebus
from posebus.bus.connection import open_broker
from posebus.bus.registry import Registry
from posebus.embedded import EmbeddedBroker
from posebus.fleet import Fleet
from posebus.public_json import event_to_json, track_frame_to_json
from posebus.settings import CameraSettings, FleetSettings, Settings, TrackerSettings, WorkerSettings

FRAMES = 179
TIMEOUT_S = 120.0

Public = tuple[list[dict[str, Any]], list[dict[str, Any]]]
"""Tracks and events in order, without what may differ from run to run: times of publishing."""


def settings(clip: Path, workers: int, trackers: int) -> Settings:
    return Settings(
        cameras={"clip": CameraSettings(source=str(clip))},
        worker=WorkerSettings(reclaim_after_s=0.5, warm_up_px=((640, 480),), imgsz=320),
        tracker=TrackerSettings(lease_s=1.0),
        fleet=FleetSettings(workers=workers, trackers=trackers, restart_min_s=0.05),
    )


def run(
    clip: Path, workers: int, trackers: int, disturb: Callable[[Fleet, int], None] = lambda fleet, seen: None
) -> Public:
    """One run of `clip`; `disturb(fleet, frames seen so far)` is called after each frame."""
    tracks: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    with EmbeddedBroker() as url:
        deployment = settings(clip, workers, trackers).model_copy(update={"redis": url})
        with Fleet(deployment, open_broker(url)) as fleet, posebus.subscribe(url, after="start") as subscription:
            fleet.start_trackers()
            fleet.start_workers()
            fleet.wait_until_ready()
            fleet.start_camera("clip")
            end_s = time.monotonic() + TIMEOUT_S
            while len(tracks) < FRAMES or not events or events[-1]["type"] != posebus.EventType.CAMERA_ENDED:
                assert time.monotonic() < end_s, f"only {len(tracks)} frames came out"
                fleet.check()
                for message in subscription.poll(0.1):
                    if isinstance(message.body, posebus.TrackFrame):
                        assert message.provenance is not None
                        data = track_frame_to_json(message.body, message.provenance, 0)
                        tracks.append({**data, "frame_published_at_ns": 0, "inference_ns": 0})
                        disturb(fleet, len(tracks))
                    elif isinstance(message.body, posebus.Event):
                        events.append(event_to_json(message.body))
    return tracks, [event for event in events if not event["type"].startswith("posebus.camera.o")]


@pytest.fixture(scope="module")
def clip(shared_data: Path) -> Path:
    return shared_data / "TUD-Stadtmitte.mp4"


@pytest.fixture(scope="module")
def calm(clip: Path) -> Public:
    return run(clip, workers=1, trackers=1)


def test_a_calm_run_has_every_frame_once_and_in_order(calm: Public) -> None:
    tracks, events = calm
    assert [frame["seq"] for frame in tracks] == list(range(FRAMES))
    assert len({event["id"] for event in events}) == len(events)
    assert events[-1]["data"]["frames"] == FRAMES
    started = [event for event in events if event["type"] == posebus.EventType.TRACK_STARTED]
    ended = [event for event in events if event["type"] == posebus.EventType.TRACK_ENDED]
    assert len(started) == len(ended) > 3


def test_killing_workers_and_trackers_changes_nothing(calm: Public, clip: Path) -> None:
    rng = random.Random(7)
    moments = {20: "worker", 50: "tracker", 80: "worker", 110: "tracker", 140: "worker"}

    def kill(fleet: Fleet, seen: int) -> None:
        role = moments.pop(seen, None)
        if role is not None:
            victims = [name for name in fleet.family.children if name.startswith(role)]
            fleet.family.children[rng.choice(victims)].process.kill()

    tracks, events = run(clip, workers=2, trackers=2, disturb=kill)
    assert not moments, "not everybody was killed"
    assert tracks == calm[0]
    assert events == calm[1]


def test_a_tracker_that_slept_through_its_lease_changes_nothing(calm: Public, clip: Path) -> None:
    import signal

    stopped: list[Any] = []

    def freeze(fleet: Fleet, seen: int) -> None:
        if seen == 60 and not stopped:
            # Which of the two owns the camera only the broker knows: stop both, wake one, then the other.
            stopped.extend(c.process for n, c in fleet.family.children.items() if n.startswith("tracker"))
            for process in stopped:
                process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            stopped[0].send_signal(signal.SIGCONT)
            time.sleep(1.0)
            stopped[1].send_signal(signal.SIGCONT)

    tracks, events = run(clip, workers=1, trackers=2, disturb=freeze)
    assert len(stopped) == 2
    assert tracks == calm[0]
    assert events == calm[1]


def test_sigterm_leaves_nothing_behind(clip: Path) -> None:
    with EmbeddedBroker() as url:
        deployment = settings(clip, 1, 1).model_copy(update={"redis": url})
        broker = open_broker(url)
        with Fleet(deployment, broker) as fleet:
            fleet.start_trackers()
            fleet.start_workers()
            fleet.wait_until_ready()
            processes = [child.process for child in fleet.family.children.values()]
        assert [process.returncode for process in processes] == [0, 0]
        assert Registry(broker).processes() == {}
