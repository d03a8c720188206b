"""Settings of evidence: the ring of reduced pictures of a camera, and the snapshots that are made from it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from posebus.config.worker_settings import Strict
from posebus.contract.foreign_json import load_json
from posebus.errors import MalformedMessage

if TYPE_CHECKING:
    from posebus.config.cameras.camera_settings import CameraOptions

MODES = ("auto", "on", "off")
RING_S = 10.0
RING_BYTES = 8_000_000
RING_FPS = 5.0
RING_SIDE_PX = 640


class EvidenceSettings(Strict):
    """The ring of one camera."""

    mode: Literal["auto", "on", "off"] = Field(
        default="auto", description="auto: a live camera with rules keeps pictures, others do not"
    )
    seconds: float = Field(default=RING_S, gt=0, le=3600, description="Pictures are kept for this time")
    bytes: int = Field(default=RING_BYTES, ge=100_000, description="Maximum size in bytes of the camera's pictures")
    max_fps: float = Field(default=RING_FPS, gt=0, description="Maximum number of pictures per second")
    max_size_px: int = Field(
        default=RING_SIDE_PX, ge=64, le=4096, description="Longest side in pixels to which the pictures are reduced"
    )


def read_evidence(value: object) -> object:
    """Return the fields in `value`; a mode alone stands for all of them, and text may be JSON, as in the environment.

    Raises ValueError for anything else.
    """
    if isinstance(value, bool):  # YAML 1.1 reads on and off as truth values
        return {"mode": "on" if value else "off"}
    if isinstance(value, str):
        if value in MODES:
            return {"mode": value}
        try:
            value = load_json(value, "evidence")
        except MalformedMessage:
            value = None
    if isinstance(value, EvidenceSettings | dict):
        return value
    raise ValueError("must be auto, on, off, or fields such as {mode: on, seconds: 20}")


def keeps_pictures(camera: CameraOptions, *, live: bool) -> bool:
    """Return whether the camera keeps a ring of pictures. live: whether its frames are dropped when they are late."""
    mode = camera.evidence.mode
    return mode == "on" or (mode == "auto" and live and bool(camera.rules))


_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": list(MODES), "type": "string"},
        {key: value for key, value in EvidenceSettings.model_json_schema().items() if key != "title"},
    ]
}

EvidenceField = Annotated[EvidenceSettings, BeforeValidator(read_evidence), WithJsonSchema(_SCHEMA)]
"""The type of the setting of a camera; a mode may stand for the whole section."""


class SnapshotSettings(Strict):
    """What becomes of the snapshots of events, of all cameras: section `evidence`."""

    keep_s: float = Field(
        default=86_400.0, gt=0, description="Snapshots of events are deleted after this time, in seconds"
    )
    max_bytes: int = Field(
        default=20_000_000,
        ge=100_000,
        description="Maximum size in bytes of each camera's snapshots; beyond it the oldest are deleted",
    )
    folder: str | None = Field(
        default=None,
        description="Folder for the snapshots, on the machine of the evidence process; null: they stay in the broker",
    )
