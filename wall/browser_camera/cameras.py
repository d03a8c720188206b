"""All browsers that are cameras of this wall: their names, what is reported of them, and when each ends."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from posebus.bus.redis.connection import Broker
from posebus.bus.registry import Registry, process_id
from posebus.config.settings import check_camera_name
from posebus.errors import BrokerUnavailable, LeaseLost, PoseBusError
from posebus.logs.about import about
from posebus.telemetry.process_report import INGEST, ProcessReport
from posebus.telemetry.report_json import report_to_json
from posebus.telemetry.reports import largest_imgsz, process_reports
from wall.browser_camera.camera import CLOSED, SOURCE, STOPPED, WALL_GONE, BrowserCamera
from wall.browser_camera.messages import Mode, Start
from wall.context import WallContext

PREFIX = "browser-"
"""Names of browser cameras begin with it, so that no page becomes a camera of the configuration by its name."""
MAX_CAMERAS = 32
AWAY_S = 30.0
"""A page that comes back within this time goes on with the same identities; after it, the source has ended."""
STUCK_AFTER_S = 60.0
"""If frames of an ended camera are not processed for so long, no worker or no tracker runs."""
TAKE_WITHIN_S = 3.0
"""A wall that was killed holds the leases of its cameras a little longer."""
BEAT_S = 1.0
POLL_S = 0.1

Result = TypeVar("Result")
log = logging.getLogger("posebus.wall")


class NameRefused(PoseBusError):
    """A page may not be a camera of this name, or no further page may be a camera; a sentence says why."""


@dataclass
class _Kept:
    """A camera, and the page that has it now. `away_since_s`: monotonic, None while its page is connected."""

    camera: BrowserCamera
    page: str
    connection: int
    away_since_s: float | None = None
    ended_at_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class BrowserCameras:
    """Makes cameras of pages. Its methods block, but for entering and leaving the context."""

    def __init__(self, context: WallContext) -> None:
        self._context = context
        self._broker: Broker | None = None
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="browser-cameras", daemon=True)
        self._process = process_id(INGEST)
        # Threads of their own: while the broker does not answer, cameras must not hold up those who look at the wall.
        self._threads = ThreadPoolExecutor(MAX_CAMERAS, "browser-camera")
        self._connections = itertools.count(1)
        self.imgsz: int | None = None
        """The largest inference size of all workers in pixels; None while none runs."""

    async def __aenter__(self) -> BrowserCameras:
        self._keeper.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        await asyncio.to_thread(self._keeper.join, 5.0)
        self._threads.shutdown(wait=False)

    async def in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return what the blocking `function` returns; the event loop goes on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *arguments))

    def connect(self, start: Start) -> Connected:
        """Return the camera of a page. Raises NameRefused, BrokerUnavailable and BrokerRefused."""
        with self._lock:
            kept = self._of_page(start) or self._new(start)
            kept.connection, kept.away_since_s = next(self._connections), None
        with kept.lock:
            kept.camera.welcome(start.mode)
        log.info("camera %s: a browser sends %s", kept.camera.name, start.mode, extra=about(kept.camera.name))
        return Connected(self, kept, kept.connection)

    def _of_page(self, start: Start) -> _Kept | None:
        """The camera that this page had before its connection was lost; an old connection loses it."""
        wanted = None if start.name is None else full_name(start.name)
        for kept in self._kept.values():
            if kept.page == start.page and wanted in (None, kept.camera.name):
                return kept
        return None

    def _new(self, start: Start) -> _Kept:
        if len(self._kept) >= MAX_CAMERAS:
            raise NameRefused(f"{MAX_CAMERAS} browsers are cameras here already; try again when one has stopped")
        broker = self.broker()
        registry = Registry(broker)
        listed = {record.camera: record.source for record in registry.cameras()}
        taken = {*listed, *self._kept, *self._context.settings.cameras}
        name = (
            full_name(start.name)
            if start.name is not None
            else next(made for number in itertools.count(1) if (made := f"{PREFIX}{number}") not in taken)
        )
        if name in self._context.settings.cameras or listed.get(name, SOURCE) != SOURCE:
            raise NameRefused(f"{name} is a camera of the configuration; choose another name")
        if name in self._kept and self._kept[name].away_since_s is None:
            raise NameRefused(f"another browser is the camera {name} now; choose another name")
        if name in self._kept:
            kept = self._kept[name]
            kept.page = start.page
            return kept
        camera = BrowserCamera(broker, self._context.settings, name, start.mode)
        self._take(camera)
        self._kept[name] = _Kept(camera, start.page, 0)
        return self._kept[name]

    def _take(self, camera: BrowserCamera) -> None:
        end_s = time.monotonic() + TAKE_WITHIN_S
        while not camera.open():
            if time.monotonic() > end_s:
                raise NameRefused(f"another browser is the camera {camera.name} now; choose another name")
            time.sleep(POLL_S)

    def broker(self) -> Broker:
        """The connection that all browser cameras share."""
        if self._broker is None:
            self._broker = self._context.open_broker()
        return self._broker

    def _keep(self) -> None:
        """Report, renew leases, and end cameras whose pages are gone, once a second until the wall stops."""
        reported = False
        adopted = False
        while not self._stop.wait(BEAT_S):
            try:
                if not adopted:
                    self._adopt()
                    adopted = True
                for kept in list(self._kept.values()):
                    self._keep_one(kept)
                reported = self._report(reported)
            except PoseBusError as error:
                log.debug("browser cameras: %s", error)
            except Exception:
                log.exception("browser cameras: this should not happen")
        for kept in list(self._kept.values()):
            with contextlib.suppress(PoseBusError), kept.lock:
                kept.camera.away("the wall was stopped")
                kept.camera.release()
        with contextlib.suppress(PoseBusError):
            if reported:
                Registry(self.broker()).retire(self._process)

    def _adopt(self) -> None:
        """End cameras that a wall has left behind which was killed; their pages may come back before that."""
        for record in Registry(self.broker()).cameras():
            if record.source != SOURCE or record.camera in self._kept:
                continue
            camera = BrowserCamera(self.broker(), self._context.settings, record.camera, Mode.PICTURES)
            with self._lock:
                if record.camera not in self._kept and camera.open():
                    camera.trouble = WALL_GONE
                    self._kept[record.camera] = _Kept(camera, "", 0, away_since_s=time.monotonic())

    def _keep_one(self, kept: _Kept) -> None:
        now_s = time.monotonic()
        name = kept.camera.name
        try:
            with kept.lock:
                kept.camera.tick()
                if kept.away_since_s is None:
                    return
                if not kept.camera.ended:
                    if now_s - kept.away_since_s >= AWAY_S:
                        kept.camera.end(CLOSED)
                        kept.ended_at_s = now_s
                    return
            with self._lock, kept.lock:
                done = not kept.camera.waiting() or now_s - kept.ended_at_s > STUCK_AFTER_S
                if kept.away_since_s is not None and kept.camera.ended and done:
                    self._withdraw(kept)
        except LeaseLost:
            with self._lock:
                if kept.away_since_s is not None:
                    self._kept.pop(name, None)

    def _withdraw(self, kept: _Kept) -> None:
        name = kept.camera.name
        kept.camera.withdraw()
        self._kept.pop(name, None)
        log.info("camera %s is no longer listed: its browser is gone", name, extra=about(name))

    def _report(self, reported: bool) -> bool:
        """Report all cameras as one process of ingest; return whether there is a report in the broker."""
        if not self._kept and not reported:
            return False
        registry = Registry(self.broker())
        if not self._kept:
            registry.retire(self._process)
            return False
        now_s = time.monotonic()
        captures = {name: kept.camera.report(now_s) for name, kept in list(self._kept.items())}
        registry.report(self._process, INGEST, report_to_json(ProcessReport(INGEST, captures=captures)))
        self.imgsz = largest_imgsz(process_reports(registry).values())
        return True

    def left(self, kept: _Kept, connection: int, reason: str | None) -> None:
        """A page has gone; `reason` is that of a person who stopped the camera. Another connection may have it now."""
        with self._lock:
            if kept.connection != connection:
                return
            kept.away_since_s = time.monotonic()
        with contextlib.suppress(BrokerUnavailable, LeaseLost), self._lock, kept.lock:
            if kept.connection != connection:
                return
            kept.camera.away(reason or CLOSED)
            if kept.camera.unused:
                self._withdraw(kept)
            elif reason is not None:
                kept.camera.end(reason)
                kept.ended_at_s = time.monotonic()


class Connected:
    """A camera as the connection of one page has it. Its methods block."""

    def __init__(self, cameras: BrowserCameras, kept: _Kept, connection: int) -> None:
        self._cameras = cameras
        self._kept = kept
        self._connection = connection

    @property
    def name(self) -> str:
        """The name of the camera."""
        return self._kept.camera.name

    @contextlib.contextmanager
    def camera(self) -> Iterator[BrowserCamera]:
        """The camera, for this connection alone. Raises LeaseLost once another connection has it."""
        with self._kept.lock:
            if self._kept.connection != self._connection:
                raise LeaseLost(f"camera {self.name} goes on in another connection", camera=self.name)
            yield self._kept.camera

    def count_refused(self) -> None:
        """An upload was no valid picture or poses; alone of all methods, this one does not block."""
        self._kept.camera.refused += 1

    def leave(self, stopped: bool) -> None:
        """The page has gone, or its person has `stopped` the camera."""
        self._cameras.left(self._kept, self._connection, STOPPED if stopped else None)


def full_name(name: str) -> str:
    """The name of a camera that a person called `name`. Raises NameRefused."""
    try:
        return check_camera_name(name if name.startswith(PREFIX) else PREFIX + name)
    except ValueError as error:
        raise NameRefused(str(error)) from None
