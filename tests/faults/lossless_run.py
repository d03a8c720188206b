"""A lossless run of real processes with optional faults, and its public results."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import posebus
from posebus.bus.redis.connection import open_broker
from posebus.config.settings import CameraSettings, FleetSettings, Settings, TrackerSettings, WorkerSettings
from posebus.contract.public_json import track_frame_to_json
from posebus.runtime.embedded import EmbeddedBroker
from posebus.runtime.fleet import Fleet
from recordings.stages import STAGES
from tests.samples import timeless

RULES: dict[str, Any] = {
    "middle": {"kind": "line", "points": [[0.5, 0], [0.5, 1]]},
    "left": {"kind": "zone", "points": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]], "dwell_s": 1.0, "max_people": 1},
    "two": {"kind": "crowd", "people": 2, "for_s": 0.5},
    "pair": {"kind": "proximity", "body_heights": 1.0, "for_s": 0.4},
    "nobody": {"kind": "absence", "for_s": 0.5},
}
"""Rules of each camera: something happens by them in every clip, across many frames and kills."""
GROUND = {"points": [[0.2, 0.5], [0.8, 0.5], [1, 1], [0, 1]], "metres": [[0, 10], [6, 10], [6, 0], [0, 0]]}
SILENCE_LIMIT_S = 90.0
"""A run without new results for that long hangs."""

Disturb = Callable[[Fleet, int], None]
"""It is called with the fleet and the number of frames so far, again and again."""


@dataclass
class Public:
    """The results of each camera for subscribers, in order, without the times of publishing and of the epochs."""

    tracks: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    events: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, message: posebus.Message) -> bool:
        """Store a message; return whether it was a result."""
        if isinstance(message.body, posebus.TrackFrame):
            assert message.provenance is not None
            data = track_frame_to_json(message.body, message.provenance, 0)
            plain = {**data, "epoch": 0, "frame_published_at_ns": 0, "inference_ns": 0}
            self.tracks[message.camera].append(plain)
        elif isinstance(message.body, posebus.Event):
            event = json.dumps(timeless(message.body)).replace(str(message.body.epoch), "0")
            self.events[message.camera].append(json.loads(event))
        return True

    def frames(self) -> int:
        return sum(map(len, self.tracks.values()))

    def ended(self, cameras: Mapping[str, Path]) -> bool:
        return all(
            self.events[camera] and self.events[camera][-1]["type"] == posebus.EventType.CAMERA_ENDED
            for camera in cameras
        )


def lossless_settings(clips: Mapping[str, Path], workers: int, trackers: int, **changes: Any) -> Settings:
    return Settings(
        # Otherwise the size depends on which workers live when a camera begins; without any it is the full one.
        cameras={
            name: CameraSettings(source=str(path), lease_s=1.0, max_size_px=320, rules=RULES, ground=GROUND)
            for name, path in clips.items()
        },
        worker=WorkerSettings(imgsz=320, threads=1),
        tracker=TrackerSettings(lease_s=1.0),
        fleet=FleetSettings(workers=workers, trackers=trackers, restart_min_s=0.05, restart_max_s=0.2),
        log_level="error",
        **changes,
    )


def run(
    clips: Mapping[str, Path],
    workers: int,
    trackers: int,
    disturb: Disturb = lambda fleet, seen: None,
    policies: Mapping[str, Any] | None = None,
) -> Public:
    """Play `clips`, one camera each, on a separate broker until all have ended; `policies` are worker settings."""
    with EmbeddedBroker() as url:
        settings = lossless_settings(clips, workers, trackers, redis=url)
        worker = WorkerSettings.model_validate({**settings.worker.model_dump(), **(policies or {})})
        return run_on(url, settings.model_copy(update={"worker": worker}), clips, disturb)


def run_on(url: str, settings: Settings, clips: Mapping[str, Path], disturb: Disturb) -> Public:
    """The same on the broker at `url`."""
    public = Public()
    with (
        Fleet(settings, open_broker(url, settings.shards), STAGES) as fleet,
        posebus.subscribe(url, after="start", shards=settings.shards) as subscription,
    ):
        fleet.start_trackers()
        fleet.start_workers()
        fleet.wait_until_ready()
        for camera in clips:
            fleet.start_camera(camera)
        moved_at_s = time.monotonic()
        while not public.ended(clips):
            assert time.monotonic() - moved_at_s < SILENCE_LIMIT_S, f"it hangs after {public.frames()} frames"
            fleet.check()
            for message in subscription.poll(0.05):
                public.add(message)
                moved_at_s = time.monotonic()
            disturb(fleet, public.frames())
        # Time for messages that would come twice or too late.
        end_s = time.monotonic() + 1.0
        while time.monotonic() < end_s:
            for message in subscription.poll(0.1):
                public.add(message)
    return public


class Killer:
    """Kills processes of all kinds at random instants, until the number of kills is reached."""

    def __init__(self, rng: random.Random, wanted: int, mean_gap_s: float, roles: tuple[str, ...]) -> None:
        self._rng = rng
        self._wanted = wanted
        self._mean_gap_s = mean_gap_s
        self._roles = roles
        self._next_at_s = 0.0
        self.kills: Counter[str] = Counter()

    def __call__(self, fleet: Fleet, seen: int) -> None:
        now_s = time.monotonic()
        if self.kills.total() >= self._wanted or now_s < self._next_at_s:
            return
        self._next_at_s = now_s + self._rng.expovariate(1 / self._mean_gap_s)
        role = self._rng.choice(self._roles)
        victims = [c for name, c in fleet.processes.children.items() if name.startswith(role) and c.exit_code is None]
        if victims:
            self._rng.choice(victims).process.send_signal(signal.SIGKILL)
            self.kills[role] += 1
