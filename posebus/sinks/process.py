"""One process that runs a sink: `posebus deliver NAME`, and a child of `posebus up`."""

from __future__ import annotations

import logging
import socket
from typing import cast

from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import Settings
from posebus.errors import BrokerRefused, ConfigError
from posebus.runtime.outage import Outage
from posebus.runtime.stage import Heartbeat, StopFlag, run_stage, stop_limit_s
from posebus.sinks.base import Sender, Sink, SinkContext
from posebus.sinks.delivering.inbox import Inbox
from posebus.sinks.delivering.records import Records
from posebus.sinks.delivering.stage import DeliveryStage
from posebus.sinks.lag import GROUP_PREFIX, Lag
from posebus.sinks.registry import kinds_of, open_sink, sink_settings
from posebus.sinks.stage import SinkStage, retry_pauses
from posebus.subscribing.filters import MessageFilter
from posebus.subscribing.subscriber import Subscription
from posebus.subscribing.subscription import StreamSelection
from posebus.telemetry.process_report import ProcessReport
from posebus.topology import Topology

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

    `consumer`: name of this process in the group of the sink; a second process of it on this host needs another one. A
    sink that sends to a receiver has one process at a time, and needs none.
    Raises FatalError for a sink that does not exist or cannot be opened.
    """
    stop = StopFlag(stop_limit_s(settings.fleet.stop_timeout_s))
    stop.install()
    with stop.starting():
        broker = open_broker(settings.redis, settings.shards)
        stage = stage_of(settings, name, broker, consumer)
    log.info("ready: the sink %s gets the messages of group %s", name, f"{GROUP_PREFIX}{name}")
    run_stage(stage, OptionalHeartbeat(Registry(broker), stage.role), stop, Outage(retry_pauses()))
    log.info("stopped")


def stage_of(settings: Settings, name: str, broker: Broker, consumer: str | None = None) -> SinkStage | DeliveryStage:
    """The stage of the sink `name`, for `run_stage`. Raises FatalError if it does not exist or cannot be opened."""
    chosen = sink_settings(settings, name)
    kinds = kinds_of(name, chosen)
    sink = open_sink(name, chosen, SinkContext(name, settings, broker))
    group = f"{GROUP_PREFIX}{name}"
    records = Records(broker, name, group)
    sends = isinstance(getattr(sink, "lanes", None), int)
    if sends:
        records.check()
    else:
        records.check_optional()
    # All processes of a sink that sends are one consumer: one at a time delivers, and goes on where the last one was.
    own = "deliver" if sends else consumer or socket.gethostname()

    def subscribe() -> Subscription:
        # Its own connection, which waits for messages; outages are waited for in the loop of the stage.
        reader = open_broker(settings.redis, settings.shards)
        streams = StreamSelection(chosen.cameras, kinds, chosen.after, Topology(settings.shards), group)
        return Subscription(reader, streams, own, outage_limit_s=0.0, resume_own=True)

    try:
        inbox = Inbox(subscribe, records, MessageFilter.of_events(chosen.types, chosen.rules))
    except ValueError as error:
        raise ConfigError(f"sinks.{name}: {error}") from None
    if sends:
        return DeliveryStage(name, cast(Sender, sink), inbox, records, broker)
    return SinkStage(name, cast(Sink, sink), inbox, Lag(broker, name))
