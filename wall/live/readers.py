"""What the wall reads of the broker while a page is open: frames of watched cameras, events, and the state of all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import posebus
from posebus.bus.redis.connection import Broker
from posebus.bus.registry import CameraRecord
from posebus.contract.public_json import event_to_json
from posebus.errors import BrokerRefused
from posebus.messages import Event
from posebus.runtime.shared_frames import SharedFrames
from posebus.subscribing.live_frames import LiveFrame, LiveFrames
from posebus.subscribing.subscriber import Subscription
from posebus.telemetry.broker_memory import MemorySampler
from posebus.telemetry.overview import DeploymentState, overview, read_deployment
from wall.context import WallContext
from wall.live.camera_info import camera_infos, deployment_info
from wall.live.reader import BrokerReader, Trouble

BLOCK_S = 0.1
"""A camera that a page begins to show is read after this time at the latest."""
EVENTS_BLOCK_S = 0.5
STATE_EVERY_S = 1.5
"""Longer than the heartbeat of the processes, so that rates can be computed."""
OUTAGE_S = 0.5
MOST_WAITING = 4
"""Replies with frames that wait for the event loop. While it is busy, nothing more is read, so that no memory fills."""


class FrameReader(BrokerReader):
    """Reads the cameras that pages show, and their pictures where a page shows them."""

    def __init__(self, context: WallContext, trouble: Trouble, deliver: Callable[[list[LiveFrame]], None]) -> None:
        super().__init__("frames", trouble)
        self._context = context
        self._deliver = deliver
        self._wanted: Mapping[str, bool] = {}
        self._changed = threading.Event()
        self._room = threading.Semaphore(MOST_WAITING)
        self.refused: str | None = None
        """Why the broker does not let the wall read pictures."""
        self._broker: Broker | None = None
        self._frames: LiveFrames | None = None

    def follow(self, cameras: Mapping[str, bool]) -> None:
        """Read these cameras from now on, with their pictures where the value is true."""
        if cameras != self._wanted:
            self._wanted = dict(cameras)
            self._changed.set()

    def taken(self) -> None:
        """The frames of one delivery were taken."""
        self._room.release()

    @property
    def unreadable(self) -> frozenset[str]:
        """Cameras whose pictures this machine does not have."""
        return frozenset(() if self._frames is None else self._frames.unreadable)

    def step(self) -> None:
        if not self._wanted and not self._changed.wait(EVENTS_BLOCK_S):
            return
        if self._frames is None:
            self._broker = self._context.open_broker()
            self._frames = LiveFrames(self._broker, _read_shared(self._context))
            self._changed.set()
        if self._changed.is_set():
            self._changed.clear()
            self._frames.follow({name: pictures and not self.refused for name, pictures in self._wanted.items()})
        if not self._room.acquire(timeout=EVENTS_BLOCK_S):
            return
        found: list[LiveFrame] = []
        try:
            found = self._frames.read(BLOCK_S)
        except BrokerRefused as error:
            if self.refused is not None or not any(self._wanted.values()):
                raise
            # With a subscriber's rights alone, skeletons are shown.
            self.refused = str(error)
            self._changed.set()
        finally:
            if not found:
                self._room.release()
        if found:
            self._deliver(found)

    def rest(self) -> None:
        if self._broker is not None:
            self._broker.client.close()
        self._broker = self._frames = None
        self.refused = None


class EventReader(BrokerReader):
    """Reads the events of all cameras."""

    def __init__(self, context: WallContext, trouble: Trouble, deliver: Callable[[dict[str, Any]], None]) -> None:
        super().__init__("events", trouble)
        self._context = context
        self._deliver = deliver
        self._subscription: Subscription | None = None
        self._after = "now"

    def step(self) -> None:
        if self._subscription is None:
            settings = self._context.settings
            self._subscription = posebus.subscribe(
                settings.redis, kinds=("events",), after=self._after, shards=settings.shards, outage_limit_s=OUTAGE_S
            )
        for message in self._subscription.poll(EVENTS_BLOCK_S):
            if isinstance(message.body, Event):
                self._deliver(event_to_json(message.body))

    def rest(self) -> None:
        if self._subscription is not None:
            self._after = self._subscription.cursor
            self._subscription.close()
        if not self._awake.is_set():
            # Only a page that is open waits for events. Those of an outage are not lost.
            self._after = "now"
        self._subscription = None


@dataclass(frozen=True, slots=True)
class StateShown:
    """What pages show of the deployment, and the records of its cameras."""

    cameras: list[dict[str, Any]]
    deployment: dict[str, Any]
    records: Mapping[str, CameraRecord]


class StateReader(BrokerReader):
    """Reads the state of cameras and processes, and computes their rates."""

    def __init__(self, context: WallContext, trouble: Trouble, deliver: Callable[[StateShown], None]) -> None:
        super().__init__("state", trouble)
        self._context = context
        self._deliver = deliver
        self._broker: Broker | None = None
        self._memory: MemorySampler | None = None
        self._before: DeploymentState | None = None
        self._due_at_s = 0.0

    def step(self) -> None:
        wait_s = self._due_at_s - time.monotonic()
        if wait_s > 0:
            self._stopping.wait(min(wait_s, EVENTS_BLOCK_S))
            return
        if self._broker is None:
            self._broker = self._context.open_broker()
            self._memory = MemorySampler(self._broker)
        now = self._read(self._broker)
        shown = overview(self._before or now, now, self._context.settings.retention)
        self._before = now
        self._due_at_s = time.monotonic() + STATE_EVERY_S
        records = {record.camera: record for record in now.cameras}
        self._deliver(StateShown(camera_infos(shown, now.cameras), deployment_info(shown), records))

    def _read(self, broker: Broker) -> DeploymentState:
        try:
            return read_deployment(broker, self._memory)
        except BrokerRefused:
            if self._memory is None:
                raise
        # Without the right to the sizes of streams, all else is shown.
        self._memory = None
        return read_deployment(broker)

    def rest(self) -> None:
        if self._broker is not None:
            self._broker.client.close()
        self._broker = self._memory = self._before = None
        self._due_at_s = 0.0


def _read_shared(context: WallContext) -> Callable[[str], bytes] | None:
    folder = context.settings.shared_frames
    return None if folder is None or not folder.is_dir() else SharedFrames(folder).copy
