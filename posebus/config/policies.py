"""The choices that a camera's settings leave to posebus: inference size, inference rate, and motion gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from posebus.config.settings import AUTO_IMGSZ_FIRST, CameraSettings, WorkerSettings
from posebus.contract.plan import Directive
from posebus.views import View

AUTO = "auto"
FIRST_INTERVAL_S = 1 / 12
"""With `infer_fps: auto`, the interval of inference for a camera as long as nothing is known about it: the tracker
distinguishes people who are close as well at 12 frames a second as at 25."""
SIZES = (320, 416, 512, 640, 800, 1024, 1280, 1600, 1920)
"""Inference sizes among which `imgsz: auto` chooses, up to `worker.imgsz_max`: each about a quarter larger than the one
before, as near as the networks' stride allows."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of one camera. Its ingest process announces them, so that its tracker knows them.

    imgsz: AUTO, a size in pixels, or None for the workers' own setting; imgsz_max: the largest size that AUTO chooses;
    infer_fps: AUTO, the maximum number of frames a second to infer, or None for all; motion_gate: as in the settings;
    fixed_imgsz: the fixed size at which frames are inferred, if a few of them are also inferred at imgsz_max to find
    out whether it misses people.
    """

    imgsz: int | str | None = None
    imgsz_max: int = 1280
    infer_fps: float | str | None = None
    motion_gate: str = "off"
    fixed_imgsz: int | None = None

    @property
    def any(self) -> bool:
        """Whether any policy is in force. If not, all frames are inferred alike, and the tracker writes no plan."""
        return self != Policies(imgsz_max=self.imgsz_max, fixed_imgsz=self.fixed_imgsz)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that `imgsz: auto` may choose, in ascending order."""
        return tuple(size for size in SIZES if size <= self.imgsz_max) or (self.imgsz_max,)

    @property
    def first_interval_s(self) -> float:
        """Seconds between two inferred frames as long as nothing is known about the camera."""
        if self.infer_fps is None:
            return 0.0
        return FIRST_INTERVAL_S if self.infer_fps == AUTO else 1.0 / float(self.infer_fps)

    def first(self, epoch: int = 0) -> Directive:
        """The directive as long as nothing is known about the camera.

        With `imgsz: auto`, the first frame is also probed at the largest size, which detects most, and at a small one;
        results of sizes between these follow from the sizes of people.
        """
        interval_s = self.first_interval_s
        if self.imgsz == AUTO:
            view = View(min(AUTO_IMGSZ_FIRST, self.sizes[-1]))
            ends = dict.fromkeys((self.sizes[min(1, len(self.sizes) - 1)], self.sizes[-1]))
            probe = tuple(View(size) for size in ends if size != view.imgsz)
            return Directive(epoch=epoch, seq=-1, captured_at_ns=0, view=view, probe=probe, interval_s=interval_s)
        view_or_none = View(self.imgsz) if isinstance(self.imgsz, int) else None
        return Directive(epoch=epoch, seq=-1, captured_at_ns=0, view=view_or_none, interval_s=interval_s)

    def to_json(self) -> dict[str, Any]:
        """The policies as JSON values."""
        return asdict(self)


DEFAULT = Policies()


def policies_of(camera: CameraSettings, worker: WorkerSettings, *, live: bool) -> Policies:
    """The camera's own settings, else those of the workers; a fixed size of the workers is no policy of a camera."""
    imgsz = camera.imgsz if camera.imgsz is not None else (AUTO if worker.imgsz == AUTO else None)
    infer_fps = camera.infer_fps if camera.infer_fps is not None else worker.infer_fps
    fixed = worker.imgsz if imgsz is None else imgsz
    return Policies(
        imgsz=imgsz,
        imgsz_max=worker.imgsz_max,
        infer_fps=infer_fps,
        motion_gate=camera.motion_gate or worker.motion_gate or ("conservative" if live else "off"),
        fixed_imgsz=fixed if isinstance(fixed, int) and fixed < worker.imgsz_max else None,
    )


def policies_from_json(values: Mapping[str, Any]) -> Policies:
    """The inverse of `to_json`. Raises KeyError, TypeError or ValueError."""
    imgsz, infer_fps = values["imgsz"], values["infer_fps"]
    return Policies(
        imgsz=imgsz if imgsz in (None, AUTO) else int(imgsz),
        imgsz_max=int(values["imgsz_max"]),
        infer_fps=infer_fps if infer_fps in (None, AUTO) else float(infer_fps),
        motion_gate=str(values["motion_gate"]),
        # Missing in what an ingest of an earlier version announced.
        fixed_imgsz=None if values.get("fixed_imgsz") is None else int(values["fixed_imgsz"]),
    )
