"""Whole deployments on a broker that fails: the results of each camera, and the time to recover from an outage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import posebus
from posebus.bus.redis.connection import open_broker
from posebus.config.settings import CameraSettings, FleetSettings, Settings, TrackerSettings, WorkerSettings
from posebus.contract.public_json import track_frame_to_json
from posebus.runtime.fleet import Fleet
from recordings.stages import STAGES
from tests.polling import wait_until
from tests.samples import timeless

TIMEOUT_S = 240.0
MAX_FPS = 10.0
"""Of the 25 that the clip has: enough for many faults, and a third of the work."""

Disturb = Callable[[posebus.Message], None]


@dataclass
class Public:
    """Tracks and events of one camera, in order, without its name and the fields that may differ from run to run."""

    tracks: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    frames: int | None = None
    """The number of frames, known at the end."""

    @property
    def complete(self) -> bool:
        return self.frames is not None and len(self.tracks) >= self.frames


def deployment(clip: Path, url: str, cameras: Sequence[str], shards: int = 1) -> Settings:
    """`clip` under each name of `cameras`, lossless."""
    return Settings(
        redis=url,
        shards=shards,
        cameras={name: CameraSettings(source=str(clip), max_fps=MAX_FPS) for name in cameras},
        worker=WorkerSettings(reclaim_after_s=1.0, warm_up_px=((640, 480),), imgsz=320),
        tracker=TrackerSettings(lease_s=2.0),
        fleet=FleetSettings(workers=1, trackers=1, restart_min_s=0.05),
    )


def run(settings: Settings, *waves: tuple[Sequence[str], Disturb]) -> dict[str, Public]:
    """Run cameras to their ends, wave after wave on one fleet; each message that is a frame goes to the wave's Disturb.

    All waves must have the results of a wave without disturbance.
    """
    public = {name: Public() for name in settings.cameras}
    broker = open_broker(settings.redis, settings.shards)
    with (
        Fleet(settings, broker, STAGES) as fleet,
        posebus.subscribe(settings.redis, after="start", shards=settings.shards) as subscription,
    ):
        fleet.start_trackers()
        fleet.start_workers()
        fleet.wait_until_ready()
        for cameras, disturb in waves:
            for camera in cameras:
                fleet.start_camera(camera)

            def read(disturb: Disturb = disturb) -> None:
                fleet.check()
                for message in subscription.poll(0.1):
                    if take(public[message.camera], message):
                        disturb(message)

            wait_until(
                lambda cameras=cameras: all(public[camera].complete for camera in cameras),
                lambda: f"the ends of all cameras; { ({name: len(one.tracks) for name, one in public.items()}) }",
                TIMEOUT_S,
                meanwhile=read,
                poll_s=0.0,
            )
    broker.client.close()
    return public


def leave_alone(message: posebus.Message) -> None:
    """No disturbance."""


class Recovery:
    """Seconds from the end of each outage until the next frame was published, by the name of the outage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._waiting: tuple[str, int] | None = None

    def begin(self, name: str) -> None:
        """Note that an outage is over now."""
        self._waiting = (name, time.time_ns())

    def see(self, message: posebus.Message) -> None:
        """Note a frame; it may be one that was published before the outage."""
        if self._waiting is not None and message.provenance is not None:
            name, back_at_ns = self._waiting
            if message.provenance.published_at_ns > back_at_ns:
                self.seconds[name] = (message.provenance.published_at_ns - back_at_ns) / 1e9
                self._waiting = None

    def __str__(self) -> str:
        return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in self.seconds.items())


def take(public: Public, message: posebus.Message) -> bool:
    """Store `message`; return whether it was a frame."""
    if isinstance(message.body, posebus.TrackFrame):
        assert message.provenance is not None
        data = track_frame_to_json(message.body, message.provenance, 0)
        public.tracks.append(_plain({**data, "frame_published_at_ns": 0, "inference_ns": 0}, message))
        return True
    assert isinstance(message.body, posebus.Event)
    # Events of online and offline may be repeated where it is unknown whether the broker received them.
    if not message.body.type.startswith("posebus.camera.o"):
        public.events.append(_plain(timeless(message.body), message))
        if message.body.type == posebus.EventType.CAMERA_ENDED:
            frames = message.body.data["frames"]
            assert isinstance(frames, int)
            public.frames = frames
    return False


def _plain(data: dict[str, Any], message: posebus.Message) -> str:
    text = json.dumps(data, sort_keys=True).replace(message.camera, "CAMERA")
    return text.replace(str(message.body.epoch), "EPOCH")
