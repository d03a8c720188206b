"""Sinks that follow their file, each in a process of its own, so that one that fails or is slow touches no other."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from posebus.errors import FatalError, OutputError
from posebus.runtime.stage import StopFlag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from posebus.config.settings import Settings
    from posebus.config.sinks import SinkSettings
    from posebus.reloading.followed import FollowedSettings
    from posebus.runtime.fleet import Fleet
    from posebus.runtime.following import Follower

TEND_S = 0.1

log = logging.getLogger("posebus.sink")


def run_several(settings: Settings, names: Sequence[str], followed: FollowedSettings | None) -> None:
    """Run these sinks, without names all of the settings, until SIGTERM or SIGINT.

    followed: changes of the settings are applied; without names, sinks come and go as well. Raises FatalError once none
    of them runs any more, and ConfigError.
    """
    from posebus.bus.redis.connection import open_broker
    from posebus.runtime.fleet import Fleet
    from posebus.runtime.following import Follower
    from recordings.stages import STAGES

    stop = StopFlag()
    stop.install()
    # Before anything starts: SIGHUP would end this process.
    follower = None if followed is None else Follower(followed, stop)
    chosen = _Chosen(settings, names)
    running = chosen.of(settings)
    with stop.starting():
        broker = open_broker(running.redis, running.shards)
    with Fleet(running, broker, STAGES) as fleet:
        fleet.keep_sinks()
        while not stop.check():
            if follower is not None:
                running = _follow(fleet, follower, chosen, running)
            fleet.check()
            children = fleet.processes.children.values()
            if children and all(child.has_finished for child in children) and not fleet.processes.leaving:
                raise FatalError("no sink runs any more; see above why")
            time.sleep(TEND_S)


class _Chosen:
    """Which sinks run here: those with these names, or all of the settings."""

    def __init__(self, settings: Settings, names: Sequence[str]) -> None:
        """Raises ConfigError for a name that is neither in the settings nor a kind of sink."""
        from posebus.sinks.registry import sink_settings

        self._names = names
        self._without_entry: dict[str, SinkSettings] = {
            name: sink_settings(settings, name) for name in names if name not in settings.sinks
        }

    def of(self, settings: Settings) -> Settings:
        """Return the settings with these sinks alone."""
        named = {name: sink for name, sink in settings.sinks.items() if not self._names or name in self._names}
        return settings.model_copy(update={"sinks": {**self._without_entry, **named}})


def _follow(fleet: Fleet, follower: Follower, chosen: _Chosen, running: Settings) -> Settings:
    """Apply what has changed of the chosen sinks, and return the settings by which they run now."""
    from posebus.reloading.difference import difference
    from posebus.reloading.sentences import sink_lines
    from posebus.sinks.checking import usable_sinks

    update = follower.poll(time.monotonic())
    if update is None:
        return running
    sinks, complaints = usable_sinks(running.sinks, chosen.of(update.settings).sinks)
    for complaint in complaints:
        log.error("%s", complaint)
    wanted = running.model_copy(update={"sinks": sinks})
    found = difference(running, wanted)
    if not found:
        return running
    try:
        fleet.update(wanted)
    except OutputError as error:
        log.error("%s; nothing changes", error)
        return running
    follower.announce(log, sink_lines(found))
    return wanted
