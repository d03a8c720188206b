"""`posebus up`: a whole deployment on this machine, from sources on the command line or from a configuration file."""

from __future__ import annotations

import math
import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from posebus.config.broker_address import default_address
from posebus.config.redaction import harmless, redact_url
from posebus.config.settings import EMBEDDED, EMBEDDED_PORT
from posebus.errors import ConfigError
from posebus.plain_text import plain
from posebus.runtime.processes import CAMERA_STATES_ENV, EXIT_DONE, EXIT_FATAL
from posebus.runtime.stage_main import set_up_logging
from posebus.wording import counted
from posebus_cli.operate.up_sources import cameras_of, file_among
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import ConfigFirst, DeploymentOptions, FleetOptions
from posebus_cli.options.settings import settings_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from posebus.config.settings import Settings
    from posebus.runtime.fleet import Fleet
    from posebus.runtime.stage import StopFlag
    from posebus_cli.operate.activity import Watched

TEND_S = 0.2
LONGEST_DRAIN_S = 5.0
"""Tracks of the last frames come within this time after ingest has ended."""


_SourcesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="Cameras: addresses like rtsp://…, usb:0, video files. Or a configuration file (.yaml), as with -c.",
    ),
]
_PortOption = Annotated[
    int | None,
    typer.Option(
        "--port",
        metavar="PORT",
        min=1,
        max=65535,
        help=f"Port of the embedded broker, which only this machine can reach. (default: {EMBEDDED_PORT})",
    ),
]
_QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show problems only.")]


@grouped
def up(
    sources: _SourcesArgument = None,
    *,
    deployment: ConfigFirst,
    processes: FleetOptions,
    port: _PortOption = None,
    quiet: _QuietOption = False,
) -> None:
    """Run cameras on this machine with workers and trackers, until Ctrl-C.

    The cameras are those of the configuration file and one for each SOURCE, with a name derived from it. A video file
    is played like a camera, in real time and once; if there is nothing but such files and no configuration file, the
    deployment ends with the last of them.

    On a terminal a line says when a camera is online, when the first person is seen in it, and why it is offline.

    Without the address of a broker it starts its own, which keeps nothing on disk, and which other commands find by
    themselves.
    """
    from posebus.bus.redis.connection import open_broker
    from posebus.runtime.embedded import broker_for
    from posebus.runtime.fleet import Fleet
    from posebus.runtime.stage import StopFlag
    from posebus_cli.operate.activity import Watched
    from recordings.stages import STAGES

    say = _say_nothing if quiet else _say
    deployment, settings, added = _settings(sources or [], deployment, processes, say)
    _check_port(port, settings)
    _refuse_what_cannot_work(settings)
    shown = sys.stdout.isatty() and not quiet
    settings = _with_log_level(settings, shown=shown, quiet=quiet)
    set_up_logging(settings)
    stop = StopFlag()
    stop.install()
    with broker_for(settings.redis, port or EMBEDDED_PORT) as url:
        settings = settings.model_copy(update={"redis": url})
        with stop.starting():
            broker = open_broker(url, settings.shards)
            watched = Watched(settings) if shown or added else None
        with Fleet(settings, broker, STAGES) as fleet:
            address = redact_url(url)
            say(f"starting {_children(settings)} at {address}")
            _start(fleet, say, stop, wait=added)
            where = "" if url == default_address(os.environ) else f" --redis {address}"
            say(f"follow them with: posebus top{where}, or posebus watch{where}; stop with Ctrl-C")
            tend = Tending(fleet, watched, say if shown else _say_nothing, ends=deployment.config is None)
            while not stop.check() and not tend.step(TEND_S):
                pass
            say("stopping" if stop.is_set else "all sources have ended; stopping")
    if watched is not None:
        watched.close()
        for line in watched.activity.summary() if added else ():
            say(line)
    if fleet.ingest_failed:
        raise typer.Exit(1)  # ingest has said which cameras, and why


