"""Cameras that have no process because they are switched off or over, reported to the broker with the reason for that.

The supervisor of ingest has no connection to the broker, and its loop must not wait for one. So a thread does this; it
is started when the first camera is off.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.announcing import camera_record
from ingest.sources import is_live
from posebus.bus.redis.connection import Broker, open_broker
from posebus.bus.registry import CameraRecord, Registry, process_id
from posebus.config.cameras.wanted import PAUSED
from posebus.config.policies import policies_of
from posebus.config.settings import Settings
from posebus.errors import PoseBusError
from posebus.runtime.stage import HEARTBEAT_S
from posebus.telemetry.camera_state import CameraState
from posebus.telemetry.process_report import INGEST, CaptureReport, ProcessReport
from posebus.telemetry.report_json import report_to_json

CLOSE_WAIT_S = 1.0
GIVEN_UP = "its source cannot be used, for the reason in the log of ingest; it is tried again when its settings change"

log = logging.getLogger("posebus.ingest")


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is reported: a report of each camera, and the records by which cameras are registered that are new."""

    captures: Mapping[str, CaptureReport] = field(default_factory=dict)
    records: Mapping[str, CameraRecord] = field(default_factory=dict)


class OffCameras:
    """Call `show` whenever the cameras that are off may have changed, and `close` at the end."""

    def __init__(self, redis: str, shards: int) -> None:
        self._redis = redis
        self._shards = shards
        self._off: Mapping[str, str] = {}
        self._over: Mapping[str, CameraState] = {}
        self._shown = _Shown()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._process = process_id(INGEST)
        self._broker: Broker | None = None
        self._registered: set[str] = set()
        self._reported = False

    def show(self, off: Mapping[str, str], over: Mapping[str, CameraState], settings: Settings) -> None:
        """Report these cameras from now on: why each of them is off, and those whose process has ended. Never waits."""
        if (off, over) == (self._off, self._over):
            return
        self._off, self._over = dict(off), dict(over)
        captures = {name: _over_report(state) for name, state in over.items()}
        captures |= {name: _report(reason) for name, reason in off.items()}
        # Replaced as a whole: the thread reads it at any time.
        self._shown = _Shown(captures, _records(captures, settings))
        self._wake.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="report cameras that are off", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Withdraw the report; wait for that for a moment at most."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(CLOSE_WAIT_S)

    def _run(self) -> None:
        while not self._stopping:
            self._attempt(self._shown)
            self._wake.wait(HEARTBEAT_S)
            self._wake.clear()
        self._attempt(_Shown())

    def _attempt(self, shown: _Shown) -> None:
        try:
            self._report(shown)
        except PoseBusError as error:
            # The processes of other cameras complain about the broker; there is nothing to lose here.
            log.debug("the cameras that are off cannot be reported: %s", error)

    def _report(self, shown: _Shown) -> None:
        if not shown.captures and not self._reported:
            return
        if self._broker is None:
            self._broker = open_broker(self._redis, self._shards)
        registry = Registry(self._broker)
        if not shown.captures:
            registry.retire(self._process)
            self._reported = False
            return
        for name, record in shown.records.items():
            if name not in self._registered and registry.camera(name) is None:
                registry.add_camera(record)
            self._registered.add(name)
        registry.report(self._process, INGEST, report_to_json(ProcessReport(INGEST, captures=shown.captures)))
        self._reported = True


def _report(reason: str) -> CaptureReport:
    return CaptureReport(state=CameraState.PAUSED if reason == PAUSED else CameraState.OFF, trouble=reason)


def _over_report(state: CameraState) -> CaptureReport:
    return CaptureReport(state=state, trouble=GIVEN_UP if state is CameraState.GIVEN_UP else None)


def _records(off: Mapping[str, object], settings: Settings) -> dict[str, CameraRecord]:
    """Return the records of the cameras; without those whose kind of source is unknown."""
    records = {}
    for name in off.keys() & settings.cameras.keys():
        camera = settings.cameras[name]
        try:
            policies = policies_of(camera, settings.worker, live=is_live(camera))
            records[name] = camera_record(name, camera, policies)
        except PoseBusError:
            continue
    return records
