"""The contract: the messages that stages exchange and subscribers receive.

All coordinates are pixels of the *source* frame (origin top left, x right, y down), even where the picture was resized
on its way. All `*_ns` are nanoseconds of the Unix epoch, except with the clock `file`: there `captured_at_ns` counts
from the start of the recording, unless the source's settings give its date (`recorded_at_ns`).

Arrays are numpy, float32 (flags uint8), C-contiguous; N is the number of people, K of keypoints (17, COCO order), D of
features.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np

from posebus.arrays import Float32Array, UInt8Array
from posebus.event_types import EventType as EventType
from posebus.square_pixels import SQUARE
from posebus.views import View

SCHEMA_VERSION = 1
"""Version of every message on the wire. A reader refuses messages of other versions."""


class CaptureClock(StrEnum):
    """Which clock `captured_at_ns` was read from, best first."""

    RTCP = "rtcp"  # the camera's own clock, from RTCP sender reports
    ARRIVAL = "arrival"  # this host's wall clock when the frame arrived
    FILE = "file"  # the recording's own time line


class Delivery(StrEnum):
    """What happens when the workers cannot keep up."""

    LOSSLESS = "lossless"  # the source waits; nothing is dropped
    LIVE = "live"  # frames are dropped, oldest first


class TrackState(StrEnum):
    """Life cycle of a track.

    A track is in `TrackFrame.tracks` as `ended` exactly once, in its last frame, unless it ceased by a `Renaming`.
    """

    TENTATIVE = "tentative"  # detected too briefly to be confirmed
    CONFIRMED = "confirmed"  # present: detected in this frame, or coasted (missed for a moment, or occluded)
    LOST = "lost"  # was confirmed; missed without a known reason, or nearly out of the picture; reported briefly
    ENDED = "ended"  # removed; this is its last mention


@dataclass(frozen=True, slots=True)
class FrameKey:
    """The frame that a message is about: `(camera, epoch, seq)` identifies a frame everywhere.

    `epoch` is one run of the camera's source, and `seq` counts its frames from 0. A later epoch has a higher number,
    below 2**53, and none comes twice. `captured_at_ns` is when the frame was captured, by the clock that the frame's
    `CaptureClock` names.
    """

    camera: str
    epoch: int
    seq: int
    captured_at_ns: int


@dataclass(frozen=True, slots=True)
class CameraMotion:
    """Where the camera looks in one frame, relative to the first frame of the same shot.

    shot: shots of an epoch count from 0; a new one begins where the picture suddenly shows another place, such as after
        a cut, or when a PTZ camera turned away. Nothing connects the coordinates of two shots.
    matrix: affine map (a, b, c, d, e, f), row by row: what stands still, and is at pixel (u, v) in the first frame of
        the shot, is at (a u + b v + c, d u + e v + f) in this frame. Source pixels; the size of the picture may change
        within a shot.
    certainty: 0 to 1, of the motion since the frame before; with 0 it could not be estimated, and `matrix` is that of
        the frame before.
    """

    shot: int
    matrix: tuple[float, float, float, float, float, float]
    certainty: float


@dataclass(frozen=True, slots=True)
class Frame(FrameKey):
    """One picture on its way to a worker.

    `size_px` is the source's (width, height), `image_size_px` that of the encoded picture after any downscale. `data`
    is a JPEG for the encoding `jpeg`, BGR rows (3 bytes a pixel) for `raw`, and for `shared` the name of a file with
    such rows in the memory of this machine (`posebus.runtime.shared_frames`).

    `pixel_aspect` is the width of a source pixel divided by its height; encoded pictures have square pixels.

    `views` are the ways to run inference on it; empty means as the worker's settings say. The first view gives the
    people, the others become `PoseFrame.probes`. Of a live frame, views are left out that
    could not start before it was too old.

    `camera_motion` is None where ingest does not estimate it.
    """

    clock: CaptureClock
    delivery: Delivery
    size_px: tuple[int, int]
    image_size_px: tuple[int, int]
    encoding: str
    data: bytes
    published_at_ns: int = 0
    views: tuple[View, ...] = ()
    pixel_aspect: Fraction = SQUARE
    camera_motion: CameraMotion | None = None

    @property
    def picture_bytes(self) -> int:
        """Bytes that the picture occupies while it waits, in the broker or in shared memory."""
        return 3 * self.image_size_px[0] * self.image_size_px[1] if self.encoding == "shared" else len(self.data)


@dataclass(frozen=True, slots=True)
class EndOfStream(FrameKey):
    """A mark behind the last frame of a source: `seq` is one past the last frame's, so it is the number of frames."""

    delivery: Delivery
    reason: str = "end of file"
    published_at_ns: int = 0


@dataclass(frozen=True, slots=True)
class Skipped(FrameKey):
    """A mark for a frame that was dropped on purpose, so that the tracker does not wait for it."""

    delivery: Delivery
    reason: str
    published_at_ns: int = 0


