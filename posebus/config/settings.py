"""Every setting there is, with its unit, default and meaning: one YAML file plus `POSEBUS_…` environment variables.

Reading the file, the environment and the errors' line numbers is `posebus.config.loading`; this file only says what is
legal.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from posebus.config.redaction import redact_url as redact_url
from posebus.config.worker_settings import AUTO_IMGSZ_FIRST as AUTO_IMGSZ_FIRST
from posebus.config.worker_settings import Imgsz, InferFps, MotionGate, Strict
from posebus.config.worker_settings import WorkerSettings as WorkerSettings

CAMERA_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
"""Names become Redis keys, file names and CloudEvents subjects, so they hold no space, colon, slash or brace."""

CameraName = Annotated[str, StringConstraints(pattern=CAMERA_NAME_PATTERN)]
EMBEDDED = "embedded"
EMBEDDED_PORT = 6399
"""Where the embedded broker of `posebus up` listens, on this machine only; beside Redis' own 6379."""


class CameraSettings(Strict):
    """One source of frames."""

    source: str = Field(
        description="A file, a folder of pictures, an address (rtsp://, http://, https://, …), usb:N, or synthetic:NAME"
    )
    kind: str = Field(
        default="auto",
        pattern=r"^[a-z][a-z0-9_-]{0,31}$",
        examples=["auto", "file", "images", "network", "usb", "synthetic"],
        description="Kind of the source; auto: by its form. Installed packages may add kinds to those of posebus",
    )
    delivery: Literal["auto", "lossless", "live"] = Field(
        default="auto", description="lossless waits for the workers, live drops the oldest; auto: files lossless"
    )
    max_fps: float | None = Field(default=None, gt=0, description="Frames per second to publish at most")
    max_size_px: Annotated[int, Field(ge=64)] | Literal["auto"] | None = Field(
        default="auto",
        description="Longest side to which a frame is reduced before it travels; auto: the largest imgsz among the "
        "workers, null: never",
    )
    imgsz: Imgsz | None = Field(
        default=None, description="Longest side of the network's input for this camera; null: as worker.imgsz says"
    )
    infer_fps: InferFps | None = Field(
        default=None, description="Frames per second of this camera to infer at most; null: as worker.infer_fps says"
    )
    motion_gate: MotionGate | None = Field(
        default=None, description="When frames without motion are left out; null: as worker.motion_gate says"
    )
    encoding: Literal["jpeg", "raw"] = Field(default="jpeg", description="How pictures travel through the broker")
    jpeg_quality: int = Field(default=90, ge=1, le=100, description="JPEG quality of published frames")
    loop: bool = Field(default=False, description="Play a file again and again, as a live camera would go on")
    realtime: bool = Field(default=False, description="Play a file at its own pace instead of as fast as possible")
    open_timeout_s: float = Field(default=5.0, gt=0, description="Give up connecting to a camera after this time")
    read_timeout_s: float = Field(default=4.0, gt=0, description="A camera that sends nothing this long is offline")
    rtsp_transport: Literal["tcp", "udp"] = Field(
        default="tcp", description="How RTSP cameras send pictures; udp may lose parts of them"
    )
    hardware_decoding: Literal["off", "auto", "cuda", "vaapi", "qsv"] = Field(
        default="off", description="Decode network cameras by a graphics card: auto where there is one, else by name"
    )
    reconnect_min_s: float = Field(default=0.5, gt=0, description="First pause before reconnecting")
    reconnect_max_s: float = Field(default=30.0, gt=0, description="Longest pause between attempts to reconnect")
    max_backlog_bytes: int = Field(
        default=8_000_000, ge=1, description="Frames of this camera waiting in the broker, in bytes, at most"
    )
    lease_s: float = Field(
        default=2.0, gt=0.2, description="A camera whose ingest process is silent this long is taken over"
    )
    recorded_at_ns: int | None = Field(
        default=None, ge=0, description="When a recording began (Unix ns); else its time line starts at 0"
    )


