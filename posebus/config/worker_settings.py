"""The settings of detection and keypoint estimation, part of `posebus.config.settings`."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

AUTO_IMGSZ_FIRST = 640
"""With `imgsz: auto`, pictures of a camera of which nothing is known yet are inferred at this size."""


def _size(value: object) -> object:
    """One sentence for whatever is wrong; of a union, pydantic would tell what each of its members missed."""
    number = _number(value)
    if value == "auto" or (number is not None and number % 32 == 0 and 64 <= number <= 4096):
        return value
    raise ValueError(f"must be auto, or a multiple of 32 from 64 to 4096{_instead(value)}")


def _rate(value: object) -> object:
    number = _number(value)
    if value == "auto" or (number is not None and number > 0 and math.isfinite(number)):
        return value
    raise ValueError(f"must be auto, or a number greater than 0{_instead(value)}")


def _number(value: object) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _instead(value: object) -> str:
    return f", not {value}" if isinstance(value, str | int | float) and len(str(value)) < 20 else ""


Imgsz = Annotated[Annotated[int, Field(ge=64, le=4096, multiple_of=32)] | Literal["auto"], BeforeValidator(_size)]
InferFps = Annotated[Annotated[float, Field(gt=0)] | Literal["auto"], BeforeValidator(_rate)]
EngineName = Literal["auto", "torch", "openvino", "onnx"]
PrecisionName = Literal["auto", "fp32", "bf16", "fp16", "int8"]
MotionGate = Literal["off", "conservative", "eager"]
Enhance = Literal["off", "auto"]


class Strict(BaseModel):
    """A section of the settings: a field that is not known is a problem, and nothing is changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkerSettings(Strict):
    """Detection and keypoint estimation."""

    model: str = Field(default="yolo11n-pose", description="Name of an ultralytics pose model, or a path to a .pt file")
    allow_unknown_weights: bool = Field(
        default=False, description="Load weights of unknown hash (loading unpickles: trust them first)"
    )
    engine: EngineName = Field(default="auto", description="Inference engine")
    precision: PrecisionName = Field(
        default="auto",
        description="Arithmetic of the engine; auto takes the fastest floating point that the device does natively, "
        "int8 loads what `posebus engines build` made",
    )
    imgsz: Imgsz = Field(
        default=640,
        description="Longest side of the network's input in pixels; auto: for each camera the smallest at which its "
        "people are still found",
    )
    imgsz_max: int = Field(
        default=1280, ge=64, le=4096, multiple_of=32, description="The largest size that imgsz: auto chooses"
    )
    infer_fps: InferFps | None = Field(
        default=None,
        description="Frames per second of each camera to infer at most, the others carry predicted people; auto: as "
        "few as identities need, null: all",
    )
    motion_gate: MotionGate = Field(
        default="off",
        description="Frames in which nothing moves and nobody is are not inferred: conservative, or eager, which "
        "leaves out frames in which little has moved, too",
    )
    enhance: Enhance = Field(
        default="off",
        description="Mend dark, hazy, noisy and blocky pictures before inference; good ones stay as they are",
    )
    keypoint_model: str | None = Field(
        default=None, description="Path to the .onnx file of a top-down network that computes everybody's keypoints"
    )
    refine_below_px: int | None = Field(
        default=None,
        ge=1,
        description="The network looks again, on an enlarged crop, at people less high than this in its input, or in "
        "the picture where that has fewer rows",
    )
    refine_mirrored: bool = Field(
        default=True, description="Refine by two looks, one of them at the mirror image: better, at twice the price"
    )
    conf: float = Field(default=0.1, gt=0, lt=1, description="Boxes below this score are not published")
    iou: float = Field(default=0.7, gt=0, le=1, description="Overlap at which NMS suppresses the weaker box")
    max_people: int = Field(default=300, ge=1, le=1000, description="People per frame at most")
    appearance: bool = Field(
        default=True, description="Describe the colours of torso and legs, by which the tracker tells people apart"
    )
    masks: str | None = Field(
        default=None,
        description="Outline people, too: an ultralytics segmentation model by name (yolo11n-seg) or path of a .pt",
    )
    batch: int | None = Field(default=None, ge=1, description="Frames per inference; by default what suits the engine")
    threads: int | None = Field(
        default=None,
        ge=1,
        description="CPU threads of the engine; by default all cores, shared by workers of a machine",
    )
    decode_threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads that decode pictures; by default few on a CPU, half the cores beside a GPU",
    )
    fixed_batch: bool = Field(
        default=False, description="Compute full batches only, so that no answer depends on the frames beside it"
    )
    warm_up_px: tuple[tuple[int, int], ...] = Field(
        default=(), description="Picture sizes [width, height] that the engine is made ready for before the first frame"
    )
    max_age_ms: float = Field(default=500.0, gt=0, description="Live frames older than this are skipped")
    reclaim_after_s: float = Field(
        default=2.0,
        gt=0,
        description="Frames whose worker has not been heard of for this long are taken over; one that works on them "
        "says so, however long that takes",
    )
    hang_s: float = Field(
        default=20.0,
        gt=0,
        description="A worker in which one frame takes this long ends and is started again; of a new size six times "
        "this, for engines set themselves up",
    )
    max_deliveries: int = Field(
        default=3, ge=1, description="A frame that fails or brings down its worker this often is dead-lettered"
    )

    @property
    def largest_imgsz(self) -> int:
        """The largest size at which these workers infer."""
        return self.imgsz_max if self.imgsz == "auto" else self.imgsz

    @property
    def plain_imgsz(self) -> int:
        """The size at which a picture is inferred of which nothing else is said."""
        return min(AUTO_IMGSZ_FIRST, self.imgsz_max) if self.imgsz == "auto" else self.imgsz