@dataclass(frozen=True, slots=True)
class Uninferred(FrameKey):
    """A frame that was not inferred, on purpose: its tracks are predicted, and none of them counts as missed.

    reason: `still` (nothing moved and no person was present) or `rate` (the predictions are certain enough).
    `pixel_aspect` and `camera_motion` are as in `Frame`.
    """

    clock: CaptureClock
    delivery: Delivery
    size_px: tuple[int, int]
    reason: str
    published_at_ns: int = 0
    pixel_aspect: Fraction = SQUARE
    camera_motion: CameraMotion | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """Detections in another view of a frame: boxes_xyxy_px (M, 4) and scores (M,), best first."""

    view: View
    boxes_xyxy_px: Float32Array
    scores: Float32Array


@dataclass(frozen=True, slots=True)
class PoseFrame(FrameKey):
    """The people that the network detected in one frame.

    boxes_xyxy_px: (N, 4); scores: (N,) in 0..1; keypoints_px: (N, K, 3) rows of x, y, confidence, or None for a model
    without keypoints; appearance: (N, D) descriptors, or None; probes: detections in further views of the same frame,
    where these were requested; masks: N closed polygons (M, 2) around the visible part of each person (see
    `posebus.mask_of`), (0, 2) for a person without an outline, or None where the worker computes no outlines.
    pixel_aspect: as in `Frame`; a person of given proportions looks narrow in pixels that are wider than high.
    camera_motion: as in `Frame`.
    """

    size_px: tuple[int, int]
    boxes_xyxy_px: Float32Array
    scores: Float32Array
    keypoints_px: Float32Array | None
    appearance: Float32Array | None = None
    probes: tuple[Probe, ...] = ()
    masks: tuple[Float32Array, ...] | None = None
    pixel_aspect: Fraction = SQUARE
    camera_motion: CameraMotion | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a result was made: times and conditions that accompany a `PoseFrame` or `TrackFrame`.

    inference_ns: from the frame's submission to the engine until its result; of several views, that of the first, from
    its first tile to its last. view: how the picture entered the network, or None where that is not known.
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
    velocity_px_s: (2,) of the box centre, pixels per second, relative to the scene where the camera moves;
    keypoint_visibility: (K,) flags as in COCO, or None where they were not determined: 0 unknown, 1 hidden (its
    position is predicted), 2 visible in this frame; pose_index: row of this person in the PoseFrame with the same
    (camera, epoch, seq), or None if not detected in this frame; coasted: whether box and keypoints are predicted,
    because the person was not detected in this frame.

    Of a camera with a ground plane, else None: position_m: (x, y) of the feet on the floor, None where they are not
    known; speed_m_s: over about the last second, None at first; distance_m: walked since the first frame.

    Of a camera with `actions`, else None: action: what the person does, such as Walking, None where that is not known;
    action_score: its probability, 0..1.
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
    position_m: tuple[float, float] | None = None
    speed_m_s: float | None = None
    distance_m: float | None = None
    action: str | None = None
    action_score: float | None = None


MAX_RENAME_DELAY_S = 2.0
"""A correction reaches back at most this far, by capture time, before the frame that carries it."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """A correction: the tracks `from_id` in the frames since `since_seq` of this epoch are the person `to_id`.

    The frame that carries it, and all later ones, use the corrected numbers. Where two people were confused, two
    renamings in the same frame exchange their numbers: all of them apply at once, to the numbers before this frame.
    A `from_id` that is not also a `to_id` is not used any more, and its track need not be reported `ended`.
    `posebus.subscribing.renaming` applies corrections to the frames before them.
    """

    from_id: int
    to_id: int
    since_seq: int


@dataclass(frozen=True, slots=True)
class TrackFrame(FrameKey):
    """All identities of one camera in one frame. If it was not `inferred`, all are predicted (see `Uninferred`).

    renamed: corrections of earlier frames of the same epoch, which this frame announces.
    """

    size_px: tuple[int, int]
    tracks: tuple[Track, ...]
    inferred: bool = True
    renamed: tuple[Renaming, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvents 1.0 event. `id` is unique, and stays the same when the same frames are processed again.

    dataref: where its evidence is, as a URI. When it is published it gets its place in the order of the camera's events
    (`sequence`, text that sorts), and the times of its detection and publication (Unix ns). These three are left out
    where events are compared.
    """

    id: str
    type: str
    source: str
    subject: str
    time_ns: int
    camera: str
    epoch: int
    seq: int
    data: dict[str, Any] = field(default_factory=dict)
    dataref: str | None = None
    sequence: str = field(default="", compare=False)
    detected_at_ns: int = field(default=0, compare=False)
    published_at_ns: int = field(default=0, compare=False)
