"""The settings of workers (detection and keypoint estimation), part of `posebus.config.settings`."""

from __future__ import annotations

import difflib
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from posebus.contract.wire import MAX_SIDE_PX
from posebus.views import MAX_IMGSZ

AUTO_IMGSZ_FIRST = 640
"""With `imgsz: auto`, the inference size for a camera as long as nothing is known about it."""

EngineName = Literal["auto", "torch", "openvino", "onnx"]
"""The values of `WorkerSettings.engine` that posebus itself offers; other packages add engines by entry points."""

LARGEST, SMALLEST = 1e9, 1e-9
"""Limits of all settings that are no whole numbers: timers and rates overflow far beyond."""
LARGEST_WHOLE = 2**62
"""Limit of whole numbers: nanoseconds until the year 2116."""

_ENGINES = get_args(EngineName)


def _size(value: object) -> object:
    """Check an inference size with one message; for a union, pydantic would report an error for each of its members."""
    number = _number(value)
    if value == "auto" or (number is not None and number % 32 == 0 and 64 <= number <= MAX_IMGSZ):
        return value
    raise ValueError(f"must be auto, or a multiple of 32 from 64 to {MAX_IMGSZ}{_instead(value)}")


def _rate(value: object) -> object:
    number = _number(value)
    if value == "auto" or (number is not None and SMALLEST <= number <= LARGEST):
        return value
    raise ValueError(f"must be auto, or a number greater than 0{_instead(value)}")


def _number(value: object) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def _instead(value: object) -> str:
    return f", not {value}" if isinstance(value, str | int | float) and len(str(value)) < 20 else ""


Imgsz = Annotated[Annotated[int, Field(ge=64, le=MAX_IMGSZ, multiple_of=32)] | Literal["auto"], BeforeValidator(_size)]


def _engine(value: object) -> object:
    """Refuse what looks like a mistyped built-in name. Other names are left to the worker: the package that adds the
    engine need not be installed where ingest and tracker read the same configuration."""
    if not isinstance(value, str) or any(name in value for name in _ENGINES):
        return value
    close = difflib.get_close_matches(value, _ENGINES, n=1, cutoff=0.6)
    if close:
        raise ValueError(f"must be {', '.join(_ENGINES)} or an engine of another package; did you mean {close[0]!r}?")
    return value


SidePx = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]
InferFps = Annotated[Annotated[float, Field(gt=0)] | Literal["auto"], BeforeValidator(_rate)]
EngineSetting = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$"), BeforeValidator(_engine)]
PrecisionName = Literal["auto", "fp32", "bf16", "fp16", "int8"]
MotionGate = Literal["off", "conservative", "eager"]
Enhance = Literal["off", "auto"]


