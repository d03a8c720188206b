"""The contract: what travels between the stages and reaches subscribers.

All coordinates are pixels of the *source* frame (origin top left, x right, y down), whatever was resized on the way.
All `*_ns` are nanoseconds of the Unix epoch, except with the clock `file`, where `captured_at_ns` counts from the
start of the recording unless the source's settings say when that was. `(camera, epoch, seq)` identifies a frame
everywhere: `epoch` is one run of one source, `seq` counts from 0 in it.

Arrays are numpy, float32 (flags uint8), C-contiguous; N is the number of people, K of keypoints (17, COCO order), D of
features.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from posebus.arrays import Float32Array, UInt8Array
from posebus.views import View

SCHEMA_VERSION = 1
"""Version of every message on the wire. A reader refuses messages of a version that it does not know."""


class CaptureClock(StrEnum):
    """Which clock `captured_at_ns` was read from, best first."""

    RTCP = "rtcp"  # the camera's own clock, from RTCP sender reports
    ARRIVAL = "arrival"  # this host's wall clock when the frame arrived
    FILE = "file"  # the recording's own time line


class Delivery(StrEnum):
    """What gives way when the workers cannot keep up."""

    LOSSLESS = "lossless"  # the source waits; nothing is dropped
    LIVE = "live"  # frames are dropped, oldest first; the freshest wins


class TrackState(StrEnum):
    """Life of an identity. A track is in `TrackFrame.tracks` as `ended` exactly once, in its last frame."""

    TENTATIVE = "tentative"  # seen too briefly to be believed
    CONFIRMED = "confirmed"  # there: seen in this frame, or coasted because missed for a moment or hidden by somebody
    LOST = "lost"  # confirmed before, and nobody knows where, or all but out of the picture; told for a moment only
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture on its way to a worker.

    `size_px` is the source's (width, height), `image_size_px` that of the encoded picture after any downscale.
    `data` is a JPEG; with encoding `raw` the BGR rows, 3 bytes a pixel; with `shared` the name of a file with such rows
    in the memory of this machine (`posebus.runtime.shared_frames`). `views` is how it is to be inferred, as the worker
    is set where there are none: the people are those of the first one, what the others find is told beside; of a live
    frame, as far as that was begun before it was too old.
    """

    camera: str
    epoch: int
    seq: int
    captured_at_ns: int
    clock: CaptureClock
    delivery: Delivery
    size_px: tuple[int, int]
    image_size_px: tuple[int, int]
    encoding: str
    data: bytes
    published_at_ns: int = 0
    views: tuple[View, ...] = ()

    @property
    def picture_bytes(self) -> int:
        """How much memory the picture takes while it waits, wherever it is."""
        return 3 * self.image_size_px[0] * self.image_size_px[1] if self.encoding == "shared" else len(self.data)


@dataclass(frozen=True, slots=True)
class EndOfStream:
    """The mark after a source's last frame: `seq` is one past the last frame's, thus the number of frames."""

    camera: str
    epoch: int
    seq: int
    captured_at_ns: int
    delivery: Delivery
    reason: str = "end of file"
    published_at_ns: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """Says that a frame was dropped on purpose, so that the tracker need not wait for it."""

    camera: str
    epoch: int
    seq: int
    captured_at_ns: int
    delivery: Delivery
    reason: str
    published_at_ns: int = 0


@dataclass(frozen=True, slots=True)
class Uninferred:
    """A frame that nobody looked at, on purpose: its people are predicted, and nobody counts as missed in it.

    reason: `still` (nothing moved and nobody was there) or `rate` (it is clear where everybody is).
    """

    camera: str
    epoch: int
    seq: int
    captured_at_ns: int
    clock: CaptureClock
    delivery: Delivery
    size_px: tuple[int, int]
    reason: str
    published_at_ns: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """What another view of a frame found: boxes_xyxy_px (M, 4) and scores (M,), best first."""

    view: View
    boxes_xyxy_px: Float32Array
    scores: Float32Array


@dataclass(frozen=True, slots=True)
class PoseFrame:
    """The people that the network saw in one frame.

    boxes_xyxy_px: (N, 4); scores: (N,) in 0..1; keypoints_px: (N, K, 3) rows of x, y, confidence, or None for a model
    without keypoints; appearance: (N, D) descriptors, or None; probes: what other views of the same frame found, where
    that was asked for; masks: N closed polygons (M, 2) around what is seen of each person (`posebus.contract.masks`),
    (0, 2) for whom no outline was found, or None where the worker outlines nobody.
    """

    camera: str
    epoch: int
    seq: int
    captured_at_ns: int
    size_px: tuple[int, int]
    boxes_xyxy_px: Float32Array
    scores: Float32Array
    keypoints_px: Float32Array | None
    appearance: Float32Array | None = None
    probes: tuple[Probe, ...] = ()
    masks: tuple[Float32Array, ...] | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a result came to be: the times and terms that travel beside a `PoseFrame` or `TrackFrame`.

    `inference_ns`: how long the engine had the frame, from its submission to its result; of several views, the first,
    from its first tile to its last. `view`: how the picture entered the network, None where that was not said.
    """

    clock: CaptureClock
    delivery: Delivery
    frame_published_at_ns: int
    published_at_ns: int = 0
    inference_ns: int = 0
    view: View | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """One identity in one frame. Box and keypoints are smoothed; the raw ones are in the PoseFrame at `pose_index`.

    box_xyxy_px: (4,); keypoints_px: (K, 3) rows of x, y, confidence, or None; age_s: since its first frame;
    velocity_px_s: (2,) of the box centre, pixels per second; keypoint_visibility: (K,) flags as in COCO, or None where
    they were not determined: 0 not known, 1 hidden (its place is predicted or carried along), 2 seen in this frame;
    pose_index: row of this person in the PoseFrame with the same (camera, epoch, seq), None if not seen in this frame;
    coasted: whether box and keypoints are predicted, because the person was not seen in this frame.
    """

    id: int
    box_xyxy_px: Float32Array
    score: float
    keypoints_px: Float32Array | None
    state: str
    age_s: float
    velocity_px_s: Float32Array = field(default_factory=lambda: np.zeros(2, np.float32))
    keypoint_visibility: UInt8Array | None = None
    pose_index: int | None = None
    coasted: bool = False


@dataclass(frozen=True, slots=True)
class TrackFrame:
    """All identities of one camera in one frame; where it was not `inferred`, all are predicted (see `Uninferred`)."""

    camera: str
    epoch: int
    seq: int
    captured_at_ns: int
    size_px: tuple[int, int]
    tracks: tuple[Track, ...]
    inferred: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvents 1.0 event. `id` is unique and the same when the same frames are processed again."""

    id: str
    type: str
    source: str
    subject: str
    time_ns: int
    camera: str
    epoch: int
    seq: int
    data: dict[str, Any] = field(default_factory=dict)


class EventType(StrEnum):
    """The CloudEvents types that posebus itself emits."""

    TRACK_STARTED = "posebus.track.started"
    TRACK_LOST = "posebus.track.lost"
    TRACK_ENDED = "posebus.track.ended"
    CAMERA_ONLINE = "posebus.camera.online"
    CAMERA_OFFLINE = "posebus.camera.offline"
    CAMERA_GAP = "posebus.camera.gap"
    CAMERA_ENDED = "posebus.camera.ended"
    CAMERA_IMGSZ = "posebus.camera.imgsz"
