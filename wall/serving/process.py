"""The process of the wall: `posebus wall`, and a child of `posebus up --wall`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from posebus.bus.registry import Registry
from posebus.config.loading import cache_folder
from posebus.config.wall.places import is_loopback
from posebus.config.wall.serving import ALL_ADDRESSES, refusal_to_serve, wall_address
from posebus.config.wall.wall_settings import WallSettings
from posebus.errors import BrokerRefused, ConfigError
from posebus.reloading.followed import FollowedSettings
from posebus.reloading.sentences import wall_lines
from posebus.runtime.following import Follower
from posebus.runtime.stage import Heartbeat, StopFlag, run_stage, stop_limit_s
from posebus.telemetry.process_report import WALL, ProcessReport
from posebus.wording import counted
from wall.access.access import Access
from wall.access.audit import log as audit_log
from wall.access.certificate import fingerprint, machine_names, now_utc, own_certificate
from wall.app import application
from wall.context import WallContext
from wall.serving.binding import bind, close_all
from wall.serving.web_server import WebServer

STEP_S = 0.1
TEND_S = 5.0
RENEW_S = 3600.0
"""How often the certificate's end is looked at."""

log = logging.getLogger("posebus.wall")


Served = Callable[[list[str], str], None]
"""Is called with the lines to show, and the address for a browser, whenever the wall begins to serve."""


def run_wall(context: WallContext, followed: FollowedSettings | None, served: Served) -> None:
    """Serve the wall until SIGTERM or SIGINT; `followed`: the settings follow their file.

    Raises ConfigError where it may not or cannot be served, and the errors of a broker that does not answer.
    """
    _quiet_libraries()
    settings = context.settings
    _need_safe(settings.wall)
    stop = StopFlag(stop_limit_s(settings.fleet.stop_timeout_s))
    stop.install()
    with stop.starting():
        broker = context.open_broker()
        follower = None if followed is None else Follower(followed, stop)
        stage = WallStage(context, stop, follower, served)
        stage.start()
    run_stage(stage, _WallHeartbeat(Registry(broker), stage.role), stop)
    log.info("stopped")


class WallStage:
    """The web server, and what has to be done beside it."""

    role = WALL

    def __init__(self, context: WallContext, stop: StopFlag, follower: Follower | None, served: Served) -> None:
        self._context = context
        self._stop = stop
        self._follower = follower
        self._served = served
        self._access = Access(context.settings.wall)
        self._server: WebServer | None = None
        self._at_s = time.monotonic()
        self._tended_s = self._renewed_s = self._at_s

    def start(self) -> None:
        """Serve by the settings of the context. Raises ConfigError if that is not possible."""
        settings = self._context.settings.wall
        _need_safe(settings)
        certificate = self._certificate(settings)
        shown = None if certificate is None else fingerprint(certificate[0])
        sockets = bind(settings.host, settings.port)
        try:
            server = WebServer(
                application(self._context, self._access), sockets, certificate, behind_proxy=bool(settings.origins)
            )
            server.start(self._stop.check)
        except BaseException:
            close_all(sockets)
            raise
        self._server = server
        self._served(_lines(settings, shown), wall_address(settings))

    def step(self, now_s: float) -> bool:
        """Follow the settings, end sessions whose time is over, renew the certificate; False once the server ended."""
        if self._follower is not None:
            self._follow(self._follower, now_s)
        server = self._server
        if server is None:
            return False
        if now_s - self._tended_s >= TEND_S:
            self._tended_s = now_s
            server.call(self._access.tend)
        if now_s - self._renewed_s >= RENEW_S:
            self._renewed_s = now_s
            certificate = self._certificate(self._context.settings.wall)
            if certificate is not None:
                server.use_certificate(certificate)
        if not server.is_alive and server.error is not None:
            raise server.error
        time.sleep(STEP_S)
        return server.is_alive

    def report(self) -> ProcessReport:
        """Return the report of this process: how many pages are open."""
        return ProcessReport(WALL, does=f"{counted(self._access.sockets.total, 'page')} open")

    def drain(self) -> None:
        """End the server. WebSockets end at once, since pages connect again by themselves."""
        if self._server is not None:
            self._server.stop()

    def close(self) -> None:
        """End the server, also after an error."""
        self.drain()

    def _follow(self, follower: Follower, now_s: float) -> None:
        update = follower.poll(now_s)
        if update is None:
            return
        before, now = update.before.wall, update.settings.wall
        self._context.settings = update.settings
        if before == now:
            return
        if _place(before) == _place(now) and self._server is not None:
            self._server.call(lambda: self._access.use(now))
        else:
            self._move(before)
        follower.announce(log, wall_lines(update.difference))

    def _move(self, before: WallSettings) -> None:
        """Serve at another place; go back to the one before if that is not possible."""
        self.drain()
        wanted = self._context.settings.wall
        try:
            self._access = Access(wanted)
            self.start()
        except ConfigError as error:
            log.error("%s; the wall stays where it was", error)
            stays = {name: getattr(before, name) for name in _PLACE}
            self._context.settings = self._context.settings.model_copy(
                update={"wall": wanted.model_copy(update=stays) if wanted.asks_who else before}
            )
            self._access = Access(self._context.settings.wall)
            if self._follower is not None:
                self._follower.followed.settings = self._context.settings
            self.start()

    def _certificate(self, settings: WallSettings) -> tuple[Path, Path] | None:
        if not settings.is_encrypted:
            return None
        if settings.certificate is not None and settings.key is not None:
            return settings.certificate, settings.key
        names = machine_names()
        own = own_certificate(cache_folder(self._context.settings), names, now_utc())
        return own, own


def _need_safe(settings: WallSettings) -> None:
    """Raise ConfigError for a wall that other machines could open without login or encryption."""
    problem = refusal_to_serve(settings)
    if problem is not None:
        raise ConfigError(problem)


MOST_NAMES = 3
"""So many names and addresses of this machine are shown where the wall is served at all of them."""
_PLACE = ("host", "port", "tls", "certificate", "key", "origins")


def _place(settings: WallSettings) -> tuple[object, ...]:
    """Return all settings with which the server starts."""
    return tuple(getattr(settings, name) for name in _PLACE) + ((settings.asks_who,) if not settings.is_local else ())


def _lines(settings: WallSettings, shown: str | None) -> list[str]:
    address = wall_address(settings)
    lines = [f"the wall is at {address}"]
    if settings.host.strip("[]") in ALL_ADDRESSES:
        others = [name for name in machine_names() if not is_loopback(name)][:MOST_NAMES]
        lines += [f"for other machines: {wall_address(settings, name)}" for name in others]
    if not settings.asks_who:
        lines.append("it needs no login, and only this machine can open it")
    if settings.certificate is None and shown is not None:
        lines.append(
            "browsers warn once about its certificate, which this machine made itself; its SHA-256 fingerprint is "
            + shown
        )
    return lines


class _WallHeartbeat(Heartbeat):
    """Reports where the broker allows it: a user who may only read is enough for a wall."""

    _refused = False

    def beat(self, now_s: float, report: ProcessReport) -> None:
        if not self._refused:
            try:
                super().beat(now_s, report)
                return
            except BrokerRefused as error:
                self._refused = True
                log.info("'posebus top' does not show this wall, since its user of the broker may only read: %s", error)
        self.beat_here(now_s, report)

    def leave(self) -> None:
        if not self._refused:
            super().leave()


def _quiet_libraries() -> None:
    # They log each malformed request of a stranger, and each connection.
    for name in ("uvicorn", "websockets", "asyncio"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # At every log level: who changed something is written down.
    audit_log.setLevel(logging.INFO)
