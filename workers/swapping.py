"""A worker whose settings follow their file: it loads the new engine while the old one works, then changes over."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from posebus.config.settings import WorkerSettings
from posebus.reloading.sentences import worker_lines
from posebus.runtime.failures import in_one_sentence
from posebus.runtime.following import Follower
from posebus.telemetry.metrics import Metrics
from posebus.telemetry.process_report import ProcessReport
from workers.pose_stage import PoseStage

Build = Callable[[WorkerSettings, Metrics | None], PoseStage]
"""Loads an engine, which takes seconds, and returns a stage with it that is ready."""

IN_USE = "the settings of workers are again those that are in use"
LOADED_WITHIN_S = 2.0
"""A process that ends while a library loads an engine in a thread may crash, so it waits for that for a moment."""

log = logging.getLogger("posebus.worker")


class SwappingStage:
    """The stage of one worker process, which is replaced when the settings of workers change.

    An engine that cannot be loaded changes nothing. Frames wait in the broker for the moment of the change.
    """

    role = PoseStage.role

    def __init__(
        self,
        stage: PoseStage,
        build: Build,
        follower: Follower,
        describe: Callable[[PoseStage, WorkerSettings], str],
    ) -> None:
        """`describe` is how the log names what a stage runs."""
        self._stage = stage
        self._build = build
        self._follower = follower
        self._describe = describe
        self._settings = self._wanted = follower.followed.settings.worker
        self._loading: _Loading | None = None
        self._failed: WorkerSettings | None = None

    def step(self, now_s: float) -> bool:
        """Apply what has changed and is loaded, then do the worker's step. Raises RetryableError."""
        update = self._follower.poll(now_s)
        if update is not None and update.difference.worker:
            self._wanted = update.settings.worker
            again = self._wanted == self._settings
            self._follower.announce(log, [IN_USE] if again else worker_lines(update.difference))
        if self._loading is not None and self._loading.done:
            self._change_over(self._loading)
        if self._loading is None and self._wanted not in (self._settings, self._failed):
            self._loading = _Loading(self._build, self._wanted, self._stage.metrics)
        return self._stage.step(now_s)

    @property
    def has_computed(self) -> bool:
        """Whether the engine in use has computed anything."""
        return self._stage.has_computed

    @property
    def frames(self) -> int:
        """Frames that this worker has inferred and committed."""
        return self._stage.frames

    def report(self) -> ProcessReport:
        return self._stage.report()

    def drain(self) -> None:
        self._stage.drain()

    def close(self) -> None:
        """Stop all threads and free the engine, and one that is still being loaded if that takes no longer."""
        self._stage.close()
        if self._loading is not None and self._loading.wait(LOADED_WITHIN_S) and self._loading.stage is not None:
            self._loading.stage.close()

    def _change_over(self, loaded: _Loading) -> None:
        if loaded.stage is None:
            log.error("the new settings of workers change nothing: %s", loaded.problem)
            self._loading, self._failed = None, loaded.settings
            return
        loaded.stage.replace(self._stage)
        self._stage, self._settings = loaded.stage, loaded.settings
        self._loading = self._failed = None
        log.info("changed over to %s", self._describe(self._stage, self._settings))


class _Loading:
    """A stage that a thread builds."""

    def __init__(self, build: Build, settings: WorkerSettings, metrics: Metrics) -> None:
        self.settings = settings
        self.stage: PoseStage | None = None
        self.problem = ""
        self._build = build
        self._metrics = metrics
        self._thread = threading.Thread(target=self._run, name="load an engine", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is done; False if that takes longer."""
        self._thread.join(timeout_s)
        return self.done

    def _run(self) -> None:
        try:
            self.stage = self._build(self.settings, self._metrics)
        except Exception as error:  # noqa: BLE001 - the worker goes on with the engine that it has
            self.problem = in_one_sentence(error)
