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
"""While the length of a recording is unknown, at most so many times the wanted frames are kept."""


def spread_frames(recordings: Sequence[Path], wanted: int, imgsz: int, on_progress: OnProgress) -> list[ImageArray]:
    """Return about `wanted` frames, u8 RGB (H, W, 3): the same number from each recording, in order.

    `imgsz` is the longest side of the network's input in pixels. Raises SourceRejected for a file that is not a
    recording, and BadPicture.
    """
    share = -(-wanted // len(recordings))
    frames: list[ImageArray] = []
    for path in recordings:
        frames += _thinned(_of_one(path, share, imgsz, on_progress), share)
    return frames


def _of_one(path: Path, share: int, imgsz: int, on_progress: OnProgress) -> list[ImageArray]:
    """Return every n-th frame, with n the power of two that leaves between `share` and twice as many of them."""
    import cv2

    from ingest.sources import open_source
    from posebus.square_pixels import square_size_px
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
            size_px = square_size_px(picture.image.size_px, picture.image.pixel_aspect)
            image = cv2.cvtColor(picture.image.bgr(size_px), cv2.COLOR_BGR2RGB)
            kept.append(Letterbox.fit(size_px, imgsz).apply(image))
            # The number of frames in the header may be wrong or missing, so n is found while reading.
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
    """Return name and sha256 of each recording for the engine's record; of a folder of pictures the name only."""
    return [{"name": path.name, **_hash(path)} for path in recordings]


def _hash(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {"sha256": file_digest(file, "sha256").hexdigest()}


def read_rgb(path: Path) -> ImageArray:
    """Read a picture file as u8 RGB (H, W, 3). Raises BadPicture and SourceRejected."""
    import cv2

    from ingest.sources import read_picture

    image: ImageArray = cv2.cvtColor(read_picture(path), cv2.COLOR_BGR2RGB)
    return image
