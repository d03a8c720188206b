"""What a process does with a camera whose lease it has just acquired: start, resume, or leave it. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum

from posebus.bus.checkpoint import ENDED, OFFLINE, OPEN, Checkpoint
from posebus.config.settings import CameraSettings

FRAME_SETTINGS = (
    *("source", "kind", "rotate", "max_fps", "recorded_at_ns", "start_s", "end_s", "every"),
    *("imgsz", "infer_fps", "motion_gate", "camera_motion"),
)
"""The settings that change which frames a camera gives."""


class StartMode(Enum):
    """How a process continues a camera."""

    NEW_EPOCH = "new epoch"
    NEW_EPOCH_AFTER_LOSS = "new epoch after loss"  # and an event reports that the camera was offline
    RESUME = "resume"  # after the last picture of the checkpoint, in its epoch
    ENDED = "ended"  # the recording was published to its end


@dataclass(slots=True)
class EpochStart:
    """Where the next picture belongs: to a new epoch, or after a checkpoint of another process."""

    opens_epoch: bool = True
    resume: Checkpoint | None = None

    def restart(self) -> None:
        """The next picture opens a new epoch."""
        self.opens_epoch, self.resume = True, None

    def continue_after(self, checkpoint: Checkpoint) -> None:
        """The next picture follows the last one of `checkpoint`."""
        self.opens_epoch, self.resume = False, checkpoint

    def connecting(self) -> None:
        """A connection opens: unless it resumes a checkpoint, its pictures belong to a new epoch."""
        self.opens_epoch = self.resume is None


def choose_start(checkpoint: Checkpoint | None, *, live: bool, source: str, run: str, stood_by: bool) -> StartMode:
    """Decide by the checkpoint that the last process left of the camera.

    `source` and `run` are ours, as in a checkpoint. `stood_by` is whether this process has lost the camera to another
    one since it started.
    """
    if checkpoint is None or checkpoint.epoch == 0:  # its source was missing, so there was no frame yet
        return StartMode.NEW_EPOCH
    if live:
        return StartMode.NEW_EPOCH_AFTER_LOSS if checkpoint.state == OPEN else StartMode.NEW_EPOCH
    if checkpoint.source != source:
        return StartMode.NEW_EPOCH
    if checkpoint.state != ENDED:
        return StartMode.RESUME
    # A new start of the deployment plays the recording again. A process that was restarted after the end of the
    # recording, or that stood by while it was played, does not.
    return StartMode.ENDED if stood_by or checkpoint.run == run else StartMode.NEW_EPOCH


def source_fingerprint(settings: CameraSettings) -> str:
    """Return a hash of the settings that determine the frames: another hash means another source."""
    values = json.dumps([getattr(settings, name) for name in FRAME_SETTINGS])
    return hashlib.sha256(values.encode()).hexdigest()[:16]


def first_checkpoint(settings: CameraSettings, run: str) -> Checkpoint:
    """Return the checkpoint of a camera before its first epoch, which has the number 0; `run` names our deployment."""
    return Checkpoint(epoch=0, seq=0, captured_at_ns=0, state=OFFLINE, run=run, source=source_fingerprint(settings))
