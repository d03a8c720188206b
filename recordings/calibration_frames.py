"""Frames for calibrating an engine: spread evenly over recordings, letterboxed as a worker does it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workers.detections import ImageArray
    from workers.int8.engine_build import OnProgress

MOST_KEPT = 2
"""Times the frames that are wanted, held at most while it is not known how long the recording is."""


def spread_frames(recordings: Sequence[Path], wanted: int, imgsz: int, on_progress: OnProgress) -> list[ImageArray]:
    """About `wanted` frames of all recordings together, the same share of each, u8 RGB (H, W, 3), in their order.

    `imgsz` is the longest side of the network's input. Raises SourceRejected for what is no recording, BadPicture.
    """
    share = -(-wanted // len(recordings))
    frames: list[ImageArray] = []
    for path in recordings:
        frames += _thinned(_of_one(path, share, imgsz, on_progress), share)
    return frames


def _of_one(path: Path, share: int, imgsz: int, on_progress: OnProgress) -> list[ImageArray]:
    """Every n-th frame, n a power of two that leaves `share` to twice as many of them."""
    import cv2

    from ingest.sources import open_source
    from recordings.inputs import camera_settings
    from workers.images.preprocess import Letterbox

    source = open_source(camera_settings(str(path)))
    kept: list[ImageArray] = []
    step = 1
    position = -1

    def admit(_: int) -> bool:
        nonlocal position
        position += 1
        return position % step == 0

    try:
        while (picture := source.read(admit)) is not None:
            on_progress(f"reading {path.name}", position + 1, source.frame_count)
            height_px, width_px = picture.image_bgr.shape[:2]
            image = cv2.cvtColor(picture.image_bgr, cv2.COLOR_BGR2RGB)
            kept.append(Letterbox.fit((width_px, height_px), imgsz).apply(image))
            # Headers lie about the number of frames, or say nothing: so it is found out while reading.
            if len(kept) > MOST_KEPT * share:
                kept = kept[::2]
                step *= 2
    finally:
        source.close()
    return kept


def _thinned(frames: list[ImageArray], wanted: int) -> list[ImageArray]:
    if len(frames) <= wanted:
        return frames
    return [frames[index * len(frames) // wanted] for index in range(wanted)]


def described(recordings: Sequence[Path]) -> list[dict[str, str]]:
    """Name and sha256 of each recording, for the engine's record; folders of pictures by name only."""
    return [{"name": path.name, **_hash(path)} for path in recordings]


def _hash(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {"sha256": file_digest(file, "sha256").hexdigest()}


def read_rgb(path: Path) -> ImageArray:
    """A picture file as u8 RGB (H, W, 3); raises BadPicture, SourceRejected."""
    import cv2

    from ingest.sources import read_picture

    image: ImageArray = cv2.cvtColor(read_picture(path), cv2.COLOR_BGR2RGB)
    return image
