"""One process that runs a sink: `posebus sink`, and a child of `posebus up`."""

from __future__ import annotations

import logging
import socket

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import Settings
from posebus.errors import BrokerRefused, ConfigError
from posebus.runtime.outage import Outage
from posebus.runtime.stage import Heartbeat, StopFlag, run_stage, stop_limit_s
from posebus.sinks.registry import open_sink, sink_settings
from posebus.sinks.stage import SinkStage, retry_pauses
from posebus.subscribing.subscriber import Subscription
from posebus.subscribing.subscription import StreamSelection
from posebus.telemetry.process_report import ProcessReport
from posebus.topology import Topology

GROUP_PREFIX = "sink-"

log = logging.getLogger("posebus.sink")


class OptionalHeartbeat(Heartbeat):
    """A heartbeat for a user of the broker who may only read, and so may not report: the sink works all the same."""

    def __init__(self, registry: Registry, role: str) -> None:
        super().__init__(registry, role)
        self._allowed = True

    def beat(self, now_s: float, report: ProcessReport) -> None:
        """Report, until that is refused."""
        if not self._allowed:
            return
        try:
            super().beat(now_s, report)
        except BrokerRefused as error:
            self._allowed = False
            log.info("posebus top does not show this sink: %s", error)

    def leave(self) -> None:
        """Delete the report, if there is one."""
        if self._allowed:
            super().leave()


def run_sink(settings: Settings, name: str, consumer: str | None = None) -> None:
    """Run the sink `name` until SIGTERM or SIGINT.

    `consumer`: name of this process in the group of the sink; a second process of it on this host needs another one.
    Raises FatalError for a sink that does not exist or cannot be opened.
    """
    stop = StopFlag(stop_limit_s(settings.fleet.stop_timeout_s))
    stop.install()
    with stop.starting():
        broker = open_broker(settings.redis, settings.shards)
        chosen = sink_settings(settings, name)
        sink = open_sink(name, chosen)
        group = f"{GROUP_PREFIX}{name}"
        try:
            streams = StreamSelection(chosen.cameras, chosen.kinds, chosen.after, Topology(settings.shards), group)
        except ValueError as error:
            raise ConfigError(f"sinks.{name}: {error}") from None
        # Its own connection, which waits for messages; outages are waited for in the loop of the stage.
        reader = open_broker(settings.redis, settings.shards)
        own = consumer or socket.gethostname()
        subscription = Subscription(reader, streams, own, outage_limit_s=0.0, resume_own=True)
    stage = SinkStage(name, sink, subscription)
    log.info("ready: the sink %s gets the messages of group %s", name, group)
    run_stage(stage, OptionalHeartbeat(Registry(broker), stage.role), stop, Outage(retry_pauses()))
    log.info("stopped")
