"""Published pictures are kept: those of inferred frames as they were sent, those of the others from the source."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import samples

from ingest.keeping import FrameKeeper
from ingest.sources import CapturedImage, RowsImage
from posebus.config.settings import CameraSettings
from posebus.machine.kept_pictures import KeptPictures
from posebus.messages import CaptureClock, Delivery, Uninferred


def picture(at_ns: int, level: int) -> CapturedImage:
    return CapturedImage(RowsImage(np.full((48, 64, 3), level, np.uint8)), at_ns, CaptureClock.ARRIVAL)


def mark(at_ns: int) -> Uninferred:
    return Uninferred("door", 1, 0, at_ns, CaptureClock.ARRIVAL, Delivery.LIVE, (64, 48), "still")


def test_every_published_frame_has_its_picture(tmp_path: Path) -> None:
    settings = CameraSettings(source="usb:0", encoding="raw", max_size_px=64)
    keeper = FrameKeeper("door", settings, tmp_path / "kept")
    sent = samples.frame(captured_at_ns=5, encoding="jpeg", data=b"as it was sent")
    for at_ns in range(1, 5):
        keeper.remember(picture(at_ns, 50 * at_ns))
    keeper.keep(mark(2))
    keeper.keep(sent)
    keeper.keep(mark(4))
    keeper.keep(mark(99))  # of no picture that is remembered
    with KeptPictures(tmp_path / "kept") as kept:
        assert len(kept) == 3
        assert kept.jpeg(5) == b"as it was sent"
        for at_ns in (2, 4):
            jpeg = kept.jpeg(at_ns)
            assert jpeg is not None
            shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert shown is not None
            assert (shown.shape, round(float(shown.mean()) / 50)) == ((48, 64, 3), at_ns)


def test_disk_that_is_full_does_not_stop_the_camera(tmp_path: Path) -> None:
    keeper = FrameKeeper("door", CameraSettings(source="usb:0"), tmp_path / "none" / "kept")
    keeper.keep(samples.frame(captured_at_ns=5, encoding="jpeg", data=b"x"))
