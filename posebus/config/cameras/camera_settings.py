"""The settings of one camera, part of `posebus.config.settings`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from posebus.config.cameras.actions import ActionsField
from posebus.config.cameras.evidence import EvidenceField, EvidenceSettings
from posebus.config.cameras.ground import GroundField
from posebus.config.cameras.privacy import HEADS, Privacy, ZonesField
from posebus.config.cameras.region import RegionField
from posebus.config.cameras.schedule import EXAMPLE, ScheduleField
from posebus.config.rules.kinds import ActionRule, ProximityRule, RunningRule
from posebus.config.rules.reading import RulesField
from posebus.config.worker_settings import Imgsz, InferFps, MotionGate, Strict

APPLIED_LIVE = ("paused", "schedule", "region", "ground", "privacy", "rules", "evidence", "actions")
"""Fields that the supervisor of a camera's process, or the process itself, applies while it runs."""


def _whole_number(value: object) -> object:
    """Read text, as environment variables hold it; a Literal takes numbers alone."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


Rotation = Annotated[Literal[0, 90, 180, 270], BeforeValidator(_whole_number)]


class _Source(Strict):
    source: str = Field(
        description="A file, a folder of pictures, an address (rtsp://, http://, https://, …), usb:N, or synthetic:NAME"
    )


class CameraOptions(Strict):
    """The fields of a camera without its source. Under `defaults` they hold for all cameras that have none of their
    own."""

    kind: str = Field(
        default="auto",
        pattern=r"^[a-z][a-z0-9_-]{0,31}$",
        examples=["auto", "file", "images", "network", "usb", "synthetic"],
        description="Kind of the source; auto: by its form. Installed packages may add kinds to those of posebus",
    )
    delivery: Literal["auto", "lossless", "live"] = Field(
        default="auto",
        description="lossless: the source waits for the workers; live: the oldest frames are dropped; auto: "
        "lossless for recordings that are neither looped nor played in real time, live for all other sources",
    )
    max_fps: float | None = Field(
        default=None,
        gt=0,
        description="Maximum number of frames per second that are published; below 1 per second people who "
        "walk cannot be followed",
    )
    max_size_px: Annotated[int, Field(ge=64)] | Literal["auto"] | None = Field(
        default="auto",
        description="Longest side in pixels to which frames are reduced before they are published; auto: the "
        "largest imgsz of the workers; null: frames are not reduced",
    )
    paused: bool = Field(
        default=False, description="The camera stays in the configuration and is not read, until this is false again"
    )
    schedule: ScheduleField = Field(
        default=None,
        examples=[EXAMPLE, "22:00-06:00 America/New_York", "Mon Wed Fri UTC"],
        description="When the camera is read: days, times, or days and times, separated by commas, and at the end the "
        "time zone by its IANA name; times may go over midnight. null: always",
    )
    rotate: Rotation = Field(
        default=0,
        description="Degrees clockwise by which each picture is turned before anything else, so that people stand "
        "upright in it; size_px and all coordinates are those of the turned picture",
    )
    region: RegionField = Field(
        default=None,
        examples=[[[0, 0.4], [1, 0.4], [1, 1], [0, 1]]],
        description="Where people are reported: a polygon as a list of points [x, y], or several in a list. People "
        "whose feet are outside are left out. Parts of width and height of the (turned) picture if all coordinates are "
        "from 0 to 1, else pixels of it. null: everywhere",
    )
    ground: GroundField = Field(
        default=None,
        examples=[
            {"points": [[412, 655], [1090, 640], [820, 330], [505, 334]], "metres": [[0, 0], [4, 0], [4, 8], [0, 8]]}
        ],
        description="The floor, for positions, speeds and distances of people in metres: four `points` [x, y] of it in "
        "the picture, given as in region, and where these are on the floor, as `metres` [x, y] from any origin. "
        "`floor_size_m`: width and depth of the floor plan; people further outside than 1 m have no position. "
        "null: no metres",
    )
    rules: RulesField = Field(
        default_factory=dict,
        examples=[{"gate": {"kind": "line", "points": [[100, 300], [500, 300]]}}],
        description="What becomes an event, by a name of its own: see docs/rules.md for the kinds of rules",
    )
    privacy: Privacy = Field(
        default=HEADS,
        description="heads: the heads of people are blurred in every picture that is drawn and in every snapshot; "
        "none: they are shown",
    )
    privacy_zones: ZonesField = Field(
        default=(),
        examples=[[[0.8, 0], [1, 0], [1, 0.4], [0.8, 0.4]]],
        description="What no picture shows: polygons like those of `region`, which are filled with black before a "
        "picture leaves ingest. Nothing is detected there",
    )
    actions: ActionsField = Field(
        default="off",
        examples=["off", "builtin", "/models/stgcn.onnx"],
        description="What people do is added to their tracks. builtin: Walking, Running, Standing, Sitting, Squatting, "
        "Fallen or Lying; a path on the tracker's machine that ends with .onnx: the classes of that network (see "
        "docs/actions.md); off: nothing",
    )
    evidence: EvidenceField = Field(
        default_factory=EvidenceSettings,
        json_schema_extra={"default": "auto"},
        examples=["off", {"mode": "on", "seconds": 20, "max_fps": 10}],
        description="The newest pictures, reduced, from which snapshots and clips of events are made. auto: a live "
        "camera with rules keeps them; on; off; or fields: mode, seconds, bytes, max_fps, max_size_px",
    )
    imgsz: Imgsz | None = Field(
        default=None,
        description="Longest side of the network's input in pixels, for this camera; null: as in worker.imgsz",
    )
    infer_fps: InferFps | None = Field(
        default=None,
        description="Maximum number of frames per second of this camera that are inferred; null: as in "
        "worker.infer_fps",
    )
    motion_gate: MotionGate | None = Field(
        default=None, description="Which frames without motion are not inferred; null: as in worker.motion_gate"
    )
    camera_motion: Literal["auto", "off"] = Field(
        default="auto",
        description="auto: how the camera moves is estimated from its pictures, so that people keep their numbers "
        "while it shakes, pans or zooms; off: it is taken to stand still",
    )
    encoding: Literal["jpeg", "raw"] = Field(default="jpeg", description="Encoding of frames in the broker")
    jpeg_quality: int = Field(default=90, ge=1, le=100, description="JPEG quality of published frames")
    loop: bool = Field(default=False, description="Play a file repeatedly, like a camera that never ends")
    realtime: bool = Field(
        default=False, description="Play a file at its recorded speed instead of as fast as possible"
    )
    linked_files: Literal["folder", "any"] = Field(
        default="folder",
        description="Files that a playlist on disk (m3u8, ffconcat) may name: those in its folder, or any",
    )
    open_timeout_s: float = Field(default=5.0, gt=0, description="Connecting to a camera fails after this time")
    read_timeout_s: float = Field(default=4.0, gt=0, description="A camera that sends nothing for this time is offline")
    rtsp_transport: Literal["tcp", "udp"] = Field(
        default="tcp", description="Transport of RTSP cameras; with udp, parts of pictures can get lost"
    )
    hardware_decoding: Literal["off", "auto", "cuda", "vaapi", "qsv"] = Field(
        default="off",
        description="Decode network cameras on a graphics card: cuda, vaapi or qsv; auto: if one is available",
    )
    reconnect_min_s: float = Field(default=0.5, gt=0, description="First pause before reconnecting, in seconds")
    reconnect_max_s: float = Field(
        default=30.0, gt=0, description="Longest pause between attempts to reconnect, in seconds"
    )
    max_backlog_bytes: int = Field(
        default=8_000_000, ge=1, description="Maximum size in bytes of this camera's frames that wait in the broker"
    )
    lease_s: float = Field(
        default=2.0,
        gt=0.2,
        description="If a camera's ingest process sends no heartbeat for this time, another one may take over",
    )
    start_s: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="Frames of a recording before this time are left out"
    )
    end_s: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Frames of a recording from this time on are left out; null: it is read to its end",
    )
    every: int = Field(
        default=1, ge=1, description="1: all frames of a recording are read; N: every N-th frame, from start_s on"
    )
    recorded_at_ns: int | None = Field(
        default=None, ge=0, description="Start of a recording (Unix time in ns); null: its time line starts at 0"
    )


class CameraSettings(CameraOptions, _Source):
    """One source of frames."""

    @model_validator(mode="after")
    def _check_rules(self) -> CameraSettings:
        """Refuse rules that could never make an event, since the camera lacks what they look at."""
        for name, rule in self.rules.items():
            if isinstance(rule, ActionRule) and self.actions == "off":
                raise ValueError(f"the rule {name} needs actions: write 'actions: builtin' under this camera")
            in_metres = isinstance(rule, ProximityRule) and rule.distance_m is not None
            in_metres = in_metres or (isinstance(rule, RunningRule) and rule.speed_m_s is not None)
            if in_metres and self.ground is None:
                raise ValueError(f"the rule {name} is in metres: set 'ground' of this camera")
        return self

    @property
    def of_process(self) -> CameraSettings:
        """The settings without those that a change does not restart the camera's process for."""
        return self.model_copy(update=dict.fromkeys(APPLIED_LIVE))
