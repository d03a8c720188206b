"""All settings with unit, default, limits and meaning.

They are read from one YAML file and `POSEBUS_…` environment variables by `posebus.config.loading`; this module only
defines which values are valid.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from posebus.config.cameras.camera_settings import CameraOptions
from posebus.config.cameras.camera_settings import CameraSettings as CameraSettings
from posebus.config.cameras.evidence import SnapshotSettings
from posebus.config.sinks import SinkName, SinkSettings
from posebus.config.wall.wall_settings import WallSettings
from posebus.config.worker_settings import AUTO_IMGSZ_FIRST as AUTO_IMGSZ_FIRST
from posebus.config.worker_settings import Strict
from posebus.config.worker_settings import WorkerSettings as WorkerSettings
from posebus.contract.events import EVENT_BYTES

CAMERA_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
"""Names become part of Redis keys, file names and CloudEvents subjects: no space, colon, slash or brace."""

CameraName = Annotated[str, StringConstraints(pattern=CAMERA_NAME_PATTERN)]
EMBEDDED = "embedded"
EMBEDDED_PORT = 6399
"""Port of the embedded broker of `posebus up`, on this machine only; not 6379, which a Redis server may use."""


class TrackerSettings(Strict):
    """Linking poses into identities. Durations are in seconds, not in frames, so they hold at any frame rate."""

    high_score: float = Field(
        default=0.3, gt=0, lt=1, description="Detections with at least this score are matched to tracks first"
    )
    low_score: float = Field(default=0.1, gt=0, lt=1, description="Detections below this score are ignored")
    birth_score: float = Field(
        default=0.4, gt=0, lt=1, description="A new track starts only from a detection with at least this score"
    )
    confirm_s: float = Field(
        default=0.1,
        ge=0,
        description="A track is confirmed once it has been detected for this long",
    )
    certain_score: float = Field(
        default=0.6, gt=0, lt=1, description="A new track whose detection has at least this score is confirmed at once"
    )
    in_sight_s: float = Field(
        default=0.25,
        gt=0,
        description="A track that was not detected for longer is matched only to detections of high_score. Of the "
        "camera's usual interval between frames, at most this counts as not detected, here and in the times below",
    )
    missed_s: float = Field(
        default=0.2,
        ge=0,
        description="A track that was not detected for up to this time stays confirmed, at its predicted position",
    )
    report_lost_s: float = Field(
        default=0.5,
        ge=0,
        description="A lost track is reported, with predicted positions, until it has not been detected for this time",
    )
    leaving_s: float = Field(default=0.3, gt=0, description="Like lost_s, for a person who left the picture")
    lost_s: float = Field(
        default=4.0, gt=0, description="A lost track ends when it has not been detected for this time"
    )
    reorder_wait_s: float = Field(
        default=1.0, gt=0, description="How long frames of a live source wait for a missing frame before them"
    )
    lease_s: float = Field(
        default=2.0,
        gt=0.2,
        description="If a camera's tracker sends no heartbeat for this time, another one may take over",
    )

    @model_validator(mode="after")
    def _check_order(self) -> TrackerSettings:
        if self.low_score > self.high_score:
            raise ValueError("tracker.low_score must not be above tracker.high_score")
        return self


class RetentionSettings(Strict):
    """How much the broker keeps, in bytes as the broker counts them, and in entries as a second bound."""

    tracks_bytes: int = Field(
        default=20_000_000, ge=100_000, description="Maximum size in bytes of each camera's tracks stream"
    )
    tracks_entries: int = Field(
        default=5_000, ge=1, description="Approximate maximum number of entries of each camera's tracks stream"
    )
    events_bytes: int = Field(
        default=40_000_000,
        ge=100_000,
        description=f"Maximum size in bytes of each shard's events stream (an event counts as {EVENT_BYTES})",
    )
    events_entries: int = Field(
        default=20_000, ge=1, description="Approximate maximum number of entries of each shard's events stream"
    )
    dead_bytes: int = Field(
        default=50_000_000, ge=100_000, description="Maximum size in bytes of each shard's dead-letter stream"
    )
    dead_entries: int = Field(
        default=100, ge=1, description="Approximate maximum number of entries of each shard's dead-letter stream"
    )
    poses_bytes: int = Field(
        default=16_000_000,
        ge=100_000,
        description="Maximum size in bytes of a live camera's poses that wait for a tracker; beyond it the oldest "
        "are dropped",
    )

    @property
    def events_kept(self) -> int:
        """Number of events that a shard keeps."""
        return min(self.events_entries, self.events_bytes // EVENT_BYTES)


class FleetSettings(Strict):
    """The processes that `posebus up` and `posebus run` start on this machine."""

    workers: int = Field(default=1, ge=0, le=1000, description="Number of worker processes")
    trackers: int = Field(default=1, ge=0, le=1000, description="Number of tracker processes")
    restart_min_s: float = Field(
        default=0.5, gt=0, description="First pause before a crashed process is restarted, in seconds"
    )
    restart_max_s: float = Field(default=15.0, gt=0, description="Longest pause before a restart, in seconds")
    stop_timeout_s: float = Field(
        default=10.0,
        gt=0,
        description="Time that processes have to finish after SIGTERM before they are killed, in seconds",
    )


class Settings(Strict):
    """The settings of a whole deployment."""

    redis: str = Field(
        default=EMBEDDED,
        description="Address of the broker (redis://, rediss:// or unix://; the nodes of a cluster are separated "
        "by commas), or embedded: posebus starts one",
    )
    shards: int = Field(
        default=1,
        ge=1,
        le=16384,
        description="Number of groups of cameras; each group is on one node of a Redis Cluster",
    )
    cameras: dict[CameraName, CameraSettings] = Field(default_factory=dict, description="The sources, by camera name")
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    tracker: TrackerSettings = Field(default_factory=TrackerSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    fleet: FleetSettings = Field(default_factory=FleetSettings)
    sinks: dict[SinkName, SinkSettings] = Field(
        default_factory=dict, description="Sinks that posebus up and posebus deliver run, by a name of their own"
    )
    evidence: SnapshotSettings = Field(default_factory=SnapshotSettings)
    wall: WallSettings = Field(default_factory=WallSettings)
    log_level: Literal["info", "warning", "error"] = Field(
        default="info", description="Least severe log messages that the processes write to standard error"
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Format of log messages: text, or a JSON object in each line; times are UTC"
    )
    shared_frames: Path | None = Field(
        default=None,
        description="Folder in this machine's memory (such as /dev/shm) for uncompressed frames, which then bypass "
        "the broker; posebus run makes its own",
    )
    cache_dir: Path | None = Field(default=None, description="Folder for exported engines; null: ~/.cache/posebus")

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


class SettingsFile(Settings):
    """What a configuration file and the environment may contain: `Settings`, and what is resolved while they load."""

    defaults: CameraOptions = Field(
        default_factory=CameraOptions,
        description="Fields of cameras that hold for all cameras of this file; a field under a camera overrides them",
    )


def check_camera_name(name: str) -> str:
    """Return `name`. Raises ValueError for a name that cannot be part of a key."""
    if not re.match(CAMERA_NAME_PATTERN, name):
        raise ValueError(
            f"camera name {name!r} is not allowed: use 1 to 63 letters, digits, '.', '_' or '-', "
            "starting with a letter or digit"
        )
    return name