class Strict(BaseModel):
    """A section of the settings. Unknown fields are errors, and values cannot be changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="after")
    @classmethod
    def _check_magnitude(cls, value: object) -> object:
        """Refuse numbers that overflow clocks and timers; every field with a meaning for larger ones has its limit."""
        if isinstance(value, float) and value > LARGEST:
            raise ValueError(f"must be at most {LARGEST:g}, not {value:g}")
        if isinstance(value, float) and 0 < value < SMALLEST:
            raise ValueError(f"must be at least {SMALLEST:g}, not {value:g}")
        if type(value) is int and value > LARGEST_WHOLE:
            raise ValueError(f"must be at most {LARGEST_WHOLE}")
        return value


class WorkerSettings(Strict):
    """Detection and keypoint estimation."""

    model: str = Field(default="yolo11n-pose", description="Name of an ultralytics pose model, or a path to a .pt file")
    allow_unknown_weights: bool = Field(
        default=False,
        description="Load weights with an unknown hash. Loading unpickles them, so do this only with files that "
        "you trust",
    )
    engine: EngineSetting = Field(
        default="auto",
        description="Inference engine: auto, torch, openvino, onnx, or one that an installed package adds",
        examples=list(_ENGINES),
    )
    precision: PrecisionName = Field(
        default="auto",
        description="Arithmetic of the engine; auto: the fastest floating-point format that the device supports "
        "natively; int8: the engine that `posebus engines build` made",
    )
    imgsz: Imgsz = Field(
        default="auto",
        description="Longest side of the network's input in pixels; auto: for each camera the smallest size that "
        "still detects its people, of live cameras as far as the workers can carry it",
    )
    imgsz_max: int = Field(
        default=1280, ge=64, le=MAX_IMGSZ, multiple_of=32, description="The largest size that imgsz: auto may choose"
    )
    infer_fps: InferFps | None = Field(
        default=None,
        description="Maximum number of frames per second of each camera that are inferred; in the others, people "
        "are predicted; auto: as few as tracking needs; null: all frames",
    )
    motion_gate: MotionGate | None = Field(
        default=None,
        description="Which frames are not inferred; conservative: frames without motion and people; eager: also "
        "frames with little motion; null: conservative for live cameras, off for recordings",
    )
    enhance: Enhance | None = Field(
        default=None,
        description="Improve dark, hazy, noisy and blocky pictures before inference; auto: good pictures stay "
        "unchanged; null: auto for live cameras, off for recordings",
    )
    keypoint_model: str | None = Field(
        default=None,
        description="Path of the .onnx file of a top-down network that computes the keypoints of all people",
    )
    refine_below_px: int | None = Field(
        default=None,
        ge=1,
        description="People of a smaller height (in pixels of the network's input, or of the picture if that is "
        "smaller) are inferred again on an enlarged crop; null: never",
    )
    refine_mirrored: bool = Field(
        default=True,
        description="For refine_below_px, infer each crop and its mirror image: more accurate, at twice the cost",
    )
    conf: float = Field(default=0.1, gt=0, lt=1, description="Boxes below this score are not published")
    iou: float = Field(
        default=0.7, gt=0, le=1, description="Overlap (IoU) from which non-maximum suppression removes the weaker box"
    )
    max_people: int = Field(default=300, ge=1, le=1000, description="Maximum number of people per frame")
    appearance: bool = Field(
        default=True, description="Describe the colours of torso and legs, which help the tracker to distinguish people"
    )
    masks: str | None = Field(
        default=None,
        description="Also compute outlines of people, with this ultralytics segmentation model: a name "
        "(yolo11n-seg) or the path of a .pt file",
    )
    batch: int | None = Field(
        default=None, ge=1, le=1024, description="Frames per forward pass; null: a size that suits the engine"
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="CPU threads of the engine; null: all cores, divided among the workers of a machine",
    )
    decode_threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Threads that decode pictures; null: a few if inference runs on the CPU, else half the cores",
    )
    fixed_batch: bool = Field(
        default=False,
        description="Compute full batches only, so that no result depends on the other frames of its batch",
    )
    warm_up_px: tuple[tuple[SidePx, SidePx], ...] = Field(
        default=(), description="Picture sizes [width, height] for which the engine is prepared before the first frame"
    )
    max_age_ms: float = Field(default=500.0, gt=0, description="Live frames that are older than this are skipped")
    reclaim_after_s: float = Field(
        default=2.0,
        gt=0,
        description="Frames are reclaimed from a worker that has sent no sign of life for this time; a slow worker "
        "sends one as long as it works on them",
    )
    hang_s: float = Field(
        default=20.0,
        gt=0,
        description="A worker is restarted if one frame takes this long, or six times as long for the first frame "
        "of a new size, for which engines prepare themselves",
    )
    max_deliveries: int = Field(
        default=3, ge=1, description="A frame that failed, or made its worker fail, this often is dead-lettered"
    )

    def enhances(self, *, live: bool) -> bool:
        """Whether pictures are improved before inference: those of live cameras, or those of recordings."""
        return live if self.enhance is None else self.enhance == "auto"

    @property
    def largest_imgsz(self) -> int:
        """The largest inference size of these workers."""
        return self.imgsz_max if self.imgsz == "auto" else self.imgsz

    @property
    def plain_imgsz(self) -> int:
        """The inference size of a picture for which no view is requested."""
        return min(AUTO_IMGSZ_FIRST, self.imgsz_max) if self.imgsz == "auto" else self.imgsz
