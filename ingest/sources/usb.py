"""USB cameras by OpenCV's V4L2 backend, which is selected by name so that no backend with other rules is used.

PyAV's wheel supports V4L2, too, but FFmpeg waits for a frame without a timeout there; OpenCV gives up after 10 s.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import cv2
import numpy as np

from ingest.sources.base import Admit, CapturedImage, SourceSpec
from ingest.sources.clocks import ArrivalClock, CaptureTimes
from ingest.sources.decoding.pixels import RowsImage
from posebus.config.settings import CameraSettings
from posebus.errors import SourceRejected, SourceUnavailable
from posebus.messages import CaptureClock

PREFIX = "usb:"
MAX_DRIVER_DELAY_NS = 2_000_000_000


class UsbSource:
    """The camera /dev/videoN."""

    live = True
    frame_count: int | None = None
    warning: str | None = None

    def __init__(self, device: Path) -> None:
        """Raises SourceUnavailable: a camera that is not plugged in now may be plugged in later."""
        self.lost = 0
        self._device = device
        check_device(device)
        self._capture = cv2.VideoCapture(str(device), cv2.CAP_V4L2)
        if not self._capture.isOpened():
            raise SourceUnavailable(f"{device} does not open as a camera; it may be in use by another program")
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if fps and fps > 0 else None
        self._clock = ArrivalClock(time.time_ns(), time.monotonic_ns())
        self._times = CaptureTimes()

    def read(self, admit: Admit | None = None) -> CapturedImage | None:
        """See `Source.read`. Never ends."""
        while True:
            if not self._capture.grab():
                raise SourceUnavailable(f"{self._device} stopped sending pictures; check the plug")
            driver_ms = self._capture.get(cv2.CAP_PROP_POS_MSEC)
            stamp = self._times.stamp(self._clock.at(moment_ns(driver_ms, time.monotonic_ns())), None)
            if stamp is None:
                self.lost += 1
                continue
            captured_at_ns, _ = stamp
            if admit is not None and not admit(captured_at_ns):
                continue
            decoded, image = self._capture.retrieve()
            if not decoded or image is None:
                self.lost += 1
                continue
            return CapturedImage(RowsImage(np.ascontiguousarray(image)), captured_at_ns, CaptureClock.ARRIVAL)

    def close(self) -> None:
        """Release the device."""
        self._capture.release()


def moment_ns(driver_ms: float, now_ns: int) -> int:
    """Return when the driver filled the buffer (monotonic ns): its own stamp if that is plausible, else now.

    V4L2 drivers stamp buffers with the monotonic clock; some leave it at 0 or use another one.
    """
    stamped_ns = round(driver_ms * 1e6)
    return stamped_ns if 0 <= now_ns - stamped_ns <= MAX_DRIVER_DELAY_NS else now_ns


def check_device(device: Path) -> None:
    """Raise SourceUnavailable with one sentence if `device` is missing or may not be used."""
    if not device.exists():
        found = sorted(str(path) for path in device.parent.glob("video*"))
        known = f"there are {', '.join(found)}" if found else "no camera is plugged in"
        raise SourceUnavailable(f"there is no camera {device}; {known}")
    if not os.access(device, os.R_OK | os.W_OK):
        raise SourceUnavailable(f"{device} may not be read by this user; add the user to the group video")


def open_usb(settings: CameraSettings, *, live: bool) -> UsbSource:
    """Open the camera of `usb:N` or `usb:/dev/videoN`; it is always live, so `live` is ignored."""
    return UsbSource(device_of(settings.source))


def device_of(source: str) -> Path:
    """Return the device that `usb:N` or `usb:/dev/videoN` names. Raises SourceRejected."""
    name = source.removeprefix(PREFIX)
    if name.isascii() and name.isdecimal() and len(name) < 6:
        return Path(f"/dev/video{int(name)}")
    if name.startswith("/dev/"):
        return Path(name)
    raise SourceRejected(f"{source} names no camera; write usb:0 for /dev/video0")


def check_usb(settings: CameraSettings) -> str:
    """Return the device, which only one program can read. Raises SourceRejected, SourceUnavailable if it is missing."""
    device = device_of(settings.source)
    check_device(device)
    return str(device.resolve())


SPEC = SourceSpec(kind="usb", recognises=lambda source: source.startswith(PREFIX), open=open_usb, check=check_usb)
