"""The messages of the simulated cameras, workers and trackers of `benchmarks.broker`, recorded once and repeated.

Pictures are those of a clip, encoded as ingest encodes them. Poses are synthetic: 0 to MAX_PEOPLE people cross the
picture. Our own tracker tracks them once, so that tracks and snapshots are those that a tracker would publish.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from posebus.bus.pose_consumer import PoseEntry
from posebus.config.settings import CameraSettings, TrackerSettings
from posebus.contract.appearance import SIZE as APPEARANCE_SIZE
from posebus.contract.snapshot import pack_state
from posebus.messages import CaptureClock, Delivery, Frame, PoseFrame, Provenance, TrackFrame

MAX_PEOPLE = 8
PICTURES = 48
WARM_UP_FRAMES = 60
"""Frames before the recorded ones, after which every person is confirmed and the snapshot has its full size."""
KEPT_FRAMES = 30
FPS = 15.0

JOINTS = np.array(
    [
        *((0.50, 0.07), (0.53, 0.05), (0.47, 0.05), (0.57, 0.07), (0.43, 0.07), (0.65, 0.20), (0.35, 0.20)),
        *((0.72, 0.36), (0.28, 0.36), (0.75, 0.50), (0.25, 0.50), (0.60, 0.52), (0.40, 0.52), (0.62, 0.74)),
        *((0.38, 0.74), (0.63, 0.96), (0.37, 0.96)),
    ]
)
"""COCO's joints of a standing person, as fractions of the box."""


@dataclass(frozen=True, slots=True)
class Script:
    """`poses[n][i]`, `tracks[n][i]` and `states[n][i]` are frame i of a cycle with n people.

    pictures: JPEGs of `size_px` (width, height).
    """

    size_px: tuple[int, int]
    pictures: list[bytes]
    poses: list[list[PoseFrame]]
    tracks: list[list[TrackFrame]]
    states: list[list[bytes]]

    @property
    def jpeg_bytes(self) -> float:
        """The mean size of a picture."""
        return sum(map(len, self.pictures)) / len(self.pictures)

    def frame(self, camera: str, epoch: int, seq: int, place: int, captured_at_ns: int) -> Frame:
        """Frame `seq` of the live camera number `place`; neighbours show different pictures."""
        return Frame(
            camera=camera,
            epoch=epoch,
            seq=seq,
            captured_at_ns=captured_at_ns,
            clock=CaptureClock.ARRIVAL,
            delivery=Delivery.LIVE,
            size_px=self.size_px,
            image_size_px=self.size_px,
            encoding="jpeg",
            data=self.pictures[(place + seq) % len(self.pictures)],
        )


def people_of(camera: str) -> int:
    """The number of people before `camera`: 0 to MAX_PEOPLE, always the same."""
    return crc32(camera.encode()) % (MAX_PEOPLE + 1)


def record(clip: Path, size_px: tuple[int, int] | None) -> Script:
    """Read pictures of `clip`, resized to `size_px` if given, and track the synthetic people."""
    size_px, pictures = _pictures(clip, size_px)
    poses, tracks, states = [], [], []
    for people in range(MAX_PEOPLE + 1):
        frames = [pose_frame(people, seq, size_px) for seq in range(WARM_UP_FRAMES + KEPT_FRAMES)]
        tracked, snapshots = _track(frames)
        poses.append(frames[WARM_UP_FRAMES:])
        tracks.append(tracked[WARM_UP_FRAMES:])
        states.append(snapshots[WARM_UP_FRAMES:])
    return Script(size_px, pictures, poses, tracks, states)


def pose_frame(people: int, seq: int, size_px: tuple[int, int]) -> PoseFrame:
    """Frame `seq` of `people` people who cross the picture with swinging joints and constant colour histograms."""
    width_px, height_px = size_px
    index = np.arange(people)
    high_px = height_px * (0.35 + 0.04 * index)
    wide_px = 0.4 * high_px
    left_px = (width_px * index / max(1, people) + 0.004 * width_px * seq) % width_px - wide_px / 2
    top_px = np.full(people, 0.3 * height_px)
    boxes = np.stack([left_px, top_px, left_px + wide_px, top_px + high_px], axis=1)
    swing = 0.03 * np.sin(0.6 * seq + index)[:, None] * np.linspace(0, 1, len(JOINTS))
    joints = np.empty((people, len(JOINTS), 3))
    joints[..., 0] = left_px[:, None] + (JOINTS[:, 0] + swing) * wide_px[:, None]
    joints[..., 1] = top_px[:, None] + JOINTS[:, 1] * high_px[:, None]
    joints[..., 2] = 0.9
    return PoseFrame(
        camera="script",
        epoch=1,
        seq=seq,
        captured_at_ns=round(seq / FPS * 1e9),
        size_px=size_px,
        boxes_xyxy_px=_float32(np.clip(boxes, 0, [width_px, height_px, width_px, height_px])),
        scores=_float32(np.full(people, 0.87)),
        keypoints_px=_float32(joints),
        appearance=_float32(np.random.default_rng(0).dirichlet(np.ones(APPEARANCE_SIZE), people) ** 0.5),
    )


def _float32(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)


def _track(frames: list[PoseFrame]) -> tuple[list[TrackFrame], list[bytes]]:
    # Imported here because the processes that only read a Script do not need the tracker.
    from tracking.camera_tracking import CameraTracking

    tracking = CameraTracking("script", Delivery.LOSSLESS, TrackerSettings())
    tracked, snapshots = [], []
    for frame in frames:
        provenance = Provenance(CaptureClock.ARRIVAL, Delivery.LOSSLESS, frame.captured_at_ns)
        tracking.push(PoseEntry("script", str(frame.seq).encode(), frame, provenance), frame.seq / FPS)
        tracked += [tracks for tracks, _ in tracking.advance(frame.seq / FPS).tracks]
        snapshots.append(pack_state(tracking.state_dict()))
    return tracked, snapshots


def _pictures(clip: Path, size_px: tuple[int, int] | None) -> tuple[tuple[int, int], list[bytes]]:
    import cv2

    from ingest.publishing.encoding import encode
    from ingest.sources.decoding.pixels import RowsImage
    from ingest.sources.file import FileSource

    settings = CameraSettings(source=str(clip))
    source = FileSource(clip)
    pictures: list[bytes] = []
    found_px = (0, 0)
    while len(pictures) < PICTURES and (picture := source.read()) is not None:
        image = picture.image_bgr if size_px is None else cv2.resize(picture.image_bgr, size_px)
        encoded = encode(RowsImage(image), settings)
        found_px = encoded.image_size_px
        pictures.append(encoded.data)
    source.close()
    if not pictures:
        raise SystemExit(f"{clip} holds no frame")
    return found_px, pictures
