"""`posebus up`: a whole deployment on this machine, from sources on the command line or from a configuration file."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from posebus.config.redaction import redact_url
from posebus.config.settings import EMBEDDED, EMBEDDED_PORT
from posebus.errors import ConfigError
from posebus.logs.set_up import set_up_logging
from posebus.runtime.processes import CAMERA_STATES_ENV
from posebus_cli.operate.saying import say_line, say_nothing
from posebus_cli.operate.up_sources import cameras_of, file_among
from posebus_cli.options.grouping import grouped
from posebus_cli.options.groups import ConfigFirst, FleetOptions, LogOptions, NoReloadOption
from posebus_cli.options.settings import followed_from

if TYPE_CHECKING:
    from posebus.config.settings import Settings

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
_WallOption = Annotated[
    bool | None,
    typer.Option(
        "--wall/--no-wall",
        help="Serve the live wall as well, in a browser. (default: if the configuration has 'wall:')",
    ),
]
_QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show problems only.")]


@grouped
def up(
    sources: _SourcesArgument = None,
    *,
    deployment: ConfigFirst,
    processes: FleetOptions,
    logs: LogOptions,
    port: _PortOption = None,
    wall: _WallOption = None,
    quiet: _QuietOption = False,
    no_reload: NoReloadOption = False,
) -> None:
    """Run cameras on this machine with workers and trackers, until Ctrl-C.

    The cameras are those of the configuration file and one for each SOURCE, with a name derived from it. A video file
    is played like a camera, in real time and once; if there is nothing but such files and no configuration file, the
    deployment ends with the last of them.

    On a terminal a line says when a camera is online, when the first person is seen in it, and why it is offline.

    Without the address of a broker it starts its own, which keeps nothing on disk, and which other commands find by
    themselves. Changes of the file are applied while it runs: cameras come, go and change one by one.
    """
    from posebus_cli.operate.running import RunningUp

    say = say_nothing if quiet else say_line
    deployment, left = file_among(sources or [], deployment)
    followed = followed_from(deployment, processes, logs)
    cameras = cameras_of(left, followed.settings.cameras) if left else {}
    shown = sys.stdout.isatty() and not quiet
    if shown:
        os.environ[CAMERA_STATES_ENV] = "shown"
    fewer_logs = (shown or quiet) and "log_level" not in followed.settings.model_fields_set
    followed.add({"cameras": cameras or None, "log_level": "warning" if fewer_logs else None})
    settings = followed.settings
    _need_cameras(settings)
    _check_port(port, settings)
    _refuse_what_cannot_work(settings)
    serves = wall is True or (wall is None and "wall" in settings.model_fields_set)
    if serves:
        _refuse_open_wall(settings)
    if len(left) < len(sources or []):
        say(f"{deployment.config} is the configuration file, as with -c {deployment.config}")
    for name in cameras:
        say(f"camera {name}: {redact_url(settings.cameras[name].source)}")
    set_up_logging(settings, "up")
    running = RunningUp(followed, say, shown=shown, sources=bool(cameras), ends=deployment.config is None)
    running.serves_wall = serves
    running.run(port or EMBEDDED_PORT, follow=not no_reload)


def _need_cameras(settings: Settings) -> None:
    if not settings.cameras:
        raise ConfigError(
            "no camera is given: name sources, as in `posebus up usb:0 clip.mp4`, or a configuration file that has "
            "cameras with -c FILE"
        )


def _check_port(port: int | None, settings: Settings) -> None:
    """Raise ConfigError for a port without an embedded broker."""
    if port is not None and settings.redis != EMBEDDED:
        raise ConfigError(
            "--port is the port of the embedded broker, but the settings name another one, "
            f"{redact_url(settings.redis)}: leave out --port, or use '--redis embedded'"
        )


def _refuse_open_wall(settings: Settings) -> None:
    """Raise ConfigError for a wall that other machines could open without login or encryption."""
    from posebus.config.wall.serving import refusal_to_serve

    problem = refusal_to_serve(settings.wall)
    if problem is not None:
        raise ConfigError(problem)


def _refuse_what_cannot_work(settings: Settings) -> None:
    """Raise ConfigError if nothing could run here: no camera, or no worker, or no broker.

    If only some cameras or a sink cannot work, say which and why. A device that is missing may yet be plugged in, and
    what a sink misses is kept for it.
    """
    from posebus.config.loading import describe
    from posebus.config.problems import Problem, SourceLocation
    from posebus.runtime.failures import complain
    from posebus_cli.operate.deployment_check import obstacles

    lasting = [one for one in obstacles(settings) if one.lasting]
    problems = tuple(Problem(SourceLocation("", ".".join(one.path)), one.problem) for one in lasting)
    cameras = {one.path[1] for one in lasting if one.path[0] == "cameras"}
    if cameras == set(settings.cameras) or any(one.path[0] not in {"cameras", "sinks"} for one in lasting):
        raise ConfigError(describe(problems))
    for problem in problems:
        complain(problem)
