"""The evidence process: `python -m evidence`, and a child of `posebus up` where a camera keeps evidence."""

from __future__ import annotations

import logging
import socket

from evidence.stage import EvidenceStage
from evidence.stores import open_store
from posebus.bus.redis.connection import open_broker
from posebus.bus.registry import Registry
from posebus.config.settings import Settings
from posebus.runtime.stage import Heartbeat, StopFlag, run_stage, stop_limit_s
from posebus.subscribing.subscriber import Subscription
from posebus.subscribing.subscription import StreamSelection
from posebus.topology import Topology

GROUP = "evidence"

log = logging.getLogger("posebus.evidence")


def run_evidence(settings: Settings) -> None:
    """Make snapshots of events until SIGTERM or SIGINT.

    Raises OutputError for a folder of snapshots into which no file can be written.
    """
    stop = StopFlag(stop_limit_s(settings.fleet.stop_timeout_s))
    stop.install()
    with stop.starting():
        broker = open_broker(settings.redis, settings.shards)
        store = open_store(broker, settings.evidence)
        # Its own connection, which waits for events; outages are waited for in the loop of the stage.
        reader = open_broker(settings.redis, settings.shards)
        streams = StreamSelection(None, ("events",), "now", Topology(settings.shards), GROUP)
        events = Subscription(reader, streams, socket.gethostname(), outage_limit_s=0.0, resume_own=True)
    stage = EvidenceStage(broker, events, store)
    where = settings.evidence.folder or "the broker"
    log.info("ready: snapshots of events are kept in %s", where)
    run_stage(stage, Heartbeat(Registry(broker), stage.role), stop)
    log.info("stopped")
