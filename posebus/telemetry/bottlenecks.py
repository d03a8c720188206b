"""What limits a running deployment, and what would help, in one sentence each: the most important first. Pure.

Workers are compared with the cameras by frames a second: those that the live cameras want to be inferred, and those
that the workers finish while their engines are busy all the time.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from posebus.config.policies import SIZES
from posebus.telemetry.camera_state import CameraState
from posebus.telemetry.process_report import EVIDENCE, INGEST, TRACKER, WORKER
from posebus.wording import counted

BUSY = 0.9
"""From this share of the time on, an engine computes as much as it can: between two frames it waits for the next."""
SERVED = 0.9
"""Rates are measured over a few seconds: a smaller share of finished frames is no error of the measurement."""
TARGET_LOAD = 0.85
"""Share of the workers' capacity that frames which do not come evenly may take."""
KEPT_UP = 0.7
"""A camera that sends a smaller share of its nominal rate is mentioned: in the dark, many halve it."""
MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class CameraLoad:
    """What one camera asks for. wanted_fps: frames a second that are to be inferred. imgsz: their fixed size (pixels);
    None where a policy chooses it. sent_fps, nominal_fps: as in its report. loses: ingest loses pictures at present.
    keeps_pictures: for snapshots of its events."""

    name: str
    live: bool
    state: str
    wanted_fps: float | None = None
    imgsz: int | None = None
    sent_fps: float | None = None
    nominal_fps: float | None = None
    loses: bool = False
    keeps_pictures: bool = False


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """What one worker does: finished frames a second, and the share of the time in which its engine computes."""

    host: str
    ready: bool = True
    fps: float | None = None
    busy_share: float | None = None
    device: str | None = None


def bottlenecks(cameras: Sequence[CameraLoad], workers: Sequence[WorkerLoad], roles: Collection[str]) -> list[str]:
    """Return the sentences; `roles` are those of all living processes."""
    if not roles:
        return []
    return [*_missing_stages(cameras, workers, roles), *_overload(cameras, workers), *_slow_cameras(cameras)]


def _missing_stages(
    cameras: Sequence[CameraLoad], workers: Sequence[WorkerLoad], roles: Collection[str]
) -> Iterator[str]:
    live = [camera.name for camera in cameras if camera.live]
    if INGEST not in roles and live:
        yield f"nothing reads {_names(live)}: start posebus ingest"
    if WORKER not in roles:
        yield "nothing infers frames: start posebus work"
    elif not any(worker.ready for worker in workers):
        yield "no worker is ready yet: the first start on a machine exports the network, which takes a while"
    if TRACKER not in roles:
        yield "nothing reads poses: start posebus track"
    keeping = [camera.name for camera in cameras if camera.keeps_pictures]
    if EVIDENCE not in roles and keeping:
        yield f"nothing makes the snapshots of {_names(keeping)}: start python -m evidence"


def _overload(cameras: Sequence[CameraLoad], workers: Sequence[WorkerLoad]) -> Iterator[str]:
    """Yield what more workers, or a smaller size, would gain; not beside recordings, which take all that is left."""
    online = [camera for camera in cameras if camera.state == CameraState.ONLINE]
    wanted_fps = [camera.wanted_fps for camera in online if camera.wanted_fps]
    rates = [(one.fps, one.busy_share) for one in workers if one.ready]
    known = [(fps, busy) for fps, busy in rates if fps is not None and busy is not None]
    if not wanted_fps or not known or len(known) < len(rates) or not all(camera.live for camera in online):
        return
    busy = sum(share for _, share in known) / len(known)
    served, wanted = sum(fps for fps, _ in known), sum(wanted_fps)
    if busy < BUSY:
        return
    if served >= SERVED * wanted:
        yield f"engine busy {busy * 100:.0f} %: the workers carry all cameras, but not one more"
        return
    if served <= 0:
        return
    gain = _gain(len(wanted_fps), wanted, served, len(known))
    cores = ", on other cores," if all(one.device == "cpu" for one in workers if one.ready) else ""
    now = f"{served:.3g} of {wanted:.3g} frames a second are inferred"
    yield f"engine busy {busy * 100:.0f} %: {gain[0]}{cores} {gain[1]} ({now})"
    yield from _too_large(online, workers, served / wanted)


def _gain(cameras: int, wanted: float, served: float, workers: int) -> tuple[str, str]:
    """Return how many workers of the mean speed would help, and what they would do: one, or all that are missing."""
    mean_fps = served / workers
    one_camera = wanted / cameras
    more = math.floor(min(served + mean_fps, wanted) / one_camera + 1e-6) - math.floor(served / one_camera + 1e-6)
    if more > 0:
        return "one more worker", f"would serve {counted(more, 'more camera')}"
    return counted(math.ceil((wanted - served) / mean_fps - 1e-6), "more worker"), "would serve all cameras"


def _too_large(cameras: Sequence[CameraLoad], workers: Sequence[WorkerLoad], share: float) -> Iterator[str]:
    """Yield that a fixed size is too large, and the size at which the workers would carry the cameras.

    The cost of inference is proportional to the area of the network's input.
    """
    sizes = {camera.imgsz for camera in cameras if camera.wanted_fps}
    (imgsz,) = sizes if len(sizes) == 1 else (None,)
    if imgsz is None or imgsz <= SIZES[0]:
        return
    where = "this machine" if len({worker.host for worker in workers}) == 1 else "these machines"
    fitting = [size for size in SIZES if size < imgsz and (size / imgsz) ** 2 <= TARGET_LOAD * share]
    remedy = f"{fitting[-1]} px would fit, and imgsz: auto finds the size" if fitting else "imgsz: auto finds what fits"
    yield f"{imgsz} px is more than {where} can do for {counted(len(cameras), 'camera')}: {remedy}"


def _slow_cameras(cameras: Sequence[CameraLoad]) -> Iterator[str]:
    """Yield which cameras send fewer frames than they say; not while frames are lost here."""
    slow = [
        (camera.name, camera.sent_fps, camera.nominal_fps)
        for camera in cameras
        if camera.live and camera.state == CameraState.ONLINE and not camera.loses
        if camera.sent_fps and camera.nominal_fps and camera.sent_fps < KEPT_UP * camera.nominal_fps
    ]
    if len(slow) > MOST_NAMES:
        worst = min(slow, key=lambda one: one[1] / one[2])
        rate = f"{worst[1]:.3g} of {worst[2]:.3g} a second"
        yield f"{counted(len(slow), 'camera')} send fewer frames than they say; {worst[0]} sends {rate}"
        return
    for name, sent_fps, nominal_fps in slow:
        yield f"camera {name} sends {sent_fps:.3g} of its {nominal_fps:.3g} frames a second"


def _names(cameras: Sequence[str]) -> str:
    if len(cameras) <= MOST_NAMES:
        return f"{'camera' if len(cameras) == 1 else 'cameras'} {', '.join(cameras)}"
    return counted(len(cameras), "camera")
