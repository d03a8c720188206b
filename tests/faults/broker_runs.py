"""Whole deployments on a broker that misbehaves: what came out of each camera, and how soon after an outage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import posebus
from posebus.bus.connection import open_broker
from posebus.fleet import Fleet
from posebus.public_json import event_to_json, track_frame_to_json
from posebus.settings import CameraSettings, FleetSettings, Settings, TrackerSettings, WorkerSettings

FRAMES = 179
TIMEOUT_S = 200.0


@dataclass
class Public:
    """Tracks and events of one camera, in order, without its name and what may differ from run to run."""

    tracks: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    ended: bool = False

    @property
    def complete(self) -> bool:
        return self.ended and len(self.tracks) >= FRAMES


def deployment(clip: Path, url: str, cameras: Sequence[str], shards: int = 1) -> Settings:
    """`clip` under each name of `cameras`, lossless."""
    return Settings(
        redis=url,
        shards=shards,
        cameras={name: CameraSettings(source=str(clip)) for name in cameras},
        worker=WorkerSettings(reclaim_after_s=1.0, warm_up_px=((640, 480),), imgsz=320),
        tracker=TrackerSettings(lease_s=2.0),
        fleet=FleetSettings(workers=1, trackers=1, restart_min_s=0.05),
    )


def run(
    settings: Settings, disturb: Callable[[Fleet, int], None] = lambda fleet, seen: None, listen_at: str | None = None
) -> dict[str, Public]:
    """Run all cameras to their ends; `disturb(fleet, frames seen so far)` is called after each frame."""
    public = {name: Public() for name in settings.cameras}
    listen_at = listen_at or settings.redis
    broker = open_broker(settings.redis, settings.shards)
    with (
        Fleet(settings, broker) as fleet,
        posebus.subscribe(listen_at, after="start", shards=settings.shards) as subscription,
    ):
        fleet.start_trackers()
        fleet.start_workers()
        fleet.wait_until_ready()
        for camera in settings.cameras:
            fleet.start_camera(camera)
        end_s = time.monotonic() + TIMEOUT_S
        seen = 0
        while not all(one.complete for one in public.values()):
            assert time.monotonic() < end_s, {name: len(one.tracks) for name, one in public.items()}
            fleet.check()
            for message in subscription.poll(0.1):
                if take(public[message.camera], message):
                    seen += 1
                    disturb(fleet, seen)
    broker.client.close()
    return public


def take(public: Public, message: posebus.Message) -> bool:
    """Note `message`; True if it was a frame."""
    if isinstance(message.body, posebus.TrackFrame):
        assert message.provenance is not None
        data = track_frame_to_json(message.body, message.provenance, 0)
        public.tracks.append(_plain({**data, "frame_published_at_ns": 0, "inference_ns": 0}, message.camera))
        return True
    assert isinstance(message.body, posebus.Event)
    # Of a camera's coming and going an event may be told twice where nobody knows whether the broker heard it.
    if not message.body.type.startswith("posebus.camera.o"):
        public.events.append(_plain(event_to_json(message.body), message.camera))
        public.ended |= message.body.type == posebus.EventType.CAMERA_ENDED
    return False


def _plain(data: dict[str, Any], camera: str) -> str:
    return json.dumps(data, sort_keys=True).replace(camera, "CAMERA")
