"""The cameras that a worker serves, as the registry lists them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from posebus.bus.frame_consumer import FrameConsumer
from posebus.bus.registry import Registry
from posebus.messages import Delivery

REFRESH_S = 0.5
FIRST_REFRESH_S = 0.05
"""While there is no camera, nothing else loads the broker, and the first camera should not wait."""
CLOCK_REFRESH_S = 1.0
"""Clocks drift by less than a microsecond in this time. The broker's may jump; frame ages are wrong for this long."""


class CameraList:
    """The delivery of each camera. The main thread refreshes it, and any thread may read it."""

    def __init__(self, registry: Registry, consumer: FrameConsumer) -> None:
        self._registry = registry
        self._consumer = consumer
        self._deliveries: Mapping[str, Delivery] = {}
        self._refreshed_at_s = -math.inf
        self._synchronised_at_s = -math.inf

    @property
    def deliveries(self) -> Mapping[str, Delivery]:
        """Camera name to delivery; a new mapping after each refresh."""
        return self._deliveries

    def refresh(self, now_s: float) -> None:
        """Ask for the cameras and for the broker's time where that is due. `now_s` is monotonic.

        Raises RetryableError.
        """
        every_s = REFRESH_S if self._deliveries else FIRST_REFRESH_S
        if now_s - self._refreshed_at_s < every_s:
            return
        self._deliveries = {record.camera: record.delivery for record in self._registry.cameras()}
        self._refreshed_at_s = now_s
        if now_s - self._synchronised_at_s >= CLOCK_REFRESH_S:
            self._consumer.synchronise(self._deliveries)
            self._synchronised_at_s = now_s

    def leave(self) -> None:
        """Remove this worker from the consumer group of each camera; see `FrameConsumer.leave`."""
        self._consumer.leave(self._deliveries)
