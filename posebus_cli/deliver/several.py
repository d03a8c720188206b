"""Several sinks at once: each in a process of its own, so that one that fails or is slow touches no other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from posebus.errors import FatalError
from posebus.runtime.stage import StopFlag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from posebus.config.settings import Settings

TEND_S = 0.1


def run_several(settings: Settings, names: Sequence[str]) -> None:
    """Run these sinks until SIGTERM or SIGINT. Raises FatalError once none of them runs any more, and ConfigError."""
    from posebus.bus.redis.connection import open_broker
    from posebus.runtime.fleet import Fleet
    from posebus.sinks.registry import sink_settings
    from recordings.stages import STAGES

    stop = StopFlag()
    stop.install()
    chosen = settings.model_copy(update={"sinks": {name: sink_settings(settings, name) for name in names}})
    with stop.starting():
        broker = open_broker(chosen.redis, chosen.shards)
    with Fleet(chosen, broker, STAGES) as fleet:
        fleet.start_sinks()
        while not stop.check():
            fleet.check()
            if all(child.has_finished for child in fleet.processes.children.values()):
                raise FatalError("no sink runs any more; see above why")
            time.sleep(TEND_S)
