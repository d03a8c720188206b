"""Changes of a deployment that `posebus up` runs: what of an update can work here is passed on to its processes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from posebus.errors import OutputError
from posebus.reloading.sentences import update_lines
from posebus_cli.operate.evidence import any_evidence

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus.reloading.followed import Update
    from posebus.runtime.fleet import Fleet
    from posebus.runtime.following import Follower

log = logging.getLogger("posebus")


class FleetChanges:
    """Passes updates of the settings on to a fleet; call `step` several times a second."""

    def __init__(self, fleet: Fleet, follower: Follower) -> None:
        self._fleet = fleet
        self._follower = follower

    def step(self, now_s: float) -> Settings | None:
        """Apply what has changed, and return the settings then; None if nothing has. `now_s` is monotonic."""
        update = self._follower.poll(now_s)
        if update is None:
            return None
        update = self._possible(update)
        if not update.difference:
            return None
        try:
            self._fleet.update(update.settings)
            self._fleet.keep_evidence(any_evidence(update.settings))
        except OutputError as error:
            log.error("%s; nothing changes", error)
            self._follower.followed.settings = update.before
            return None
        self._follower.announce(log, update_lines(update))
        return update.settings

    def _possible(self, update: Update) -> Update:
        """Return the update without settings of workers and sinks that cannot work here, which stay as they are."""
        from posebus.reloading.difference import difference
        from posebus.reloading.followed import Update
        from posebus.sinks.checking import usable_sinks

        problems = dict(_obstacles(update))
        for path, problem in problems.items():
            stays = "; the settings of workers stay as they are" if path[0] == "worker" else ""
            log.error("%s: %s%s", ".".join(path), problem, stays)
        sinks, complaints = usable_sinks(update.before.sinks, update.settings.sinks)
        for complaint in complaints:
            log.error("%s", complaint)
        stays_so = any(path[0] == "worker" for path in problems)
        if not (stays_so or complaints):
            return update
        worker = update.before.worker if stays_so else update.settings.worker
        settings = update.settings.model_copy(update={"worker": worker, "sinks": sinks})
        self._follower.followed.settings = settings
        return Update(settings, update.before, difference(update.before, settings), update.fixed)


def _obstacles(update: Update) -> list[tuple[tuple[str, ...], str]]:
    """Return what of the changed settings cannot work on this machine: field and reason."""
    from posebus_cli.operate.deployment_check import obstacles

    found = update.difference
    changed = {name: update.settings.cameras[name] for name in (*found.added, *found.changed)}
    looked_at: Settings = update.settings.model_copy(update={"cameras": changed, "sinks": {}})
    if not found.worker:
        # Engines take a second to answer, and are as they were.
        looked_at = looked_at.model_copy(
            update={"fleet": looked_at.fleet.model_copy(update={"workers": 0}), "worker": update.before.worker}
        )
    return [(tuple(one.path), one.problem) for one in obstacles(looked_at) if one.lasting]
