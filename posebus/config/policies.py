"""What is left to posebus to find out about a camera, as its settings say: sizes, rates, and when to look at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from posebus.config.settings import AUTO_IMGSZ_FIRST, CameraSettings, WorkerSettings
from posebus.contract.plan import Directive
from posebus.views import View

AUTO = "auto"
FIRST_INTERVAL_S = 1 / 12
"""With `infer_fps: auto`, cameras of which nothing is known yet are inferred this often: to tell people apart who are
close, twelve looks a second do as well as twenty-five."""
SIZES = (320, 416, 512, 640, 800, 1024, 1280, 1600, 1920)
"""Inference sizes among which `imgsz: auto` chooses, up to `worker.imgsz_max`: each a quarter larger than the one
before, as near as the networks' stride allows."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Of one camera; announced by its ingest, so that whichever tracker has it knows them.

    imgsz: AUTO, or a size in pixels, or None as the workers are set; imgsz_max: the largest that AUTO takes.
    infer_fps: AUTO, or frames a second that are inferred at most, or None for all. motion_gate: as in the settings.
    """

    imgsz: int | str | None = None
    imgsz_max: int = 1280
    infer_fps: float | str | None = None
    motion_gate: str = "off"

    @property
    def any(self) -> bool:
        """Whether anything is decided at all; else frames are inferred as they come, and no plan is written."""
        return self != Policies(imgsz_max=self.imgsz_max)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that `imgsz: auto` may choose, ascending."""
        return tuple(size for size in SIZES if size <= self.imgsz_max) or (self.imgsz_max,)

    @property
    def first_interval_s(self) -> float:
        """How long nobody is looked at again before anything is known."""
        if self.infer_fps is None:
            return 0.0
        return FIRST_INTERVAL_S if self.infer_fps == AUTO else 1.0 / float(self.infer_fps)

    def first(self, epoch: int = 0) -> Directive:
        """What is done before anything is known, whoever is there. By `imgsz: auto` the first frame is measured at the
        largest size, which sees most, and at a small one: what lies between follows from how large people are."""
        interval_s = self.first_interval_s
        if self.imgsz == AUTO:
            view = View(min(AUTO_IMGSZ_FIRST, self.sizes[-1]))
            ends = dict.fromkeys((self.sizes[min(1, len(self.sizes) - 1)], self.sizes[-1]))
            probe = tuple(View(size) for size in ends if size != view.imgsz)
            return Directive(epoch, -1, 0, view, probe, interval_s=interval_s)
        view_or_none = View(self.imgsz) if isinstance(self.imgsz, int) else None
        return Directive(epoch, -1, 0, view_or_none, interval_s=interval_s)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


DEFAULT = Policies()


def policies_of(camera: CameraSettings, worker: WorkerSettings) -> Policies:
    """The camera's own word where it has one, else what holds for all. A size that the workers are set to is theirs."""
    imgsz = camera.imgsz if camera.imgsz is not None else (AUTO if worker.imgsz == AUTO else None)
    infer_fps = camera.infer_fps if camera.infer_fps is not None else worker.infer_fps
    return Policies(imgsz, worker.imgsz_max, infer_fps, camera.motion_gate or worker.motion_gate)


def policies_from_json(values: Mapping[str, Any]) -> Policies:
    """What `to_json` made. Raises KeyError, TypeError or ValueError."""
    imgsz, infer_fps = values["imgsz"], values["infer_fps"]
    return Policies(
        imgsz if imgsz in (None, AUTO) else int(imgsz),
        int(values["imgsz_max"]),
        infer_fps if infer_fps in (None, AUTO) else float(infer_fps),
        str(values["motion_gate"]),
    )