def _settings(
    sources: list[str], deployment: DeploymentOptions, processes: FleetOptions, say: Callable[[str], None]
) -> tuple[DeploymentOptions, Settings, bool]:
    """Return the options with the configuration file, the settings, and whether sources were added as cameras.

    Raises ConfigError.
    """
    with_file, left = file_among(sources, deployment)
    settings = settings_from(with_file, processes)
    cameras = cameras_of(left, settings.cameras) if left else {}
    settings = settings_from(with_file, processes, cameras=cameras)
    if not settings.cameras:
        raise ConfigError(
            "no camera is given: name sources, as in `posebus up rtsp://… usb:0`, or a configuration file that has "
            "cameras with -c FILE"
        )
    if with_file is not deployment:
        say(f"{with_file.config} is the configuration file, as with -c {with_file.config}")
    for name in cameras:
        say(f"camera {name}: {redact_url(settings.cameras[name].source)}")
    return with_file, settings, bool(cameras)


class Tending:
    """Looks after the processes of a deployment, and shows what its cameras do."""

    def __init__(self, fleet: Fleet, watched: Watched | None, show: Callable[[str], None], *, ends: bool) -> None:
        """`ends`: the deployment is over once all its sources have ended."""
        self._fleet = fleet
        self._watched = watched
        self._show = show
        self._ends = ends
        self._ingest_ended_at_s: float | None = None

    def step(self, wait_s: float) -> bool:
        """Wait so long; returns whether the deployment is over. Raises FatalError."""
        self._fleet.check()
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


def _start(fleet: Fleet, say: Callable[[str], None], stop: StopFlag, *, wait: bool) -> None:
    """Start all stages; `wait`: the cameras last, since recordings should not play before anything looks at them."""
    fleet.start_trackers()
    fleet.start_workers()
    if wait:
        say("loading the network (the first time it is exported, which takes longer)")
        fleet.wait_until_ready(lambda ready, wanted: _leave_if(stop))
    fleet.start_ingest()


def _leave_if(stop: StopFlag) -> None:
    if stop.check():
        raise SystemExit(0)


def _say(text: str) -> None:
    print(plain(text), flush=True)


def _say_nothing(text: str) -> None:
    pass


def _with_log_level(settings: Settings, *, shown: bool, quiet: bool) -> Settings:
    """Return the settings of the processes, which log less where nothing is wanted or lines show the same."""
    if shown:
        os.environ[CAMERA_STATES_ENV] = "shown"
    if not (shown or quiet) or "log_level" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"log_level": "warning"})


def _check_port(port: int | None, settings: Settings) -> None:
    """Raise ConfigError for a port without an embedded broker."""
    if port is not None and settings.redis != EMBEDDED:
        raise ConfigError(
            "--port is the port of the embedded broker, but the settings name another one, "
            f"{redact_url(settings.redis)}: leave out --port, or use '--redis embedded'"
        )


def _children(settings: Settings) -> str:
    """Return what is started, in words."""
    cameras = counted(len(settings.cameras), "camera")
    return f"{cameras}, {counted(settings.fleet.workers, 'worker')}, {counted(settings.fleet.trackers, 'tracker')}"


def _refuse_what_cannot_work(settings: Settings) -> None:
    """Raise ConfigError if nothing could run here: no camera, or no worker, or no broker.

    If only some cameras cannot work, say which and why. A device that is missing may yet be plugged in.
    """
    from posebus.config.loading import describe
    from posebus.config.problems import Problem, SourceLocation
    from posebus.errors import ConfigError
    from posebus.runtime.failures import complain
    from posebus_cli.operate.deployment_check import obstacles

    lasting = [one for one in obstacles(settings) if one.lasting]
    problems = tuple(Problem(SourceLocation("", ".".join(one.path)), one.problem) for one in lasting)
    cameras = {one.path[1] for one in lasting if one.path[0] == "cameras"}
    if cameras == set(settings.cameras) or any(one.path[0] != "cameras" for one in lasting):
        raise ConfigError(describe(problems))
    for problem in problems:
        complain(problem)