class TrackerSettings(Strict):
    """Linking poses into identities. All durations are real time, all distances relative to the body."""

    high_score: float = Field(default=0.3, gt=0, lt=1, description="Detections from here on are linked first")
    low_score: float = Field(default=0.1, gt=0, lt=1, description="Detections below this are ignored")
    birth_score: float = Field(default=0.4, gt=0, lt=1, description="A new identity needs a detection of this score")
    confirm_s: float = Field(
        default=0.1,
        ge=0,
        description="A track is confirmed once it has been seen for this long",
    )
    certain_score: float = Field(
        default=0.6, gt=0, lt=1, description="A new identity seen this surely is confirmed at first sight"
    )
    in_sight_s: float = Field(
        default=0.25, gt=0, description="Unseen for longer, a track comes back on detections of high_score only"
    )
    missed_s: float = Field(
        default=0.2, ge=0, description="A track unseen this short stays confirmed, at its predicted place"
    )
    report_lost_s: float = Field(
        default=0.5, ge=0, description="A lost track is reported, predicted, until it has been unseen for this long"
    )
    leaving_s: float = Field(default=0.3, gt=0, description="The same as lost_s for who walked out of the picture")
    lost_s: float = Field(default=4.0, gt=0, description="A lost track ends after this time unseen")
    reorder_wait_s: float = Field(
        default=1.0, gt=0, description="On live sources, how long a missing frame holds up the ones after it"
    )
    lease_s: float = Field(default=2.0, gt=0.2, description="A camera whose tracker is silent this long is taken over")

    @model_validator(mode="after")
    def _check_order(self) -> TrackerSettings:
        if self.low_score > self.high_score:
            raise ValueError("tracker.low_score must not be above tracker.high_score")
        return self


EVENT_BYTES = 1024
"""No event takes more in the broker: as much counts for each, since all processes append to the same stream."""


class RetentionSettings(Strict):
    """How much the broker keeps: bytes as it counts them, and entries as a further bound."""

    tracks_bytes: int = Field(default=20_000_000, ge=100_000, description="Each camera's tracks stream, at most")
    tracks_entries: int = Field(default=5_000, ge=1, description="Entries of each camera's tracks stream, about")
    events_bytes: int = Field(
        default=20_000_000, ge=100_000, description="Each shard's events stream, at most (1024 are counted for each)"
    )
    events_entries: int = Field(default=20_000, ge=1, description="Entries of each shard's events stream, about")
    dead_bytes: int = Field(default=50_000_000, ge=100_000, description="Each shard's dead-letter stream, at most")
    dead_entries: int = Field(default=100, ge=1, description="Entries of each shard's dead-letter stream, about")
    poses_bytes: int = Field(
        default=16_000_000,
        ge=100_000,
        description="Poses of a live camera that wait for a tracker, at most; then the oldest are given up",
    )

    @property
    def events_kept(self) -> int:
        """How many events a shard keeps."""
        return min(self.events_entries, self.events_bytes // EVENT_BYTES)


class FleetSettings(Strict):
    """How many processes `posebus up` and `posebus run` start on this machine."""

    workers: int = Field(default=1, ge=0, description="Worker processes")
    trackers: int = Field(default=1, ge=0, description="Tracker processes")
    restart_min_s: float = Field(default=0.5, gt=0, description="Pause before a crashed process is started again")
    restart_max_s: float = Field(default=15.0, gt=0, description="Longest pause before a restart")
    stop_timeout_s: float = Field(default=10.0, gt=0, description="Time to drain after SIGTERM before SIGKILL")


class Settings(Strict):
    """The whole deployment."""

    redis: str = Field(
        default=EMBEDDED,
        description="Address of the broker (redis://, rediss://, unix://; several nodes of a cluster with commas "
        "between), or embedded to start one",
    )
    shards: int = Field(default=1, ge=1, le=16384, description="Groups of cameras, each on one node of a Redis Cluster")
    cameras: dict[CameraName, CameraSettings] = Field(default_factory=dict, description="Sources by name")
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    tracker: TrackerSettings = Field(default_factory=TrackerSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    fleet: FleetSettings = Field(default_factory=FleetSettings)
    log_level: Literal["info", "warning", "error"] = Field(
        default="info", description="What the processes of a deployment write to standard error"
    )
    shared_frames: Path | None = Field(
        default=None,
        description="Folder in this machine's memory through which pictures go uncompressed; posebus run makes its own",
    )
    cache_dir: Path | None = Field(default=None, description="Exported engines; by default ~/.cache/posebus")

    @field_validator("redis")
    @classmethod
    def _check_redis(cls, value: str) -> str:
        if value != EMBEDDED and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("must be 'embedded' or an address that starts with redis://, rediss:// or unix://")
        return value

    @field_validator("cameras", mode="before")
    @classmethod
    def _check_names(cls, value: object) -> object:
        if isinstance(value, dict):
            for name in value:
                check_camera_name(str(name))
        return value


def check_camera_name(name: str) -> str:
    """`name` itself; raises ValueError with a sentence for a name that cannot be part of a key."""
    if not re.match(CAMERA_NAME_PATTERN, name):
        raise ValueError(
            f"camera name {name!r} is not allowed: use 1 to 63 letters, digits, '.', '_' or '-', "
            "starting with a letter or digit"
        )
    return name
