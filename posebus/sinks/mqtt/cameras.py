"""The state of the cameras for the sink `mqtt`: whether each is online, and how many people it sees."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry
from posebus.messages import Event, EventType, TrackState
from posebus.subscribing.lookup import newest_tracks
from posebus.telemetry.camera_state import NO_INGEST, CameraState
from posebus.telemetry.reports import capture_of, process_reports

ONLINE, OFFLINE = "online", "offline"
_MEANS: Mapping[str, str] = {
    EventType.CAMERA_ONLINE: ONLINE,
    EventType.CAMERA_OFFLINE: OFFLINE,
    EventType.CAMERA_ENDED: OFFLINE,
}


class CameraPresence:
    """What is known about each camera; the numbers are from the newest entry of its tracks, read once in a while."""

    def __init__(self, broker: Broker, chosen: Collection[str] | None) -> None:
        """`chosen`: the cameras of the sink; None means all."""
        self._broker = broker
        self._chosen = chosen
        self._registry = Registry(broker)
        self.rules: dict[str, frozenset[str]] = {}
        """The names of the rules of each camera, as of the last `read`."""
        self._said: dict[str, str] = {}
        """The last event about the camera."""

    def heard(self, event: Event) -> None:
        """An event came, which may say that the camera is online or offline."""
        means = _MEANS.get(event.type)
        if means is not None:
            self._said[event.camera] = means

    def read(self) -> dict[str, dict[str, Any]]:
        """The state of each camera. Raises BrokerUnavailable and BrokerRefused."""
        return dict(self._read())

    def _read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        reports = process_reports(self._registry)
        for record in self._registry.cameras():
            camera = record.camera
            if self._chosen is not None and camera not in self._chosen:
                continue
            self.rules[camera] = frozenset(record.rules)
            reported = capture_of(reports, camera).state
            known = ONLINE if reported == CameraState.ONLINE else OFFLINE
            # Without a report, as after a recording, the last event counts.
            state = self._said.get(camera, OFFLINE) if reported == NO_INGEST else known
            yield camera, {"state": state, "people": self._people(camera) if state == ONLINE else 0}

    def _people(self, camera: str) -> int:
        newest = newest_tracks(self._broker, camera)
        tracks = () if newest is None else newest[0].tracks
        return sum(track.state == TrackState.CONFIRMED for track in tracks)
