"""One process that runs a sink: `posebus sink`, and a child of `posebus up`."""

from __future__ import annotations

import logging
import socket

from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import Settings
from posebus.errors import ConfigError
from posebus.runtime.outage import Outage
from posebus.runtime.stage import Heartbeat, StopFlag, run_stage, stop_limit_s
from posebus.sinks.registry import open_sink, sink_settings
from posebus.sinks.stage import SinkStage, retry_pauses
from posebus.subscribing.subscriber import Subscription
from posebus.subscribing.subscription import StreamSelection
from posebus.topology import Topology

GROUP_PREFIX = "sink-"

log = logging.getLogger("posebus.sink")


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
        sink = open_sink(name, chosen, broker, settings)
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
    run_stage(stage, Heartbeat(Registry(broker), stage.role), stop, Outage(retry_pauses()))
    log.info("stopped")
