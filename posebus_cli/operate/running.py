"""The deployment of `posebus up` while it runs: it starts, follows its settings, shows its cameras, and ends."""

from __future__ import annotations

import math
import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import typer

from posebus.config.broker_address import default_address
from posebus.config.redaction import harmless, redact_url
from posebus.runtime.processes import EXIT_DONE, EXIT_FATAL
from posebus.wording import counted
from posebus_cli.operate.evidence import any_evidence
from posebus_cli.operate.saying import Say, say_nothing
from posebus_cli.wall_beside import WALL_MODULE

if TYPE_CHECKING:
    from posebus.config.settings import Settings
    from posebus.reloading.followed import FollowedSettings
    from posebus.runtime.fleet import Fleet
    from posebus.runtime.stage import StopFlag
    from posebus_cli.operate.activity import Watched
    from posebus_cli.operate.changes import FleetChanges

TEND_S = 0.1
LONGEST_DRAIN_S = 5.0
"""Tracks of the last frames come within this time after ingest has ended."""


class RunningUp:
    """A deployment that has not started yet; `run` starts it and returns when it has ended."""

    def __init__(self, followed: FollowedSettings, say: Say, *, shown: bool, sources: bool, ends: bool) -> None:
        """`say` prints a line. shown: a line for each change of a camera. sources: some were given as arguments.

        ends: the deployment is over once all its sources have ended.
        """
        self._followed = followed
        self._say = say
        self._show = say if shown else say_nothing
        self._sources = sources
        self._ends = ends
        self._watches = shown or sources
        self.serves_wall = False
        """Whether the live wall is served, too."""

    def run(self, port: int, *, follow: bool) -> None:
        """Run until SIGINT, SIGTERM or the end of all sources. Raises FatalError, ConfigError and typer.Exit.

        `port` is that of the embedded broker. follow: changes of the settings are applied.
        """
        from posebus.bus.redis.connection import open_broker
        from posebus.control.attached import control_socket
        from posebus.runtime.embedded import broker_for
        from posebus.runtime.fleet import Fleet
        from posebus.runtime.following import Follower
        from posebus.runtime.stage import StopFlag
        from posebus_cli.operate.activity import Watched
        from posebus_cli.operate.changes import FleetChanges
        from recordings.stages import STAGES

        stop = StopFlag()
        stop.install()
        # Before anything starts: SIGHUP would end this process.
        follower = Follower(self._followed, stop) if follow else None
        with broker_for(self._followed.settings.redis, port) as url:
            self._followed.pin(redis=url)
            settings = self._followed.settings
            with stop.starting():
                broker = open_broker(url, settings.shards)
                watched = Watched(settings) if self._watches else None
            with Fleet(settings, broker, STAGES, follow=follow) as fleet, ExitStack() as stack:
                if watched is not None:
                    stack.callback(watched.close)
                self._start(fleet, url, stop)
                tend = Tending(fleet, watched, self._show, ends=self._ends)
                if follower is not None:
                    stack.enter_context(control_socket("up", follower, fleet.pids))
                    tend.changes = FleetChanges(fleet, follower)
                while not stop.check() and not tend.step(TEND_S):
                    pass
                self._say("stopping" if stop.is_set else "all sources have ended; stopping")
        if watched is not None and self._sources:
            for line in watched.activity.summary():
                self._say(line)
        if fleet.ingest_failed:
            raise typer.Exit(1)  # ingest has said which cameras, and why

    def _start(self, fleet: Fleet, url: str, stop: StopFlag) -> None:
        address = redact_url(url)
        self._say(f"starting {_children(self._followed.settings)} at {address}")
        fleet.start_trackers()
        fleet.start_workers()
        if self._sources:
            # A recording should not play before anything can look at it.
            self._say("loading the network (the first time it is exported, which takes longer)")
            fleet.wait_until_ready(lambda ready, wanted: _leave_if(stop))
        # Before ingest: no event comes before it follows them.
        fleet.keep_evidence(any_evidence(self._followed.settings))
        fleet.start_ingest()
        fleet.keep_sinks()
        if self.serves_wall:
            from posebus.config.wall.serving import wall_address

            fleet.serve_wall(WALL_MODULE, self._followed.path)
            self._say(f"the wall: open {wall_address(self._followed.settings.wall)} in a browser")
        where = "" if url == default_address(os.environ) else f" --redis {address}"
        self._say(f"follow them with: posebus top{where}, or posebus watch{where}; stop with Ctrl-C")


class Tending:
    """Looks after the processes of a deployment, and shows what its cameras do."""

    def __init__(self, fleet: Fleet, watched: Watched | None, show: Say, *, ends: bool) -> None:
        """`ends`: the deployment is over once all its sources have ended."""
        self._fleet = fleet
        self._watched = watched
        self._show = show
        self._ends = ends
        self._ingest_ended_at_s: float | None = None
        self.changes: FleetChanges | None = None
        """Applies changes of the settings, if they are followed."""

    def step(self, wait_s: float) -> bool:
        """Wait so long; returns whether the deployment is over. Raises FatalError."""
        self._fleet.check()
        if self.changes is not None:
            settings = self.changes.step(time.monotonic())
            if settings is not None and self._watched is not None:
                self._watched.activity.follow(settings.cameras)
        if self._watched is None:
            time.sleep(wait_s)
            return False
        lines = self._watched.poll(wait_s)
        activity = self._watched.activity
        over = self._ends and (activity.all_ended or self._is_drained(time.monotonic()))
        for line in [*lines, *(activity.lines(math.inf) if over else [])]:
            self._show(f"{time.strftime('%H:%M:%S')}  {harmless(line)}")
        return over

    def _is_drained(self, now_s: float) -> bool:
        """Return whether ingest has ended, with a camera that could not be used, and the last tracks have had time."""
        from posebus.runtime.fleet import INGEST

        ingest = self._fleet.processes.children.get(INGEST)
        if ingest is None or ingest.exit_code not in (EXIT_DONE, EXIT_FATAL):
            return False
        if self._ingest_ended_at_s is None:
            self._ingest_ended_at_s = now_s
        return now_s - self._ingest_ended_at_s > LONGEST_DRAIN_S


def _leave_if(stop: StopFlag) -> None:
    if stop.check():
        raise SystemExit(0)


def _children(settings: Settings) -> str:
    """Return what is started, in words."""
    cameras = counted(len(settings.cameras), "camera")
    return f"{cameras}, {counted(settings.fleet.workers, 'worker')}, {counted(settings.fleet.trackers, 'tracker')}"
