"""How many messages a sink has not read yet."""

from __future__ import annotations

from typing import Any, cast

from posebus.bus.redis.connection import Broker
from posebus.errors import PoseBusError

GROUP_PREFIX = "sink-"
ASK_EVERY_S = 2.0


class Lag:
    """Asks the broker for the lag of the sink's group in the streams of events; remembers the answer for a while."""

    def __init__(self, broker: Broker, sink: str) -> None:
        self._broker = broker
        self._group = f"{GROUP_PREFIX}{sink}"
        self._unread = 0
        self._asked_at_s = float("-inf")
        self._allowed = True

    def unread(self, now_s: float) -> int:
        """Events that wait in the broker and were not given to the sink; 0 where that is unknown."""
        if self._allowed and now_s - self._asked_at_s >= ASK_EVERY_S:
            self._asked_at_s = now_s
            try:
                self._unread = sum(self._of(shard) for shard in range(self._broker.topology.shards))
            except PoseBusError:
                # The broker is away, there is no such stream yet, or this user may not ask.
                self._unread = 0
        return self._unread

    def _of(self, shard: int) -> int:
        with self._broker.errors():
            groups = cast(Any, self._broker.client.xinfo_groups(self._broker.topology.events(shard)))
        lags = [group.get("lag") or 0 for group in groups if group["name"] == self._group.encode()]
        return int(sum(lags))
